import { azureKeyVaultType } from '../../src/vaults/azure-key-vault.ts';
import { failed } from '../fakes/azure-key-vault-http.ts';
import { openAzureBench } from './azure-key-vault-bench.ts';
import type { VaultFixture } from './vault-fixture.ts';
import { describeVaultSuite } from './vault-suite.ts';

async function open(): Promise<VaultFixture> {
  const bench = await openAzureBench();
  const { server, context, vault } = bench;
  const { store } = server;
  const ours = (name: string): boolean => name.startsWith('rekeyd-');

  return {
    vault,
    type: azureKeyVaultType,
    printed: () => context.printed(),
    pass: (milliseconds) => context.clock.advance(milliseconds),
    editByHand: ({ entry }, value) => void store.set(entry, { value, tags: store.current(entry).tags }),
    removeMark: ({ entry }) => {
      const version = store.current(entry);
      version.tags = Object.fromEntries(Object.entries(version.tags).filter(([name]) => !ours(name)));
    },
    // What is brought back is a new version with the old value and tags: Key Vault has no other way.
    rollBack: ({ entry }) => {
      const before = store.versions(entry).at(-2)!;
      store.set(entry, { value: before.value, tags: before.tags });
    },
    rollBackAndForth: ({ entry }) => {
      for (const { value, tags } of store.versions(entry).slice(-2)) store.set(entry, { value, tags });
    },
    makeEmpty: ({ entry }) => {
      store.current(entry).attributes.enabled = false;
    },
    putForeign: ({ entry }, value) => void store.set(entry, { value, tags: { 'file-encoding': 'utf-8' } }),
    addForeignMetadata: ({ entry }) => {
      store.current(entry).tags['team'] = 'checkout';
      return () => store.current(entry).tags['team'] === 'checkout';
    },
    deny: () => {
      server.interfere = () => failed(403, 'Forbidden', 'ForbiddenByRbac');
      return () => {
        server.interfere = () => null;
      };
    },
    lag: () => {
      store.lag = 3;
      return () => {
        store.lag = 0;
      };
    },
    close: () => bench.close(),
  };
}

describeVaultSuite('azure-key-vault', {
  open,
  capabilities: { compareAndSet: false, readable: true, map: false },
  lacks: { second: 'two writers without compare-and-set are repaired in a resync' },
});
