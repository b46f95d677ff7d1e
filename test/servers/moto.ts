import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GenericContainer, Wait } from 'testcontainers';
import { freePort, startProgram } from './local-program.ts';
import type { RunningServer, ServerRecipe } from './provided-server.ts';

/** How to reach moto: one URL for all of AWS's services. */
export interface MotoAccess {
  readonly url: string;
}

const VERSION = '5.2.5';
const PORT = 5_000;

/**
 * moto with one thread. Its own command starts a thread a request, and its stores are not made for that: a tag that is set
 * while a version is put gets lost, and of two creations at once both succeed.
 */
function oneThread(host: string, port: number): string {
  return [
    'from werkzeug.serving import run_simple',
    'from moto.server import DomainDispatcherApplication, create_backend_app',
    `run_simple("${host}", ${port}, DomainDispatcherApplication(create_backend_app))`,
  ].join('\n');
}

/** https://docs.getmoto.org/en/latest/docs/server_mode.html */
export const moto: ServerRecipe<MotoAccess> = {
  name: 'moto',
  variables: ['REKEYD_MOTO_URL'],
  fromEnvironment: () => {
    const url = process.env['REKEYD_MOTO_URL'];
    return url === undefined ? null : { url };
  },
  provisioned: `moto-${VERSION}`,
  fromProgram: async (folder): Promise<RunningServer<MotoAccess>> => {
    const home = await mkdtemp(join(tmpdir(), 'rekeyd-moto-'));
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const program = await startProgram('python3', ['-c', oneThread('127.0.0.1', port)], {
      cwd: home,
      env: { PATH: process.env['PATH'], HOME: home, PYTHONPATH: folder, PYTHONDONTWRITEBYTECODE: '1' },
      ready: async () => (await fetch(`${url}/moto-api/`)).ok,
    });
    return {
      access: { url },
      stop: async () => {
        await program.stop();
        await rm(home, { recursive: true, force: true });
      },
    };
  },
  fromContainer: async (): Promise<RunningServer<MotoAccess>> => {
    const container = await new GenericContainer(`motoserver/moto:${VERSION}`)
      .withEntrypoint(['python', '-c', oneThread('0.0.0.0', PORT)])
      .withExposedPorts(PORT)
      .withWaitStrategy(Wait.forHttp('/moto-api/', PORT))
      .start();
    return {
      access: { url: `http://${container.getHost()}:${container.getMappedPort(PORT)}` },
      stop: async () => {
        await container.stop();
      },
    };
  },
};
