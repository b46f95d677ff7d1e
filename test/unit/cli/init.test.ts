import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { backends } from '../../../src/compose/backends.ts';
import { loadSettings } from '../../../src/config/load.ts';
import { createMatcher } from '../../../src/config/match.ts';
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
    const vm = { type: 'directory', options: { path: '/run/x' }, timeout: 1, requestsPerSecond: 1, readBack: 1 };
    const settings = settingsFor({ vaults: new Map([['vm', vm]]) });
    const ran = await cli(['init', '-c', 'old.yaml', '-o', 'new.yaml'], { issuers: listing(named), settings });
    expect(ran.code).toBe(0);
    const written: unknown = parse(await readFile('new.yaml', 'utf8'));
    expect(written).toMatchObject({
      instance: 'stage',
      issuers: { main: { baseUrl: '${URL}', clientSecret: '${file:/run/x}' } },
      vaults: { vm: { type: 'directory' } },
      credentials: [{ deliver: [{ vault: 'vm' }] }],
    });
  });

  it('makes the folder of the file, as the documentation has it written to config/', async () => {
    const ran = await cli(['init', '-o', 'config/new/rekeyd.yaml'], { env, issuers: listing(named) });
    expect(ran.code, ran.err).toBe(0);
    expect(parse(await readFile('config/new/rekeyd.yaml', 'utf8'))).toMatchObject({ instance: 'prod' });
  });

  it('merges several configurations as the daemon does, and keeps what stands for an instance', async () => {
    await writeFile(
      'base.yaml',
      'instance: "${INST:-aud2}"\nissuers:\n  main: { type: data8, baseUrl: "https://api.example", clientId: a, clientSecret: s }\nvaults:\n  vm: { type: directory, path: /run/x }\n',
    );
    await writeFile(
      'later.yaml',
      'issuers:\n  main: { timeout: 5s }\nvaults:\n  aws: { type: aws-secrets-manager, region: eu-west-2 }\n',
    );
    const issuers = { main: listing(named).data8 };
    const settings = await loadSettings(['base.yaml', 'later.yaml'], { readFile, env: {}, backends });
    const ran = await cli(['init', '-c', 'base.yaml', '-c', 'later.yaml'], { issuers, settings });
    expect(ran.code, ran.err).toBe(0);
    expect(ran.loaded).toEqual([['base.yaml', 'later.yaml']]);
    const written = parse(ran.out) as { vaults: object };
    expect(written).toMatchObject({
      instance: '${INST:-aud2}',
      issuers: { main: { type: 'data8', baseUrl: 'https://api.example', clientId: 'a', timeout: '5s' } },
      credentials: [{ deliver: [{ vault: 'vm', name: 'data8/{name}' }] }],
    });
    expect(Object.keys(written.vaults)).toEqual(['vm', 'aws']);
  });

  it('says where a configuration cannot be read', async () => {
    await writeFile('bad.yaml', 'issuers: { a\n');
    const ran = await cli(['init', '-c', 'bad.yaml'], { env });
    expect(ran.code).toBe(2);
    expect(ran.err).toContain('bad.yaml:');
  });

  it.each([
    ['file', 'path: ./v, key: ./k', { name: 'data8/crm' }],
    ['aws-secrets-manager', 'region: eu-west-2', { name: 'data8/crm' }],
    ['azure-key-vault', 'url: "https://example.vault.azure.net"', { name: 'data8-crm' }],
    ['gcp-secret-manager', 'project: example', { name: 'data8-crm' }],
    ['kubernetes', 'namespace: apps', { name: 'data8-crm' }],
    ['kubernetes', 'timeout: 10s', { name: 'data8-crm', namespace: 'default' }],
  ])('names entries as a vault of type %s has them (%s)', async (type, options, place) => {
    const config = `instance: prod\nissuers:\n  data8: { type: data8, baseUrl: "https://api.example", clientId: a, clientSecret: s }\nvaults:\n  first: { type: ${type}, ${options} }\n`;
    await writeFile('old.yaml', config);
    const sources = { readFile, env: {}, backends };
    for (const credentials of [[{ clientId: 'c1', description: 'CRM' }], named]) {
      const settings = await loadSettings(['old.yaml'], sources);
      const { out } = await cli(['init', '-c', 'old.yaml'], { issuers: listing(credentials), settings });
      await writeFile('new.yaml', out);
      const written = await loadSettings(['new.yaml'], sources);
      const termsOf = createMatcher(written, backends.vaults);
      for (const credential of credentials) {
        expect(termsOf('data8', credential)).toMatchObject({ kind: 'managed', problems: [] });
      }
      const { name, options: own } = written.rules[0]!.deliver[0]!;
      const many = credentials.length > 1;
      expect({ name, ...own }).toEqual(many ? { ...place, name: place.name.replace('crm', '{name}') } : place);
    }
  });

  it('gives each a name of its own where a description is longer than the vault takes', async () => {
    const config =
      'instance: prod\nissuers:\n  data8: { type: data8, baseUrl: "https://a.example", clientId: a, clientSecret: s }\nvaults:\n  first: { type: azure-key-vault, url: "https://example.vault.azure.net" }\n';
    await writeFile('old.yaml', config);
    const sources = { readFile, env: {}, backends };
    const long = [{ clientId: 'c3', description: `${'x'.repeat(130)} (prod)` }, ...named];
    const settings = await loadSettings(['old.yaml'], sources);
    const { out } = await cli(['init', '-c', 'old.yaml'], { issuers: listing(long), settings });
    await writeFile('new.yaml', out);
    const termsOf = createMatcher(await loadSettings(['new.yaml'], sources), backends.vaults);
    for (const credential of long) expect(termsOf('data8', credential)).toMatchObject({ problems: [] });
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
