import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { LedgerType } from '../../../src/ledger/contract.ts';
import { ledgerTypes } from '../../../src/ledger/registry.ts';

describe('the registry of ledgers', () => {
  it('names every type in the folder, and each file is named after its type', async () => {
    const folder = new URL('../../../src/ledger/', import.meta.url);
    const files = readdirSync(folder).filter((file) => file.endsWith('.ts'));
    const inFolder = new Map<string, unknown>();
    for (const file of files) {
      if (['contract.ts', 'records.ts', 'registry.ts'].includes(file)) continue;
      const module = (await import(new URL(file, folder).href)) as Readonly<Record<string, unknown>>;
      const name = file.slice(0, -'.ts'.length);
      inFolder.set(name, module[`${name}LedgerType`]);
    }
    expect(new Map<string, LedgerType>(ledgerTypes)).toEqual(inFolder);
    for (const [name, type] of ledgerTypes) expect(type.type).toBe(name);
  });

  it('gives sqlite its default path, made absolute by whoever loads the configuration', () => {
    const sqlite = ledgerTypes.get('sqlite');
    expect(sqlite?.schema.parse({})).toEqual({ path: './var/rekeyd.db' });
    expect(sqlite?.paths).toEqual(['path']);
  });

  it.each([
    ['sqlite', { path: '' }],
    ['sqlite', { path: 5 }],
    ['sqlite', { file: './x' }],
    ['memory', { path: './x' }],
  ])('refuses options of %s that it does not know: %j', (name, options) => {
    expect(ledgerTypes.get(name)?.schema.safeParse(options).success).toBe(false);
  });
});
