import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe } from 'vitest';
import type { Payload } from '../../src/domain/payload.ts';
import { SecretValue } from '../../src/domain/secret-value.ts';
import type { EntryRef, Vault } from '../../src/vaults/contract.ts';
import { kubernetesVaultType } from '../../src/vaults/kubernetes.ts';
import { createTestContext } from '../conformance/vault-context.ts';
import { KubernetesTeam } from './kubernetes-team.ts';
import { kubeconfigOf, kubernetes } from './kubernetes.ts';
import type { KubernetesAccess } from './kubernetes.ts';
import { provideServer } from './provided-server.ts';

/** A Secret, as the API server keeps it. */
export interface StoredSecret {
  readonly type: string;
  readonly metadata: {
    readonly resourceVersion: string;
    readonly labels?: Record<string, string>;
    readonly annotations?: Record<string, string>;
  };
  readonly data?: Record<string, string>;
}

export const base64 = (text: string): string => Buffer.from(text).toString('base64');

export const payload = (fields: Readonly<Record<string, string | null>>): Payload => ({
  form: 'fields',
  content: SecretValue.of(JSON.stringify(fields)),
});

export const login = payload({ CLIENT_ID: 'orders', CLIENT_SECRET: 'a value' });

/** A namespace of its own on a real API server, a vault with rights in it, and a folder for its files. */
export class KubernetesBench {
  readonly access: KubernetesAccess;
  readonly team: KubernetesTeam;
  readonly vault: Vault;
  readonly folder: string;

  private constructor(access: KubernetesAccess, team: KubernetesTeam, vault: Vault, folder: string) {
    this.access = access;
    this.team = team;
    this.vault = vault;
    this.folder = folder;
  }

  static async make(access: KubernetesAccess, name: string): Promise<KubernetesBench> {
    const folder = await mkdtemp(join(tmpdir(), `rekeyd-kubernetes-${name}-`));
    const team = await KubernetesTeam.make(access, name);
    const token = await team.token();
    await team.grant(token);
    const vault = await openVault(access, team.namespace, join(folder, 'rekeyd.yaml'), { token });
    return new KubernetesBench(access, team, vault, folder);
  }

  file(name: string): string {
    return join(this.folder, name);
  }

  at(name: string, options: EntryRef['options'] = {}): EntryRef {
    return { entry: kubernetesVaultType.entryOf(name, options, { namespace: this.team.namespace }), options };
  }

  /** A vault on a kubeconfig of its own, whose user is `user`. */
  open(name: string, user: object): Promise<Vault> {
    return openVault(this.access, this.team.namespace, this.file(name), user);
  }

  stored(name: string): Promise<StoredSecret> {
    return this.team.must<StoredSecret>('GET', `/secrets/${name}`);
  }

  edit(name: string, patch: object): Promise<unknown> {
    return this.team.must('PATCH', `/secrets/${name}`, patch);
  }
}

/** A suite on a real API server, skipped with the reason where there is none. `bench` is there once a test runs. */
export async function describeOnKubernetes(name: string, tests: (bench: () => KubernetesBench) => void): Promise<void> {
  const provided = await provideServer(kubernetes);
  if (provided.how === 'none') {
    describe.skip(`vault kubernetes, ${name} [skipped: ${provided.reason}]`, () => {
      tests(() => {
        throw new Error(provided.reason);
      });
    });
    return;
  }
  describe(`vault kubernetes on a real API server, ${name}`, () => {
    let made: KubernetesBench | null = null;
    beforeAll(async () => {
      made = await KubernetesBench.make(provided.server.access, name);
    });
    afterAll(async () => {
      if (made !== null) await rm(made.folder, { recursive: true });
      await provided.server.stop();
    });
    tests(() => {
      if (made === null) throw new Error('used before the suite began');
      return made;
    });
  });
}

async function openVault(
  access: KubernetesAccess,
  namespace: string,
  kubeconfig: string,
  user: object,
): Promise<Vault> {
  await writeFile(kubeconfig, kubeconfigOf(access, user), { mode: 0o600 });
  return kubernetesVaultType.create({ namespace, kubeconfig, context: null, cluster: null }, createTestContext());
}
