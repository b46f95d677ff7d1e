import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { open } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seededClientId } from '../../src/emulator/seed.ts';
import { EmulatedIssuer } from './emulated-issuer.ts';
import { ISSUER, settled, Site } from './site.ts';

const BINARY = fileURLToPath(new URL('../../bin/rekeyd.js', import.meta.url));
const KEY = 'output';
const CLIENT = seededClientId(KEY, 1);

/** Where what is printed is lost, as a shell does it; each tells the exit code of the command on stderr. */
const LOST = {
  'a reader that is gone': '{ "$@"; echo "exit $?" >&2; } | :',
  'a full disk': '{ "$@" > /dev/full; echo "exit $?" >&2; }',
} as const;

const config = `instance: output
ledger: { type: sqlite, path: ./rekeyd.db }
http: { port: 0, socket: ./rekeyd.sock }
${ISSUER}vaults:
  plain: { type: directory, path: ./plain }
policies:
  default: { lifetime: 2h, renewBefore: 1h, grace: 30m, provisional: 20s, verify: { timeout: 10s, settle: 0s } }
credentials:
  - { issuer: data8, match: { description: "{app} (prod)" }, deliver: [{ vault: plain, name: "{app}.json" }] }
`;

let issuer: EmulatedIssuer;
let site: Site;
let env: NodeJS.ProcessEnv;
beforeAll(async () => {
  issuer = await EmulatedIssuer.start({ seed: { key: KEY, groups: [{ credentials: 1, description: 'crm (prod)' }] } });
  site = await Site.open(issuer.env, config);
  env = { PATH: process.env['PATH'], REKEYD_CONFIG: site.config, ...issuer.env };
  const filled = await site.run(['once']);
  expect(filled.code, filled.err).toBe(0);
}, 60_000);
afterAll(async () => {
  await site.close();
  await issuer.stop();
});

async function losing(where: keyof typeof LOST, args: readonly string[]): Promise<{ code: number; err: string }> {
  const command = [process.execPath, BINARY, ...args];
  const { stderr } = await promisify(execFile)('/bin/sh', ['-c', LOST[where], 'sh', ...command], {
    cwd: site.folder,
    env,
  });
  const [, code = ''] = /^exit (\d+)$/m.exec(stderr) ?? [];
  return { code: Number(code), err: stderr.replace(/^exit \d+\n/m, '') };
}

describe.each(['a reader that is gone', 'a full disk'] as const)('output that is lost to %s', (where) => {
  const told = where === 'a full disk' ? /^rekeyd: stdout cannot be written \(.*ENOSPC\).*\n$/ : /^$/;

  it.each([
    [['read', 'plain', 'crm.json']],
    [['plan', '--json']],
    [['data8', 'secrets', 'list', CLIENT]],
    [['--help']],
  ])('%j: exits 1', async (args) => {
    const { code, err } = await losing(where, args);
    expect(code).toBe(1);
    expect(err).toMatch(told);
  });

  it('data8 secrets create: exits 1, and says which secret is to be deleted, for nobody has its value', async () => {
    const { code, err } = await losing(where, ['data8', 'secrets', 'create', CLIENT, '--description', where]);
    expect(code).toBe(1);
    const made = issuer.truth().find(({ description }) => description === where);
    expect(err).toContain(`rekeyd data8 secrets delete ${CLIENT} ${made?.clientSecretId ?? 'nothing'}`);
    expect(err).not.toContain('the value is shown this once');
  });

  it('once: exits 0, for its work is done', async () => {
    issuer.requests();
    const { code, err } = await losing(where, ['once']);
    expect({ code, err }).toEqual({ code: 0, err: expect.stringMatching(told) as string });
    expect(issuer.requests().map(({ operation }) => operation)).toContain('listCredentials');
  });
});

it('run goes on where its log cannot be written, says so once, and ends with 0', async () => {
  const full = await open('/dev/full', 'w');
  const daemon = spawn(process.execPath, [BINARY, 'run'], {
    cwd: site.folder,
    env,
    stdio: ['ignore', full.fd, 'pipe'],
  });
  let err = '';
  daemon.stderr?.on('data', (part) => (err += String(part)));
  const ended = once(daemon, 'close');
  try {
    const isUp = async () => ((await site.run(['health'])).code === 0 ? [] : ['it does not answer']);
    expect(await settled(isUp, 30_000)).toEqual([]);
  } finally {
    daemon.kill('SIGTERM');
    await full.close();
  }
  expect(await ended).toEqual([0, null]);
  expect(err).toMatch(/^rekeyd: stdout cannot be written \(.*ENOSPC\).*\n$/);
});
