import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { get } from 'node:http';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { StatusView } from '../../src/daemon/api.ts';

const BINARY = fileURLToPath(new URL('../../bin/rekeyd.js', import.meta.url));

/** The program as it is shipped, asked over its local socket: nothing of the bench is in its process. */
export class RealDaemon {
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  readonly #socketPath: string;
  #peak = 0;

  /** @param output where its log goes. */
  constructor(config: string, socketPath: string, output: number) {
    const { PATH, HOME } = process.env;
    const env = { PATH, HOME, REKEYD_LOG_FORMAT: 'json' };
    this.#child = spawn(process.execPath, [BINARY, 'run', '-c', config], { env, stdio: ['ignore', output, output] });
    this.#ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#socketPath = socketPath;
  }

  /** Waits until its status is as wished. @throws where the daemon ends first. */
  async until(isSo: (status: StatusView) => boolean): Promise<void> {
    for (;;) {
      await setTimeout(200);
      if (this.#child.exitCode !== null) throw new Error(`the daemon ended with ${this.#child.exitCode}, see its log`);
      const answer = await this.get('/v1/status').catch(() => null);
      if (answer !== null && isSo(JSON.parse(answer) as StatusView)) return;
    }
  }

  /** @throws where the answer is not a 200. */
  get(path: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const request = get({ socketPath: this.#socketPath, path }, (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.on('end', () => {
          if (response.statusCode === 200) resolve(Buffer.concat(parts).toString());
          else reject(new Error(`${path}: ${response.statusCode ?? '?'}`));
        });
        response.on('error', reject);
      });
      request.on('error', reject);
    });
  }

  /** The most memory that it ever had, in bytes: by the kernel where that tells, else the most that was seen here. */
  async peakMemory(): Promise<number> {
    const status = await readFile(`/proc/${this.#child.pid ?? 0}/status`, 'utf8').catch(() => '');
    const told = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1];
    if (told !== undefined) return Number(told) * 1024;
    const now = /^process_resident_memory_bytes (\S+)$/m.exec(await this.get('/metrics'))?.[1];
    this.#peak = Math.max(this.#peak, Number(now));
    return this.#peak;
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode === null) this.#child.kill('SIGTERM');
    await this.#ended;
  }
}
