import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { EntryRef } from '../../src/vaults/contract.ts';
import { directoryVaultType } from '../../src/vaults/directory.ts';
import { encodeEntryName } from '../../src/vaults/entry-name.ts';
import { asAnotherUser } from './another-user.ts';
import { createTestContext } from './vault-context.ts';
import type { VaultFixture } from './vault-fixture.ts';
import { describeVaultSuite } from './vault-suite.ts';

async function open(): Promise<VaultFixture> {
  const root = mkdtempSync(join(tmpdir(), 'rekeyd-directory-vault-'));
  const path = join(root, 'secrets');
  const options = { path, mode: '0600', uid: null, gid: null };
  const context = createTestContext();
  const inner = await directoryVaultType.create(options, context);
  const before = new Map<string, string>();
  const file = (ref: EntryRef): string => join(path, ref.entry);
  // A person can only bring back what was kept: every content is copied as it is replaced.
  const vault = new Proxy(inner, {
    get: (target, key) => {
      const member: unknown = Reflect.get(target, key, target);
      if (typeof member !== 'function') return member;
      return (...given: [EntryRef, ...unknown[]]): unknown => {
        if (key === 'deliver') keep(given[0]);
        return Reflect.apply(member, target, given) as unknown;
      };
    },
  });
  const keep = (ref: EntryRef): void => {
    try {
      before.set(ref.entry, readFileSync(file(ref), 'utf8'));
    } catch {
      before.delete(ref.entry); // nothing is there yet
    }
  };

  return {
    vault,
    type: directoryVaultType,
    makeRef: (label) => ({ entry: `team-a/${label}/client.env`, options: {} }),
    printed: () => context.printed(),
    editByHand: (ref, content) => writeFileSync(file(ref), content),
    removeMark: (ref) => rmSync(join(path, '.rekeyd', `${encodeEntryName(ref.entry)}.json`)),
    rollBack: (ref) => writeFileSync(file(ref), before.get(ref.entry)!),
    rollBackAndForth: (ref) => {
      const now = readFileSync(file(ref));
      for (const content of [before.get(ref.entry)!, now]) writeFileSync(file(ref), content);
    },
    makeEmpty: (ref) => writeFileSync(file(ref), ''),
    putForeign: (ref, content) => {
      mkdirSync(dirname(file(ref)), { recursive: true });
      writeFileSync(file(ref), content);
    },
    deny: () => asAnotherUser(path),
    close: async () => {
      await vault.close();
      rmSync(root, { recursive: true });
    },
  };
}

describeVaultSuite('directory', {
  open,
  capabilities: { compareAndSet: false, readable: true, map: false },
  lacks: {
    lag: 'files are seen as soon as they are written',
    addForeignMetadata: 'a plain file has no metadata of others',
    second: 'two writers without compare-and-set are repaired in a resync',
  },
});
