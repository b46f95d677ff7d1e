import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

/** As vitest's reporter `json` writes it, as far as it is read. */
interface Told {
  readonly status: 'passed' | 'failed' | 'skipped';
  readonly suite: string;
  readonly title?: string;
}
interface File {
  readonly name: string;
  readonly tests: readonly Told[];
  readonly unloaded?: boolean;
}

describe('.ci/tally.js', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'rekeyd-tally-'));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  function tally(files: readonly File[], output = ''): { readonly lines: string[]; readonly code: number | null } {
    const testResults = files.map(({ name, tests, unloaded }) => ({
      name: resolve(name),
      status: unloaded === true ? 'failed' : 'passed',
      assertionResults: tests.map(({ status, suite, title = 'a test' }) => ({
        status,
        ancestorTitles: [suite],
        fullName: `${suite} ${title}`,
      })),
    }));
    writeFileSync(join(folder, 'report.json'), JSON.stringify({ testResults }));
    writeFileSync(join(folder, 'output'), output);
    const ran = spawnSync(process.execPath, ['.ci/tally.js', join(folder, 'report.json'), join(folder, 'output')], {
      encoding: 'utf8',
    });
    return { lines: ran.stdout.trim().split('\n'), code: ran.status };
  }
  const passed: Told = { status: 'passed', suite: 'the image' };
  const skipped: Told = { status: 'skipped', suite: 'the image' };

  it('counts what passed, what failed and what was skipped; a file that cannot be loaded failed', () => {
    const files = [
      { name: 'test/a.test.ts', tests: [passed, passed, skipped, { ...passed, status: 'failed' }] as const },
      { name: 'test/b.test.ts', tests: [], unloaded: true },
    ];
    expect(tally(files)).toEqual({ lines: ['2 2 1'], code: 0 });
  });

  it('names a suite of which every test was skipped, and why', () => {
    const files = [
      { name: 'test/containers/image.test.ts', tests: [skipped, skipped] },
      { name: 'test/containers/compose.test.ts', tests: [{ ...passed, suite: 'docker-compose.yml' }, skipped] },
    ];
    const output = 'test/containers is skipped: no Docker answers here: not running?\n'.repeat(2);
    expect(tally(files, output).lines).toEqual([
      '1 0 3',
      'test/containers/image.test.ts: the image (2 tests)',
      'test/containers/compose.test.ts: the image (1 test)',
      'why: no Docker answers here: not running?',
    ]);
  });

  it('takes the reason from the name of a test, too', () => {
    const title = '[skipped: promtool is not here]';
    expect(tally([{ name: 'test/a.test.ts', tests: [{ ...skipped, title }] }]).lines).toEqual([
      '0 0 1',
      'test/a.test.ts: the image (1 test)',
      'why: promtool is not here',
    ]);
  });

  it('takes a suite that is skipped without a word for a failure', () => {
    expect(tally([{ name: 'test/a.test.ts', tests: [skipped] }]).lines[0]).toBe('0 1 1');
  });

  it('fails where there is no test at all, and where vitest left no report', () => {
    expect(tally([]).code).toBe(1);
    const { status, stderr } = spawnSync(process.execPath, ['.ci/tally.js', join(folder, 'none'), ''], {
      encoding: 'utf8',
    });
    expect({ status, stderr }).toEqual({ status: 1, stderr: 'vitest ended without a report\n' });
  });
});
