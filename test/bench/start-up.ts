import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from '../servers/local-program.ts';
import { spread } from './figures.ts';
import type { Spread } from './figures.ts';

/** Milliseconds from the start of the process to the first 200 of `/livez`. */
export interface StartUpFigures {
  /** As the image starts it. */
  readonly daemon: Spread;
  /** As the package's `rekeyd run` does: it starts itself anew with the image's flags. */
  readonly anew: Spread;
  readonly bare: Spread;
  /** How many times the bare server's time the daemon takes: the medians. */
  readonly times: number;
}

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PATIENCE = 60_000;

/** As in the Dockerfile. */
const IMAGE_FLAGS = ['--max-semi-space-size=4'];

/** In JavaScript: the bare server is not to pay for taking types off. */
const BARE = `import fastify from 'fastify';
const server = fastify();
server.get('/livez', () => ({ status: 'ok' }));
await server.listen({ port: Number(process.env.PORT), host: '127.0.0.1' });`;

const config = (port: number): string => `instance: bench
ledger: { type: sqlite, path: ./rekeyd.db }
http: { port: ${port}, socket: null }
issuers: { data8: { type: data8, baseUrl: "http://127.0.0.1:1", tokenUrl: "http://127.0.0.1:1/token", clientId: x, clientSecret: x } }
vaults: { local: { type: file, path: ./vault, key: ./vault.key } }
`;

/** The program as it is shipped, with the file vault alone, beside a Fastify server with one route. They take turns. */
export async function compareStartUp(folder: string, rounds: number): Promise<StartUpFigures> {
  mkdirSync(folder, { recursive: true });
  const daemons: number[] = [];
  const anews: number[] = [];
  const bares: number[] = [];
  for (let round = 0; round <= rounds; round += 1) {
    const rekeyd = async (flags: readonly string[]): Promise<number> => {
      const port = await freePort();
      const file = join(folder, 'rekeyd.yaml');
      writeFileSync(file, config(port));
      return timeToLive([...flags, join(ROOT, 'bin/rekeyd.js'), 'run', '-c', file], port);
    };
    const daemon = await rekeyd(IMAGE_FLAGS);
    const anew = await rekeyd([]);
    const other = await freePort();
    const bare = await timeToLive(['--input-type=module', '--eval', BARE], other);
    // the first round fills the file system's cache
    if (round > 0) {
      daemons.push(daemon);
      anews.push(anew);
      bares.push(bare);
    }
  }
  const [daemon, anew, bare] = [spread(daemons), spread(anews), spread(bares)];
  return { daemon, anew, bare, times: daemon.median / bare.median };
}

/** @throws Error where it ends before, or takes a minute. */
async function timeToLive(args: readonly string[], port: number): Promise<number> {
  const { PATH, HOME } = process.env;
  const began = performance.now();
  const env = { PATH, HOME, PORT: String(port) };
  const child = spawn(process.execPath, args, { cwd: ROOT, env, stdio: 'ignore' });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  try {
    while (!(await isLive(port))) {
      if (hasEnded(child)) throw new Error(`${args[0] ?? ''} ended before it answered`);
      if (performance.now() - began > PATIENCE) throw new Error(`${args[0] ?? ''} does not answer`);
      await setTimeout(2);
    }
    return performance.now() - began;
  } finally {
    child.kill('SIGTERM');
    await ended;
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

function isLive(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get({ host: '127.0.0.1', port, path: '/livez', agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.on('error', () => resolve(false));
  });
}
