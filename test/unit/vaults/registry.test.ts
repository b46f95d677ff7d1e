import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { vaultTypes } from '../../../src/vaults/registry.ts';

const FOLDER = join(import.meta.dirname, '../../../src/vaults');

/** Files in src/vaults that are no vault, each for a reason. */
const SUPPORT = new Set([
  // what all share
  'contract',
  'registry',
  'guarded',
  'entry-name',
  'mark-fields',
  'fingerprint',
  // what the vaults on this machine's files share
  'durable-file',
  'private-files',
  'system-error',
  'one-at-a-time',
  'vacant',
  // parts of one vault
  'directory-access',
  'directory-options',
  'directory-rights',
  'directory-sidecar',
  'file-document',
  'file-folder',
  'file-key',
  'file-name',
  'file-versions',
  'memory-faults',
  'memory-entries',
  'memory-world',
  'module-shape',
]);

describe('the registry of vaults', () => {
  it('agrees with the folder: each vault file is registered, and nothing else', () => {
    const found = readdirSync(FOLDER, { withFileTypes: true });
    const files = found.filter((one) => one.isFile()).map((one) => one.name.replace(/\.ts$/, ''));
    // a vault may keep its parts in a folder of its name
    for (const folder of found.filter((one) => one.isDirectory())) expect(files).toContain(folder.name);
    const vaults = files.filter((file) => !SUPPORT.has(file));
    expect([...vaultTypes.keys()].sort()).toEqual(vaults.sort());
    expect([...SUPPORT].filter((file) => !files.includes(file))).toEqual([]);
  });

  it.each([...vaultTypes])('%s: is registered under its own name, with paths that its schema knows', (name, type) => {
    expect(type.type).toBe(name);
    const json = z.toJSONSchema(type.schema, { io: 'input' });
    expect(json.additionalProperties).toBe(false);
    for (const path of type.paths) expect(Object.keys(json.properties ?? {})).toContain(path);
  });

  it.each([...vaultTypes])('%s: has a page in docs/vaults', (name) => {
    expect(readdirSync(join(FOLDER, '../../docs/vaults'))).toContain(`${name}.md`);
  });
});
