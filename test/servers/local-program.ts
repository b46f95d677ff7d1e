import { spawn } from 'node:child_process';
import type { ChildProcess, SpawnOptions } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';

/** A program of this machine that serves until it is stopped. */
export interface LocalProgram {
  readonly pid: number;
  /** All that it printed so far, both streams: for the message of a failed start. */
  output(): string;
  /** SIGTERM, then SIGKILL after five seconds. */
  stop(): Promise<void>;
}

/**
 * Starts a program and waits until `ready` says yes; it is asked every 100 ms.
 * @throws Error with what the program printed, where it ends before, or is not ready within `patience` milliseconds.
 */
export async function startProgram(
  command: string,
  args: readonly string[],
  { ready, patience = 60_000, ...options }: SpawnOptions & { ready: () => Promise<boolean>; patience?: number },
): Promise<LocalProgram> {
  const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  let printed = '';
  const keep = (chunk: Buffer): void => {
    printed = (printed + chunk.toString()).slice(-20_000);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const failures: Error[] = [];
  child.on('error', (error) => failures.push(error));
  const orphaned = (): void => void child.kill('SIGKILL');
  process.once('exit', orphaned);
  const stop = async (): Promise<void> => {
    await end(child);
    process.removeListener('exit', orphaned);
  };
  for (const until = Date.now() + patience; Date.now() < until;) {
    if (failures.length > 0 || child.exitCode !== null || child.signalCode !== null) break;
    if (await ready().catch(() => false)) return { pid: child.pid ?? 0, output: () => printed, stop };
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  await stop();
  throw new Error(`${command} did not start: ${failures.map(String).join(' ')}\n${printed}`);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const forced = setTimeout(() => child.kill('SIGKILL'), 5_000);
  await ended;
  clearTimeout(forced);
}

/** A port of the loopback address that nothing listens on now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
