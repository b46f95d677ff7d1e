import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { vaultTypes } from '../../../src/vaults/registry.ts';
import { createTestContext } from '../../conformance/vault-context.ts';
import { numberedMark, numberedPayload } from './numbered.ts';

const WRITER = join(import.meta.dirname, 'writer.ts');
const EXAMPLE = join(import.meta.dirname, '../../../config/examples/my-vault.ts');
const ENTRY = 'prod/data8/orders';

let root: string;
let children: ChildProcess[];

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'rekeyd-processes-'));
  children = [];
});
afterEach(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(root, { recursive: true, force: true });
});

interface Writer {
  readonly child: ChildProcess;
  /** Generations that the vault has confirmed to it. */
  readonly confirmed: number[];
  readonly ended: Promise<unknown>;
  complaint(): string;
}

function startWriter(type: string, options: unknown, writer: string, rounds: number): Writer {
  const child = spawn(process.execPath, [WRITER, type, JSON.stringify(options), ENTRY, writer, String(rounds)]);
  children.push(child);
  const confirmed: number[] = [];
  let [rest, complaint] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    confirmed.push(...lines.map(Number));
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint += text;
  });
  return { child, confirmed, ended: once(child, 'close'), complaint: () => complaint };
}

/** Reads the entry as a process does that starts now, and holds it to be whole. @returns its generation. */
async function wholeGeneration(type: string, options: unknown): Promise<number> {
  const vault = await vaultTypes.get(type)!.create(options, createTestContext('shared', 99));
  const seen = await vault.read({ entry: ENTRY, options: {} });
  if (seen.state === 'absent') return 0;
  expect(seen.binding).toBe('bound');
  const [writer = '', generation = ''] = seen.mark?.secretId.split('-') ?? [];
  expect(seen.mark).toEqual(numberedMark(Number(generation), writer));
  expect(seen.payload?.content.equals(numberedPayload(Number(generation), writer).content)).toBe(true);
  return Number(generation);
}

describe('several processes on one folder', () => {
  it('P6: two writers share a file vault that neither has made yet, and no write of either is lost', async () => {
    const options = { path: join(root, 'vault'), key: join(root, 'vault.key') };
    const writers = [startWriter('file', options, 'a', 40), startWriter('file', options, 'b', 40)];
    await Promise.all(writers.map((writer) => writer.ended));
    expect(writers.map((writer) => writer.complaint())).toEqual(['', '']);
    // Each generation was confirmed to one of them, and none twice: compare-and-set held between processes.
    const all = writers.flatMap((writer) => writer.confirmed).sort((a, b) => a - b);
    expect(all).toEqual(Array.from({ length: 80 }, (_, index) => index + 1));
    expect(await wholeGeneration('file', options)).toBe(80);
    expect(readFileSync(options.key, 'utf8').match(/AGE-SECRET-KEY-1/g)).toHaveLength(1);
    // Of the versions before the last, one is kept; nothing of the writers is left over.
    const [folder = ''] = readdirSync(options.path).filter((name) => !name.startsWith('.'));
    expect(readdirSync(join(options.path, folder)).sort()).toEqual(['0000000079.json', '0000000080.json']);
  });

  it('P6: Node itself loads the TypeScript example of a module, and two processes share its store', async () => {
    const options = { module: EXAMPLE, options: { database: join(root, 'secrets.db') } };
    const writers = [startWriter('module', options, 'a', 20), startWriter('module', options, 'b', 20)];
    await Promise.all(writers.map((writer) => writer.ended));
    expect(writers.map((writer) => writer.complaint()).join('')).toBe('');
    const all = writers.flatMap((writer) => writer.confirmed).sort((a, b) => a - b);
    expect(all).toEqual(Array.from({ length: 40 }, (_, index) => index + 1));
    expect(await wholeGeneration('module', options)).toBe(40);
  });

  it.each([
    ['file', 2],
    ['directory', 1],
  ])('P1: SIGKILL at any moment leaves a whole value in the %s vault', { timeout: 60_000 }, async (type, count) => {
    const options =
      type === 'file'
        ? { path: join(root, 'vault'), key: join(root, 'vault.key') }
        : { path: join(root, 'vault'), mode: '0600', uid: null, gid: null };
    for (let round = 0; round < 6; round++) {
      const writers = Array.from({ length: count }, (_, index) =>
        startWriter(type, options, `w${round}x${index}`, Number.MAX_SAFE_INTEGER),
      );
      await until(() => writers.every((writer) => writer.confirmed.length > 0 || writer.complaint() !== ''));
      await sleep((round * 7) % 23);
      for (const { child } of writers) child.kill('SIGKILL');
      await Promise.all(writers.map((writer) => writer.ended));
      expect(writers.map((writer) => writer.complaint()).join('')).toBe('');
      // What was confirmed is there; at most what was under way came on top of it.
      const highest = Math.max(...writers.flatMap((writer) => writer.confirmed));
      const generation = await wholeGeneration(type, options);
      expect(generation).toBeGreaterThanOrEqual(highest);
      expect(generation).toBeLessThanOrEqual(highest + count);
    }
  });
});

async function until(holds: () => boolean): Promise<void> {
  for (let waited = 0; !holds(); waited += 5) {
    if (waited > 15_000) throw new Error('The writers did not write.');
    await sleep(5);
  }
}
