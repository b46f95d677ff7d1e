import { readFile } from 'node:fs/promises';
import { Ajv } from 'ajv';
import { parse } from 'yaml';
import { describe, expect, it } from 'vitest';
import { generatedFiles } from '../../../src/compose/generate-schema.ts';
import { loadSettings } from '../../../src/config/load.ts';
import { createMatcher } from '../../../src/config/match.ts';
import { issuerTypes } from '../../../src/issuers/registry.ts';
import { ledgerTypes } from '../../../src/ledger/registry.ts';
import { vaultTypes } from '../../../src/vaults/registry.ts';

const EXAMPLE = 'config/rekeyd.example.yaml';
const backends = { issuers: issuerTypes, vaults: vaultTypes, ledgers: ledgerTypes };

describe('files that are made from others', () => {
  it('are up to date (else: npm run generate)', async () => {
    for (const { actual, expected } of await generatedFiles()) expect(actual).toBe(expected);
  });

  it('explain every key', async () => {
    const page = await readFile('docs/configuration.md', 'utf8');
    const unexplained = page.split('\n').filter((line) => /^\| `.*\|\s*\|$/.test(line));
    expect(unexplained).toEqual([]);
  });
});

describe('config/rekeyd.example.yaml', () => {
  const env = {
    DATA8_BASE_URL: 'https://admin.example/api',
    DATA8_CLIENT_ID: 'rekeyd',
    DATA8_CLIENT_SECRET: 'a secret',
    REKEYD_CI_TOKEN: 'a token of some length',
  };

  it('loads', async () => {
    const settings = await loadSettings([EXAMPLE], { env, readFile, backends });
    expect(settings).toMatchObject({ instance: 'example', mode: 'observe', http: { port: 8080 } });
    expect([...settings.vaults.values()].map((vault) => vault.type)).toEqual(['file', 'directory']);
    const matcher = createMatcher(settings, vaultTypes);
    const terms = matcher('data8', { clientId: '3f0c', description: 'Checkout (prod)' });
    expect(terms).toMatchObject({ kind: 'managed', name: 'prod-Checkout', problems: [] });
    expect(terms.kind === 'managed' && terms.destinations.map((destination) => destination.entry)).toEqual([
      'prod/data8/Checkout',
      'prod/data8/Checkout.secret',
      'prod/data8/Checkout.login',
    ]);
    expect(matcher('data8', { clientId: 'legacy-7', description: 'Checkout (prod)' })).toEqual({ kind: 'ignored' });
  });

  it('names what it needs from the environment', async () => {
    await expect(loadSettings([EXAMPLE], { env: {}, readFile, backends })).rejects.toThrow(
      /REKEYD_CI_TOKEN is not set\n.*DATA8_BASE_URL is not set\n.*DATA8_CLIENT_ID is not set\n.*DATA8_CLIENT_SECRET is not set$/,
    );
  });

  it('names the JSON Schema for editors, and is valid by it', async () => {
    const text = await readFile(EXAMPLE, 'utf8');
    expect(text.split('\n')[0]).toBe('# yaml-language-server: $schema=./rekeyd.schema.json');
    const schema = JSON.parse(await readFile('config/rekeyd.schema.json', 'utf8')) as object;
    const ajv = new Ajv({ strict: true, strictTypes: false, strictRequired: false, allErrors: true });
    expect(ajv.validate(schema, parse(text)), ajv.errorsText()).toBe(true);
  });
});
