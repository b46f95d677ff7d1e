import { readFile } from 'node:fs/promises';
import { fastify } from 'fastify';
import { serve } from './remote.ts';

/** What the bare server answers with: a file's bytes, as they are. */
export interface BareRoute {
  readonly path: string;
  readonly file: string;
  readonly type: string;
}

const implementation = {
  /** @returns the port. */
  async open(routes: readonly BareRoute[]): Promise<number> {
    const app = fastify();
    for (const { path, file, type } of routes) {
      const body = await readFile(file);
      app.get(path, (_request, reply) => reply.type(type).send(body));
    }
    const url = await app.listen({ host: '127.0.0.1', port: 0 });
    return Number(new URL(url).port);
  },
};

export type BareCalls = typeof implementation;
serve(implementation);
