import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';

const MODULE = pathToFileURL('src/compose/small-heap.ts').href;
const SMALL = `import(${JSON.stringify(MODULE)}).then(({ keepHeapSmall }) => keepHeapSmall())`;

/** What V8 compares compiled code with: with another tag, it throws that of Node's own modules away. */
function tagOf(flags: readonly string[], before = 'Promise.resolve()'): string {
  const program = `${before}.then(() => process.stdout.write(String(require('node:v8').cachedDataVersionTag())))`;
  const { stdout, stderr, status } = spawnSync(process.execPath, [...flags, '-e', program], { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return stdout;
}

/** The flags in the line of a file that begins with `start`. */
function flagsIn(file: string, start: string): string[] {
  const line = readFileSync(file, 'utf8')
    .split('\n')
    .find((each) => each.startsWith(start));
  return line?.match(/(?<= |')--[a-z][\w=-]*/g) ?? [];
}

const IMAGE = flagsIn('packaging/rekeyd.sh', 'exec node');
const ANEW = flagsIn('bin/rekeyd.js', 'const SMALL_HEAP =');

describe('a small heap', () => {
  it('is told on the command line only as far as V8 keeps what it has compiled of Node', () => {
    expect(ANEW).not.toEqual([]);
    expect(IMAGE).toEqual(expect.arrayContaining(ANEW));
    expect(tagOf(IMAGE)).toBe(tagOf([]));
    expect(tagOf(ANEW)).toBe(tagOf([]));
  });

  it('is told the rest by the program, which V8 takes', () => {
    const told = tagOf(['--heap-growing-percent=30']);
    expect(told).not.toBe(tagOf([]));
    expect(tagOf([], SMALL)).toBe(told);
  });

  it('leaves what a person has told node', () => {
    for (const flag of ['--heap-growing-percent=50', '--heap_growing_percent=50']) {
      expect(tagOf([flag], SMALL)).toBe(tagOf([flag]));
    }
  });
});
