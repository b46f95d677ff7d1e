import { mkdtempSync, rmSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Vault } from '../../src/vaults/contract.ts';
import { moduleVaultType } from '../../src/vaults/module.ts';
import { createTestContext } from './vault-context.ts';
import type { VaultFixture } from './vault-fixture.ts';
import { describeVaultSuite } from './vault-suite.ts';

const EXAMPLE = join(import.meta.dirname, '../../config/examples/my-vault.ts');

/** The example of docs/vaults/module.md, loaded from its path as a user's module is. */
async function open(): Promise<VaultFixture> {
  const root = mkdtempSync(join(tmpdir(), 'rekeyd-module-vault-'));
  const path = join(root, 'secrets.db');
  const contexts = [createTestContext('under-test', 1), createTestContext('under-test', 2)] as const;
  const create = (context: (typeof contexts)[number]): Promise<Vault> =>
    moduleVaultType.create({ module: EXAMPLE, options: { database: path } }, context);
  const vault = await create(contexts[0]);
  const database = new DatabaseSync(path);

  return {
    vault,
    type: moduleVaultType,
    printed: () => contexts[0].printed(),
    editByHand: (ref, content) => {
      database.prepare('UPDATE secret SET value = ?, version = version + 1 WHERE entry = ?').run(content, ref.entry);
    },
    removeMark: (ref) => {
      database.prepare('UPDATE secret SET mark = NULL, fingerprint = NULL WHERE entry = ?').run(ref.entry);
    },
    makeEmpty: (ref) => {
      database.prepare('UPDATE secret SET value = NULL, version = version + 1 WHERE entry = ?').run(ref.entry);
    },
    putForeign: (ref, content) => {
      database.prepare("INSERT INTO secret VALUES (?, 1, 'opaque', ?, NULL, NULL)").run(ref.entry, content);
    },
    second: () => create(contexts[1]),
    close: async () => {
      database.close();
      await vault.close();
      rmSync(root, { recursive: true });
    },
  };
}

describeVaultSuite('module (the example)', {
  open,
  capabilities: { compareAndSet: true, readable: true, map: false },
  lacks: {
    lag: 'the example reads what was written last',
    rollBack: 'the example keeps no older values',
    rollBackAndForth: 'the example keeps no older values',
    deny: 'the example has no rights of its own',
    addForeignMetadata: 'a row of the example has no metadata of others',
  },
});
