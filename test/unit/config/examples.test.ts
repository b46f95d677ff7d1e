import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { loadSettings } from '../../../src/config/load.ts';
import { issuerTypes } from '../../../src/issuers/registry.ts';
import { ledgerTypes } from '../../../src/ledger/registry.ts';
import { vaultTypes } from '../../../src/vaults/registry.ts';

const FOLDER = 'config/examples';
const examples = readdirSync(FOLDER).filter((name) => name.endsWith('.yaml'));
const backends = { issuers: issuerTypes, vaults: vaultTypes, ledgers: ledgerTypes };

/** A value for each variable that a text names without a default. */
function environmentOf(text: string): Record<string, string> {
  const names = [...text.matchAll(/\$\{([A-Z][A-Z0-9_]*)\}/g)].map(([, name = '']) => name);
  return Object.fromEntries(
    names.map((name) => [name, name.endsWith('_URL') ? 'https://example.test' : 'a value of some length']),
  );
}

/** Files that an example takes values from (`${file:…}`) are not here. */
async function readExample(path: string): Promise<Buffer> {
  return path.endsWith('.yaml') ? readFile(path) : Buffer.from('a value out of a file');
}

describe('config/examples', () => {
  it.each(examples)('%s: loads', async (name) => {
    const path = `${FOLDER}/${name}`;
    const env = environmentOf(await readFile(path, 'utf8'));
    const settings = await loadSettings([path], { env, readFile: readExample, backends });
    expect(settings.vaults.size).toBeGreaterThan(0);
  });

  it.each(examples)('%s: names the JSON Schema for editors, and is valid by it', async (name) => {
    const text = await readFile(`${FOLDER}/${name}`, 'utf8');
    expect(text.split('\n')[0]).toBe('# yaml-language-server: $schema=../rekeyd.schema.json');
    const schema = JSON.parse(await readFile('config/rekeyd.schema.json', 'utf8')) as object;
    const ajv = new Ajv({ strict: true, strictTypes: false, strictRequired: false, allErrors: true });
    expect(ajv.validate(schema, parse(text)), ajv.errorsText()).toBe(true);
  });
});
