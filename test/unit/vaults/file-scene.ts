import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect } from 'vitest';
import { ConfigError } from '../../../src/domain/errors.ts';
import { ABSENT } from '../../../src/vaults/contract.ts';
import type { Vault } from '../../../src/vaults/contract.ts';
import { encodeEntryName } from '../../../src/vaults/entry-name.ts';
import { fileVaultType } from '../../../src/vaults/file.ts';
import { createTestContext } from '../../conformance/vault-context.ts';
import { numberedMark, numberedPayload } from './numbered.ts';

export const ref = { entry: 'prod/orders', options: {} };

/** The message with which opening is refused. */
export async function refusal(opening: Promise<unknown>): Promise<string> {
  const error: unknown = await opening.catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(ConfigError);
  return (error as ConfigError).message;
}

/** Delivers one generation. @returns its version. */
export async function deliver(vault: Vault, generation: number, expected = ABSENT): Promise<string> {
  const { version } = await vault.deliver(
    ref,
    numberedPayload(generation, 'a'),
    numberedMark(generation, 'a'),
    expected,
  );
  return version;
}

/** A folder to put a file vault into, which is not made yet: a new one for each test of the file that calls it. */
export function fileScene() {
  let root: string;
  let options: { path: string; key: string };
  let seed = 0;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'rekeyd-file-'));
    options = { path: join(root, 'var', 'vault'), key: join(root, 'keys', 'vault.key') };
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));
  const context = () => createTestContext('local', ++seed);
  const folder = (): string => join(options.path, encodeEntryName(ref.entry));
  return {
    get root() {
      return root;
    },
    get options() {
      return options;
    },
    context,
    open: (): Promise<Vault> => fileVaultType.create(options, context()),
    /** Of the entry. */
    folder,
    versions: (): string[] => readdirSync(folder()).sort(),
  };
}
