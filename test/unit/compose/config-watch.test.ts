import { mkdir, mkdtemp, rename, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { backends } from '../../../src/compose/backends.ts';
import { ConfigFiles } from '../../../src/compose/config-files.ts';
import { ConfigWatch } from '../../../src/compose/config-watch.ts';

let folder: string;
let watch: ConfigWatch;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rekeyd-watch-'));
  watch = new ConfigWatch();
});
afterEach(() => rm(folder, { recursive: true }));

const at = (...names: string[]) => join(folder, ...names);
const config = (more = '') => `instance: test
issuers:
  data8: { type: data8, baseUrl: "https://x.example", clientId: a, clientSecret: "\${file:secret}" }
${more}`;

/** As at the start: both files are watched. */
async function loaded(folderOf = folder): Promise<ConfigFiles> {
  const files = new ConfigFiles([join(folderOf, 'rekeyd.yaml')], { env: {}, backends });
  const result = await files.load();
  expect('error' in result ? result.error.message : '').toBe('');
  watch.loaded(result.seen);
  return files;
}

async function looks(times: number): Promise<boolean[]> {
  const seen: boolean[] = [];
  for (let each = 0; each < times; each += 1) seen.push(await watch.look());
  return seen;
}

describe('the files of a configuration', () => {
  beforeEach(async () => {
    await writeFile(at('secret'), 'one');
    await writeFile(at('rekeyd.yaml'), config());
  });

  it('are left alone while they stay, written again with the same included', async () => {
    await loaded();
    expect(await looks(3)).toEqual([false, false, false]);
    await writeFile(at('rekeyd.yaml'), config());
    expect(await looks(3)).toEqual([false, false, false]);
  });

  it('count as changed at the second look that sees the same: the configuration, and what it reads', async () => {
    await loaded();
    await writeFile(at('secret'), 'two');
    expect(await looks(2)).toEqual([false, true]);
    await loaded();
    await writeFile(at('rekeyd.yaml'), config('mode: observe\n'));
    expect(await looks(2)).toEqual([false, true]);
  });

  it('a file that is being written is waited for', async () => {
    await loaded();
    await writeFile(at('rekeyd.yaml'), '');
    expect(await watch.look()).toBe(false);
    await writeFile(at('rekeyd.yaml'), config('mode: obs'));
    expect(await watch.look()).toBe(false);
    await writeFile(at('rekeyd.yaml'), config('mode: observe\n'));
    expect(await looks(2)).toEqual([false, true]);
  });

  it('a change that is taken back is none', async () => {
    await loaded();
    await writeFile(at('rekeyd.yaml'), config('mode: observe\n'));
    expect(await watch.look()).toBe(false);
    await writeFile(at('rekeyd.yaml'), config());
    expect(await looks(3)).toEqual([false, false, false]);
  });

  it('a mounted folder whose symlink is swapped, as Kubernetes does it', async () => {
    for (const [name, secret] of [
      ['..1', 'one'],
      ['..2', 'two'],
    ] as const) {
      await mkdir(at('mount', name), { recursive: true });
      await writeFile(at('mount', name, 'rekeyd.yaml'), config());
      await writeFile(at('mount', name, 'secret'), secret);
    }
    await symlink('..1', at('mount', '..data'));
    for (const name of ['rekeyd.yaml', 'secret']) await symlink(join('..data', name), at('mount', name));
    await loaded(at('mount'));
    expect(await looks(2)).toEqual([false, false]);
    await symlink('..2', at('mount', '..data_tmp'));
    await rename(at('mount', '..data_tmp'), at('mount', '..data'));
    await rm(at('mount', '..1'), { recursive: true });
    expect(await looks(2)).toEqual([false, true]);
  });

  it('one that is gone is a change, and one that comes again, and what is refused is not loaded again and again', async () => {
    const files = await loaded();
    await unlink(at('secret'));
    expect(await looks(2)).toEqual([false, true]);
    const refused = await files.loadAgain();
    expect('error' in refused ? refused.error.message : '').toContain('cannot be read (ENOENT)');
    watch.loaded(refused.seen);
    expect(await looks(3)).toEqual([false, false, false]);
    await writeFile(at('secret'), 'three');
    expect(await looks(2)).toEqual([false, true]);
  });

  it('what is no regular file is read once, and never waited for', { timeout: 5_000 }, async () => {
    const files = await loaded();
    await unlink(at('secret'));
    execFileSync('mkfifo', [at('secret')]);
    expect(await looks(3)).toEqual([false, false, false]);
    const refused = await files.loadAgain();
    expect('error' in refused ? refused.error.message : '').toContain('cannot be read (no regular file)');
  });
});
