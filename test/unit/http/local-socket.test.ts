import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ListenError } from '../../../src/http/listen-error.ts';
import { placeSocket } from '../../../src/http/local-socket.ts';
import { OPERATOR, serve } from './fake-daemon.ts';
import { ask } from './raw-connection.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rekeyd-socket-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const settings = (socket: string) => ({
  settings: { host: '127.0.0.1', port: 0, requestsPerSecond: 100_000, socket, tokens: [] },
});
const mode = async (path: string): Promise<number> => (await stat(path)).mode & 0o777;

/** A socket whose process is dead: killed, it could not take it away. */
async function leaveStaleSocket(path: string): Promise<void> {
  const script = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => console.log('up'))`;
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  child.kill('SIGKILL');
  await once(child, 'close');
}

describe('the local socket', () => {
  it('acts as operator with the actor socket, without any token', async () => {
    const socketPath = join(folder, 'rekeyd.sock');
    await using http = await serve(settings(socketPath));
    expect(http.address.socket).toBe(socketPath);
    const answer = await ask({ socketPath }, '/v1/credentials/data8/client-1/rotate', { method: 'POST' });
    expect(answer.status).toBe(202);
    expect((await ask({ socketPath }, '/v1/status')).status).toBe(200);
    expect((await ask({ socketPath }, '/livez')).status).toBe(200);
    expect((await ask({ socketPath }, '/nonsense')).status).toBe(404);
    expect(http.calls[0]).toEqual([
      'rotate',
      { issuer: 'data8', clientId: 'client-1' },
      { note: null, grace: null, actor: 'socket' },
    ]);
    // The port is not the socket, whatever a client says.
    expect((await http.ask('/v1/status', {}, OPERATOR)).status).toBe(403);
  });

  it('needs no right outside of its folder: a volume on a read-only root is enough', async () => {
    const places: string[] = [];
    const server = createServer();
    const bind = (at: string): Promise<void> => {
      places.push(dirname(dirname(at)));
      return new Promise((resolve) => server.listen(at, resolve));
    };
    const remove = await placeSocket(join(folder, 'rekeyd.sock'), bind);
    expect(places).toEqual([folder]);
    expect(await readdir(folder)).toEqual(['rekeyd.sock']);
    await remove();
    server.close();
  });

  it('S8: is 0600 in a folder of 0700, whatever the umask', async () => {
    const before = process.umask(0);
    try {
      const socketPath = join(folder, 'made', 'deep', 'rekeyd.sock');
      await using http = await serve(settings(socketPath));
      expect(await mode(socketPath)).toBe(0o600);
      expect(await mode(join(folder, 'made'))).toBe(0o700);
      expect(await mode(join(folder, 'made', 'deep'))).toBe(0o700);
      expect(http.address.socket).toBe(socketPath);
    } finally {
      process.umask(before);
    }
  });

  it('leaves nothing behind, and a folder that was there as it was', async () => {
    await chmod(folder, 0o755);
    const http = await serve(settings(join(folder, 'rekeyd.sock')));
    expect(await readdir(folder)).toEqual(['rekeyd.sock']);
    await http.server.close();
    expect(await readdir(folder)).toEqual([]);
    expect(await mode(folder)).toBe(0o755);
  });

  it('of a dead process is replaced', async () => {
    const socketPath = join(folder, 'rekeyd.sock');
    await leaveStaleSocket(socketPath);
    expect(await readdir(folder)).toEqual(['rekeyd.sock']);
    await using http = await serve(settings(socketPath));
    expect((await ask({ socketPath }, '/livez')).status).toBe(200);
    expect(http.lines.length).toBeGreaterThan(0);
  });

  it('of a live process is an error that says so, and stays that one`s', async () => {
    const socketPath = join(folder, 'rekeyd.sock');
    await using first = await serve(settings(socketPath));
    const error: unknown = await serve(settings(socketPath)).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ListenError);
    expect((error as Error).message).toContain(`another process listens on ${socketPath}`);
    expect((await ask({ socketPath }, '/livez')).status).toBe(200);
    expect(await readdir(folder)).toEqual(['rekeyd.sock']);
    expect(first.address.socket).toBe(socketPath);
  });

  it.each(['file', 'folder'])('is not put over a %s', async (kind) => {
    const socketPath = join(folder, 'precious');
    if (kind === 'file') await writeFile(socketPath, 'precious');
    else await mkdir(socketPath);
    const error: unknown = await serve(settings(socketPath)).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ListenError);
    expect((error as Error).message).toContain('exists and is not a socket');
    expect(await readdir(folder)).toEqual(['precious']);
  });

  it('with a path that is too long is an error that says so', async () => {
    const error: unknown = await serve(settings(join(folder, 'x'.repeat(120)))).catch((reason: unknown) => reason);
    expect((error as Error).message).toContain('too long for a socket');
  });

  it('that cannot be opened leaves the port closed', async () => {
    const earlier = await serve();
    await earlier.server.close();
    const { port, url } = earlier.address;
    await writeFile(join(folder, 'file'), '');
    const socket = join(folder, 'file', 'rekeyd.sock');
    const error: unknown = await serve({
      settings: { host: '127.0.0.1', port, requestsPerSecond: 100_000, socket, tokens: [] },
    }).catch((reason: unknown) => reason);
    expect((error as Error).message).toBe(
      `http: cannot listen on ${socket}: a part of the path is not a folder; correct http.socket`,
    );
    await expect(fetch(`${url}/livez`)).rejects.toThrow();
  });

  it('that another process has put in its place is left alone at closing', async () => {
    const socketPath = join(folder, 'rekeyd.sock');
    const first = await serve(settings(socketPath));
    await rm(socketPath);
    await using second = await serve(settings(socketPath));
    await first.server.close();
    expect((await ask({ socketPath }, '/livez')).status).toBe(200);
    expect(second.address.socket).toBe(socketPath);
  });
});
