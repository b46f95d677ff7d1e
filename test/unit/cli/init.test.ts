import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { backends } from '../../../src/compose/backends.ts';
import { loadSettings } from '../../../src/config/load.ts';
import { cli, settingsFor } from './bench.ts';

const env = { DATA8_BASE_URL: 'https://api.example', DATA8_CLIENT_ID: 'admin', DATA8_CLIENT_SECRET: 'canary-value' };
const named = [
  { clientId: 'c1', description: 'CRM (prod)' },
  { clientId: 'c2', description: 'Order Desk (test)' },
];

let folder: string;
let before: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rekeyd-init-test-'));
  before = process.cwd();
  process.chdir(folder); // so that no configuration of the checkout is found
});
afterEach(async () => {
  process.chdir(before);
  await rm(folder, { recursive: true, force: true });
});

function listing(credentials: readonly { clientId: string; description: string }[]) {
  return { data8: { listCredentials: async () => credentials } };
}

describe('init', () => {
  it('writes one rule with captures where all descriptions read App (env), and no secret', async () => {
    const ran = await cli(['init'], { env, issuers: listing(named) });
    expect(ran.code).toBe(0);
    expect(ran.out).not.toContain('canary-value');
    expect(parse(ran.out)).toMatchObject({
      instance: 'prod',
      mode: 'observe',
      issuers: { data8: { type: 'data8', baseUrl: '${DATA8_BASE_URL}', clientSecret: '${DATA8_CLIENT_SECRET}' } },
      vaults: { local: { type: 'file' } },
      credentials: [
        {
          issuer: 'data8',
          match: { description: '{app} ({env})' },
          deliver: [{ vault: 'local', name: 'data8/{name}' }],
        },
      ],
    });
    expect(ran.out).toContain('#   c2  Order Desk (test)');
  });

  it('writes one rule a credential otherwise, with names that differ', async () => {
    const odd = [
      { clientId: 'c1', description: 'CRM' },
      { clientId: 'c2', description: 'crm!' },
      { clientId: 'c3', description: '' },
    ];
    const ran = await cli(['init'], { env, issuers: listing(odd) });
    const written = parse(ran.out) as { credentials: { name: string; match: { clientId: string } }[] };
    expect(written.credentials.map((rule) => [rule.match.clientId, rule.name])).toEqual([
      ['c1', 'crm'],
      ['c2', 'crm-2'],
      ['c3', 'c3'],
    ]);
  });

  it('S7, S1: descriptions cannot break out of their comment, nor stand for a variable', async () => {
    const evil = [{ clientId: 'c1', description: 'x\nmode: active # ${HOME}\u2028mode: active' }];
    const ran = await cli(['init'], { env, issuers: listing(evil) });
    expect(parse(ran.out)).toMatchObject({ mode: 'observe' });
    expect(ran.out).not.toContain('\u2028');
  });

  it('what it writes loads, whatever the account holds', async () => {
    const accounts = [
      [],
      named,
      [...named, { clientId: 'admin', description: 'Own (prod)' }],
      [
        { clientId: 'a*{b}[c]', description: '{x} ${HOME} "quoted" \\ #: - é 漢字' },
        { clientId: '- x: y', description: '' },
      ],
      [
        { clientId: 'long', description: 'x'.repeat(500) },
        { clientId: 'c2', description: 'Same (prod)' },
        { clientId: 'c3', description: 'same (PROD)' },
      ],
    ];
    for (const credentials of accounts) {
      const { out } = await cli(['init'], { env, issuers: listing(credentials) });
      await writeFile('written.yaml', out);
      const settings = await loadSettings(['written.yaml'], { readFile, env, backends });
      expect(settings.rules.length > 0).toBe(credentials.length > 0);
    }
  });

  it('does not have the client rotated that rekeyd logs in with', async () => {
    const settings = settingsFor({ issuers: new Map([['data8', { type: 'data8', options: { clientId: 'admin' } }]]) });
    const issuers = listing([...named, { clientId: 'admin', description: 'Own (prod)' }]);
    const ran = await cli(['init'], { env, issuers, settings });
    expect((parse(ran.out) as { credentials: unknown[] }).credentials).toEqual([
      { issuer: 'data8', match: { clientId: 'admin' }, suspend: true },
      expect.objectContaining({ match: { description: '{app} ({env})' } }),
    ]);
  });

  it('an empty account gives a configuration that only watches', async () => {
    const ran = await cli(['init'], { env, issuers: listing([]) });
    expect(parse(ran.out)).toMatchObject({ issuers: { data8: {} }, credentials: [] });
  });

  it('takes issuers, vaults and instance of an existing configuration as they are written', async () => {
    await writeFile(
      'old.yaml',
      'instance: stage\nissuers:\n  main: { type: data8, baseUrl: "${URL}", clientSecret: "${file:/run/x}" }\nvaults:\n  vm: { type: directory, path: /run/x }\n',
    );
    const ran = await cli(['init', '-c', 'old.yaml', '-o', 'new.yaml'], { issuers: listing(named) });
    expect(ran.code).toBe(0);
    const written: unknown = parse(await readFile('new.yaml', 'utf8'));
    expect(written).toMatchObject({
      instance: 'stage',
      issuers: { main: { baseUrl: '${URL}', clientSecret: '${file:/run/x}' } },
      vaults: { vm: { type: 'directory' } },
      credentials: [{ deliver: [{ vault: 'vm' }] }],
    });
  });

  it('does not overwrite a file', async () => {
    await writeFile('there.yaml', 'mine');
    const ran = await cli(['init', '-o', 'there.yaml'], { env, issuers: listing(named) });
    expect(ran.code).toBe(1);
    expect(await readFile('there.yaml', 'utf8')).toBe('mine');
  });

  it('exits 2 and names what is not set where no issuer is known', async () => {
    const ran = await cli(['init'], { env: { DATA8_BASE_URL: 'https://x' } });
    expect(ran.code).toBe(2);
    expect(ran.err).toContain('DATA8_CLIENT_ID, DATA8_CLIENT_SECRET are not set');
    expect((await cli(['init', '-c', 'missing.yaml'], { env })).code).toBe(2);
  });
});
