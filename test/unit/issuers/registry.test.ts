import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { issuerTypes } from '../../../src/issuers/registry.ts';

describe('the registry of issuers', () => {
  it('agrees with the folder: a file for each type, a type for each file', () => {
    const files = readdirSync(new URL('../../../src/issuers/', import.meta.url), { withFileTypes: true })
      .filter((file) => file.isFile() && !['contract.ts', 'registry.ts'].includes(file.name))
      .map((file) => file.name.replace(/\.ts$/, ''));
    expect([...issuerTypes.keys()].sort()).toEqual(files.sort());
  });

  it('has each type under its own name', () => {
    for (const [name, type] of issuerTypes) expect(type.type).toBe(name);
  });
});
