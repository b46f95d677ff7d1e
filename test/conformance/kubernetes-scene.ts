import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import type { Payload } from '../../src/domain/payload.ts';
import { SecretValue } from '../../src/domain/secret-value.ts';
import type { EntryRef, Vault } from '../../src/vaults/contract.ts';
import { kubernetesVaultType } from '../../src/vaults/kubernetes.ts';
import { FakeKubernetes } from '../fakes/kubernetes-http.ts';
import { createTestContext } from './vault-context.ts';

export const ref: EntryRef = { entry: 'apps/orders', options: {} };

export function valueOf(text: string): Payload {
  return { form: 'opaque', content: SecretValue.of(text) };
}

/** What a call was rejected with; null: it was not. */
export function thrownBy(call: () => Promise<unknown>): Promise<unknown> {
  return call().then(
    () => null,
    (error: unknown) => error,
  );
}

/** A fake API server, a folder with a kubeconfig, and a vault on it: new ones for each test of the block that calls it. */
export function kubernetesScene() {
  let fake: FakeKubernetes;
  let folder: string;
  let vault: Vault;
  const file = (name: string): string => join(folder, name);
  const open = (kubeconfig: string, more: { context?: string; cluster?: string } = {}): Promise<Vault> => {
    const options = { namespace: 'apps', kubeconfig, context: null, cluster: null, ...more };
    return Promise.resolve(kubernetesVaultType.create(options, createTestContext()));
  };
  /** A vault on a kubeconfig with this text. */
  const openText = (text: string): Promise<Vault> => {
    writeFileSync(file('kubeconfig.yaml'), text);
    return open(file('kubeconfig.yaml'));
  };
  beforeEach(async () => {
    fake = await FakeKubernetes.start();
    folder = mkdtempSync(join(tmpdir(), 'rekeyd-kubernetes-'));
    vault = await openText(fake.kubeconfig());
  });
  afterEach(async () => {
    await fake.stop();
    rmSync(folder, { recursive: true });
  });
  return {
    file,
    open,
    openText,
    get fake() {
      return fake;
    },
    get vault() {
      return vault;
    },
  };
}
