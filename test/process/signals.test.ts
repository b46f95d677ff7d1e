import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Running } from './binary.ts';

const SOURCE = fileURLToPath(new URL('../../src/', import.meta.url));

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rekeyd-signals-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** Runs a few lines in a process of their own, with what the composition root guards a process with. */
async function lines(name: string, text: string): Promise<Running> {
  const program = join(folder, name);
  await writeFile(program, text);
  return new Running([], { program });
}

describe('stop signals', () => {
  /** Never gets done with stopping. */
  const slow = () =>
    lines(
      'slow.mjs',
      `import { onStopSignal } from '${SOURCE}compose/stop-signals.ts';
       onStopSignal(() => new Promise(() => {}), (message) => console.log(message));
       setInterval(() => {}, 1000);
       console.log('ready');`,
    );

  it.each(['SIGTERM', 'SIGINT'] as const)(
    'a second %s ends the process at once with 1, and both are told',
    async (signal) => {
      const running = await slow();
      await running.until(/ready/);
      running.kill(signal);
      await running.until(/: stopping/);
      await new Promise((resolve) => setTimeout(resolve, 700));
      expect(running.child.exitCode).toBeNull();
      running.kill(signal);
      expect(await running.ended()).toEqual({ code: 1, signal: null });
      expect(running.out).toContain(`${signal} again`);
    },
  );

  it('the second SIGINT of one Ctrl-C under npm does not count', async () => {
    const running = await slow();
    await running.until(/ready/);
    running.kill('SIGINT');
    await running.until(/: stopping/);
    running.kill('SIGINT');
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(running.child.exitCode).toBeNull();
    running.kill('SIGTERM');
    expect((await running.ended()).code).toBe(1);
  });
});

describe('an error that nothing catches', () => {
  it.each([
    ['rejection', `Promise.reject(new TypeError('canary-value\\n    at canary-frame'));`],
    ['exception', `setTimeout(() => { throw new TypeError('canary-value\\n    at canary-frame'); }, 10);`],
    ['rejection with a thing that is no error', `Promise.reject('canary-value');`],
  ])('S1: a %s is logged without its message, and the process ends with 1', async (_, text) => {
    const running = await lines(
      'crash.mjs',
      `import { guardProcess } from '${SOURCE}compose/process-guard.ts';
       import { logFor } from '${SOURCE}compose/logging.ts';
       guardProcess(process, logFor(process.stdout, {}, { now: () => Date.now() }));
       setInterval(() => {}, 1000);
       ${text}`,
    );
    expect((await running.ended()).code).toBe(1);
    expect(running.out).toContain('"event":"crashed"');
    expect(running.out + running.err).not.toContain('canary');
  });
});
