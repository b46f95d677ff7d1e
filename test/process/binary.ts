import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const BINARY = fileURLToPath(new URL('../../bin/rekeyd.js', import.meta.url));

export interface Options {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Another program than the binary, for what runs beside it. */
  readonly program?: string;
}

/** A running `rekeyd`, for tests: what it printed so far, and how it ended. */
export class Running {
  readonly child: ChildProcess;
  out = '';
  err = '';
  readonly #ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;

  constructor(args: readonly string[], { env = {}, cwd, program = BINARY }: Options = {}) {
    // Nothing of the machine's own environment: a REKEYD_CONFIG set by a person must not change a test.
    const clean = {
      PATH: process.env['PATH'] ?? '',
      HOME: process.env['HOME'] ?? '',
      TMPDIR: process.env['TMPDIR'] ?? '/tmp',
    };
    this.child = spawn(process.execPath, [program, ...args], { cwd, env: { ...clean, ...env }, stdio: 'pipe' });
    this.child.stdout?.on('data', (part) => (this.out += String(part)));
    this.child.stderr?.on('data', (part) => (this.err += String(part)));
    this.#ended = new Promise((resolve) => {
      this.child.on('close', (code, signal) => resolve({ code, signal }));
    });
  }

  /** Waits until stdout matches. @throws where it ends first, or after `within` ms. */
  async until(pattern: RegExp, within = 60_000): Promise<RegExpExecArray> {
    const end = Date.now() + within;
    for (;;) {
      const match = pattern.exec(this.out);
      if (match !== null) return match;
      if (this.child.exitCode !== null || this.child.signalCode !== null || Date.now() > end) {
        throw new Error(
          `${String(pattern)} was not seen in:\n${this.out.slice(0, 3_000)}\n...\n${this.err.slice(-1_000)}`,
        );
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  ended(): Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }> {
    return this.#ended;
  }
}

/** Runs `rekeyd` to its end. */
export async function rekeyd(
  args: readonly string[],
  options: Options = {},
): Promise<{ readonly code: number | null; readonly out: string; readonly err: string }> {
  const running = new Running(args, options);
  const { code } = await running.ended();
  return { code, out: running.out, err: running.err };
}
