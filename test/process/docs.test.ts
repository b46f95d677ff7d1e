import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEmulator } from '../../src/emulator/emulator.ts';
import type { Emulator } from '../../src/emulator/emulator.ts';
import { fencesOf, shown } from './fences.ts';

const ROOT = join(import.meta.dirname, '../..');
const pages = ['README.md', 'docs/operations.md'];

let folder: string;
let emulator: Emulator;
const children: ChildProcess[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rekeyd-docs-'));
  const seed = { groups: [{ credentials: 1, description: 'shop (prod)' }] };
  emulator = await createEmulator({ seed });
  await mkdir(join(folder, 'bin'));
  const rekeyd = `exec '${process.execPath}' '${join(ROOT, 'bin/rekeyd.js')}' "$@"`;
  await script('rekeyd', rekeyd);
  // in a checkout `npx rekeyd` is the checkout's: the same, from a folder that is none
  await script('npx', `test "$1" = rekeyd || exit 99; shift; ${rekeyd}`);
});
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  await emulator.close();
  await rm(folder, { recursive: true, force: true });
});

async function script(name: string, text: string): Promise<void> {
  const path = join(folder, 'bin', name);
  await writeFile(path, `#!/bin/sh\n${text}\n`);
  await chmod(path, 0o755);
}

function environment(): Record<string, string> {
  const { url, tokenUrl, bootstrap } = emulator;
  return {
    PATH: `${join(folder, 'bin')}${delimiter}${process.env['PATH'] ?? ''}`,
    HOME: folder,
    DATA8_BASE_URL: url,
    DATA8_TOKEN_URL: tokenUrl,
    DATA8_CLIENT_ID: bootstrap.clientId,
    DATA8_CLIENT_SECRET: bootstrap.clientSecret ?? '',
  };
}

function start(command: string, args: readonly string[], cwd: string, env: NodeJS.ProcessEnv) {
  const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  children.push(child);
  const said = { out: '', err: '' };
  child.stdout.on('data', (part) => (said.out += String(part)));
  child.stderr.on('data', (part) => (said.err += String(part)));
  const ended = new Promise<number | null>((resolve) => child.on('close', (code) => resolve(code)));
  return { child, said, ended };
}

describe.each(pages)('%s', (page) => {
  it('shows commands that work, and what they print', async () => {
    const cwd = await mkdtemp(join(folder, 'page-'));
    const fences = fencesOf(join(ROOT, page));
    expect(fences.filter((each) => each.kind === 'run')).not.toEqual([]);
    for (const fence of fences) {
      if (fence.kind === 'file') await writeFile(join(cwd, fence.name), fence.text);
      else {
        for (const { command, output } of fence.commands) {
          const { said, ended } = start('/bin/sh', ['-c', command], cwd, environment());
          expect(await ended, `${command}\n${said.err}`).toBe(0);
          if (output.length === 0) continue;
          expect(said.out.replace(/\n?$/, '\n'), command).toMatch(shown(output));
        }
      }
    }
  });
});

describe('a shown output', () => {
  it('matches what is printed, and nothing else', () => {
    expect('a  1\nb\nc 2\n').toMatch(shown(['a 1', '…', 'c …']));
    expect('a 1\n').toMatch(shown(['a 1', '…']));
    expect('a 1\nx\n').not.toMatch(shown(['a 1']));
    expect('a 2\n').not.toMatch(shown(['a 1']));
    expect('a.1\n').not.toMatch(shown(['a?1']));
  });
});

describe('npm start', () => {
  it('shows a scan, a rotation, delivery, verification and deletion within 60 s, and stops at Ctrl-C with 0', async () => {
    const before = Date.now();
    const temporary = await mkdtemp(join(folder, 'tmp-'));
    const { child, said, ended } = start('npm', ['start'], ROOT, { ...process.env, TMPDIR: temporary });
    const wanted = ['scan-finished', 'rotation-intended', 'secret-verified', 'entry-delivered', 'secret-retired'];
    for (;;) {
      if (wanted.every((event) => said.out.includes(event))) break;
      expect(child.exitCode, said.out + said.err).toBeNull();
      expect(
        Date.now() - before,
        `still to come: ${wanted.filter((each) => !said.out.includes(each)).join()}`,
      ).toBeLessThan(60_000);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    const [, url = ''] = /^ +HTTP +(\S+)/m.exec(said.out) ?? [];
    const [, token = ''] = /^ +token +(\S+)/m.exec(said.out) ?? [];
    const answer = await fetch(`${url}/v1/credentials`, { headers: { authorization: `Bearer ${token}` } });
    expect(answer.status).toBe(200);
    // npm hands the signal on, as a terminal gives it to both
    child.kill('SIGINT');
    expect(await ended, said.out + said.err).toBe(0);
    expect(said.out).toContain('rekeyd has stopped');
    // what npm and Node keep there is theirs
    expect((await readdir(temporary)).filter((name) => name.startsWith('rekeyd'))).toEqual([]);
  });
});
