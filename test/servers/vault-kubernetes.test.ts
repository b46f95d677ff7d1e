import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe } from 'vitest';
import type { EntryRef, Vault } from '../../src/vaults/contract.ts';
import { kubernetesVaultType } from '../../src/vaults/kubernetes.ts';
import { createTestContext } from '../conformance/vault-context.ts';
import type { VaultFixture } from '../conformance/vault-fixture.ts';
import { describeVaultSuite } from '../conformance/vault-suite.ts';
import { KubernetesTeam } from './kubernetes-team.ts';
import { kubernetes, kubeconfigOf } from './kubernetes.ts';
import { provideServer } from './provided-server.ts';

const provided = await provideServer(kubernetes);

interface StoredSecret {
  readonly metadata: { labels?: Record<string, string>; annotations?: Record<string, string> };
  readonly data?: Record<string, string>;
}

/** The service account has what config/policies/kubernetes.yaml grants, and no more. */
async function open(): Promise<VaultFixture> {
  if (provided.how === 'none') throw new Error(provided.reason);
  const { access } = provided.server;
  const team = await KubernetesTeam.make(access, 'suite');
  const folder = await mkdtemp(join(tmpdir(), 'rekeyd-kubernetes-vault-'));
  const token = await team.token();
  let revoke = await team.grant(token);
  const kubeconfig = join(folder, 'kubeconfig.yaml');
  await writeFile(kubeconfig, kubeconfigOf(access, { token }), { mode: 0o600 });
  const options = { namespace: team.namespace, kubeconfig, context: null, cluster: null };
  const context = createTestContext();
  const inner = await kubernetesVaultType.create(options, context);
  const before = new Map<string, StoredSecret>();

  const path = (ref: EntryRef): string => `/secrets/${ref.entry.split('/')[1] ?? ''}`;
  const change = (ref: EntryRef, patch: object): Promise<StoredSecret> => team.must('PATCH', path(ref), patch);
  const replace = async (ref: EntryRef, { data, metadata: { labels, annotations } }: StoredSecret): Promise<void> => {
    await team.must('PUT', path(ref), { metadata: { name: path(ref).slice(9), labels, annotations }, data });
  };
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  // A person can only bring back what was kept: every Secret is copied as it is replaced.
  const vault = new Proxy(inner, {
    get: (target, key) => {
      const member: unknown = Reflect.get(target, key, target);
      if (key !== 'deliver') return typeof member === 'function' ? (member.bind(target) as unknown) : member;
      return async (...given: Parameters<Vault['deliver']>) => {
        const there = await team.must<StoredSecret>('GET', path(given[0])).catch(() => null);
        if (there !== null) before.set(given[0].entry, there);
        return target.deliver(...given);
      };
    },
  });

  return {
    vault,
    type: kubernetesVaultType,
    makeRef: (label) => ({ entry: kubernetesVaultType.entryOf(label, {}, options), options: {} }),
    printed: () => context.printed(),
    editByHand: async (ref, content) => {
      await change(ref, { data: { clientSecret: base64(content) } });
    },
    removeMark: async (ref) => {
      const { metadata } = await team.must<StoredSecret>('GET', path(ref));
      const gone = Object.keys(metadata.annotations ?? {}).map((key) => [key, null]);
      const labels = { 'app.kubernetes.io/managed-by': null };
      await change(ref, { metadata: { labels, annotations: Object.fromEntries(gone) as object } });
    },
    rollBack: (ref) => replace(ref, before.get(ref.entry)!),
    rollBackAndForth: async (ref) => {
      const now = await team.must<StoredSecret>('GET', path(ref));
      for (const old of [before.get(ref.entry)!, now]) await replace(ref, old);
    },
    makeEmpty: async (ref) => {
      await change(ref, { data: null });
    },
    putForeign: async (ref, content) => {
      await team.must('POST', '/secrets', {
        metadata: { name: path(ref).slice(9) },
        data: { value: base64(content) },
      });
    },
    deny: async () => {
      await revoke();
      return async () => {
        revoke = await team.grant(token);
      };
    },
    addForeignMetadata: async (ref) => {
      const metadata = { labels: { team: 'a' }, annotations: { 'example.com/note': 'of somebody else' } };
      const theirs = { metadata, data: { theirs: base64('of somebody else') } };
      await change(ref, theirs);
      return async () => {
        const seen = await team.must<StoredSecret>('GET', path(ref));
        return (
          seen.metadata.labels?.['team'] === 'a' &&
          seen.metadata.annotations?.['example.com/note'] === 'of somebody else' &&
          seen.data?.['theirs'] === theirs.data.theirs
        );
      };
    },
    second: (): Promise<Vault> => Promise.resolve(kubernetesVaultType.create(options, createTestContext('second', 2))),
    close: async () => {
      await vault.close();
      await rm(folder, { recursive: true });
      await provided.server.stop();
    },
  };
}

describe.skipIf(provided.how === 'none')(provided.how === 'none' ? provided.reason : 'on a real API server', () => {
  describeVaultSuite('kubernetes', {
    open,
    capabilities: { compareAndSet: true, readable: true, map: true },
    lacks: { lag: 'the API server reads from a quorum of etcd: what was written is seen at once' },
  });
});
