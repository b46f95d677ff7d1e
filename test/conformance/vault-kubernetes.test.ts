import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EntryRef } from '../../src/vaults/contract.ts';
import { kubernetesVaultType } from '../../src/vaults/kubernetes.ts';
import { FakeKubernetes } from '../fakes/kubernetes-http.ts';
import type { FakeSecret } from '../fakes/kubernetes-http.ts';
import { createTestContext } from './vault-context.ts';
import type { VaultFixture } from './vault-fixture.ts';
import { describeVaultSuite } from './vault-suite.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** The same suite runs on a real API server in test/servers/vault-kubernetes.test.ts. */
async function open(): Promise<VaultFixture> {
  const fake = await FakeKubernetes.start();
  const folder = mkdtempSync(join(tmpdir(), 'rekeyd-kubernetes-fake-'));
  const kubeconfig = join(folder, 'kubeconfig.yaml');
  writeFileSync(kubeconfig, fake.kubeconfig());
  const options = { namespace: 'apps', kubeconfig, context: null, cluster: null };
  const context = createTestContext();
  const inner = await kubernetesVaultType.create(options, context);
  const before = new Map<string, FakeSecret>();
  // A person can only bring back what was kept: every Secret is copied as it is replaced.
  const vault = new Proxy(inner, {
    get: (target, key) => {
      const member: unknown = Reflect.get(target, key, target);
      if (key !== 'deliver') return typeof member === 'function' ? (member.bind(target) as unknown) : member;
      return (...given: Parameters<typeof inner.deliver>) => {
        const there = fake.secrets.get(given[0].entry);
        if (there !== undefined) before.set(given[0].entry, structuredClone(there));
        return target.deliver(...given);
      };
    },
  });
  const change = (ref: EntryRef, work: (secret: FakeSecret) => void): void => fake.edit(ref.entry, work);

  return {
    vault,
    type: kubernetesVaultType,
    makeRef: (label) => ({ entry: kubernetesVaultType.entryOf(label, {}, options), options: {} }),
    printed: () => context.printed(),
    editByHand: (ref, content) =>
      change(ref, (secret) => {
        secret.data['clientSecret'] = base64(content);
      }),
    removeMark: (ref) =>
      change(ref, ({ metadata }) => {
        metadata.labels = {};
        metadata.annotations = {};
      }),
    rollBack: (ref) =>
      change(ref, (secret) => {
        const old = before.get(ref.entry)!;
        secret.data = old.data;
        secret.metadata.labels = old.metadata.labels;
        secret.metadata.annotations = old.metadata.annotations;
      }),
    rollBackAndForth: (ref) => {
      const now = structuredClone(fake.secrets.get(ref.entry)!);
      for (const old of [before.get(ref.entry)!, now]) {
        change(ref, (secret) => {
          secret.data = { ...old.data };
          secret.metadata.labels = { ...old.metadata.labels };
          secret.metadata.annotations = { ...old.metadata.annotations };
        });
      }
    },
    makeEmpty: (ref) =>
      change(ref, (secret) => {
        secret.data = {};
      }),
    putForeign: (ref, content) => fake.put('apps', ref.entry.slice('apps/'.length), { value: base64(content) }),
    deny: () => {
      fake.allows = () => false;
      return () => {
        fake.allows = () => true;
      };
    },
    addForeignMetadata: (ref) => {
      change(ref, ({ metadata, data }) => {
        metadata.labels['team'] = 'a';
        metadata.annotations['example.com/note'] = 'of somebody else';
        data['theirs'] = base64('of somebody else');
      });
      return () => {
        const { metadata, data } = fake.secrets.get(ref.entry)!;
        const note = metadata.annotations['example.com/note'];
        return metadata.labels['team'] === 'a' && note === 'of somebody else' && data['theirs'] !== undefined;
      };
    },
    second: () => kubernetesVaultType.create(options, createTestContext('second', 2)),
    close: async () => {
      await vault.close();
      await fake.stop();
      rmSync(folder, { recursive: true });
    },
  };
}

describeVaultSuite('kubernetes', {
  open,
  capabilities: { compareAndSet: true, readable: true, map: true },
  lacks: { lag: 'the API server reads from a quorum of etcd: what was written is seen at once' },
});
