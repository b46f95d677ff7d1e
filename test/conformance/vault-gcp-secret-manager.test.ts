import type { VaultFixture } from './vault-fixture.ts';
import { gcpSecretManagerVaultType } from '../../src/vaults/gcp-secret-manager.ts';
import { Refused } from '../fakes/gcp-secret-store.ts';
import { openGcpBench } from './gcp-secret-manager-bench.ts';
import { describeVaultSuite } from './vault-suite.ts';

const DENIED = new Refused(403, 'PERMISSION_DENIED', 'Permission denied on resource (or it may not exist).');
/** So many answers lag behind before they show what was written. */
const LATE = 20;

async function open(): Promise<VaultFixture> {
  const bench = await openGcpBench();
  const { service, vault, context } = bench;
  const { store } = service;
  return {
    vault,
    close: () => bench.close(),
    type: gcpSecretManagerVaultType,
    printed: () => context.printed(),
    editByHand: ({ entry }, content) => void store.add(entry, Buffer.from(content), undefined),
    removeMark: ({ entry }) => void store.update(entry, { annotations: {} }, ['annotations']),
    // Google keeps no way back but to add the old value again: `latest` is what was created last.
    rollBack: ({ entry }) => void store.add(entry, store.find(entry).versions.at(-2)!.data, undefined),
    rollBackAndForth: ({ entry }) => {
      for (const { data } of store.find(entry).versions.slice(-2)) store.add(entry, data, undefined);
    },
    makeEmpty: ({ entry }) => store.setState(entry, 'latest', 'DISABLED'),
    putForeign: ({ entry }, content) => {
      store.create(entry, { replication: { automatic: {} } });
      store.add(entry, Buffer.from(content), undefined);
    },
    deny: () => {
      service.interfere = () => ({ refuse: DENIED });
      return () => void (service.interfere = () => null);
    },
    lag: () => {
      service.stale = store.copy();
      let answers = 0;
      service.interfere = () => {
        answers += 1;
        if (answers > LATE) service.stale = null;
        return null;
      };
      return () => void (service.interfere = () => null);
    },
    addForeignMetadata: ({ entry }) => {
      const { annotations, labels } = store.find(entry);
      const more = { annotations: { ...annotations, owner: 'payments' }, labels: { ...labels, team: 'payments' } };
      store.update(entry, more, ['annotations', 'labels']);
      return () => {
        const now = store.find(entry);
        return now.annotations['owner'] === 'payments' && now.labels['team'] === 'payments';
      };
    },
    second: async () => (await bench.another()).vault,
    pass: () => Promise.resolve(),
  };
}

describeVaultSuite('gcp-secret-manager', {
  open,
  capabilities: { compareAndSet: false, readable: true, map: false },
});
