import { SecretsManager } from '@aws-sdk/client-secrets-manager';
import { randomUUID } from 'node:crypto';
import type { EntryRef } from '../../src/vaults/contract.ts';
import type { VaultHooks } from './vault-fixture.ts';

/** The environment that the default chain finds its credentials in, and nothing of the machine's own. */
const ENVIRONMENT = {
  AWS_ACCESS_KEY_ID: 'AKIATESTTESTTESTTEST',
  AWS_SECRET_ACCESS_KEY: 'test-secret',
  AWS_CONFIG_FILE: '/dev/null',
  AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
  AWS_EC2_METADATA_DISABLED: 'true',
};

/** Puts the test's AWS credentials, and nothing else of AWS, into the environment. @returns puts back what was there. */
export function useTestCredentials(more: Readonly<Record<string, string>> = {}): () => void {
  const before = Object.entries(process.env).filter(([key]) => key.startsWith('AWS_'));
  for (const [key] of before) Reflect.deleteProperty(process.env, key);
  Object.assign(process.env, ENVIRONMENT, more);
  return () => {
    for (const key of Object.keys(process.env)) if (key.startsWith('AWS_')) Reflect.deleteProperty(process.env, key);
    Object.assign(process.env, Object.fromEntries(before));
  };
}

/** A person with the AWS CLI: works past the vault, on moto and on the service alike. */
export class AwsHands {
  readonly client: SecretsManager;

  constructor(endpoint: string, region: string) {
    this.client = new SecretsManager({ endpoint, region });
  }

  get hooks(): Pick<
    VaultHooks,
    'editByHand' | 'removeMark' | 'rollBack' | 'rollBackAndForth' | 'makeEmpty' | 'putForeign' | 'addForeignMetadata'
  > {
    return {
      editByHand: async (ref, content) => {
        await this.edit(ref, content);
      },
      removeMark: async (ref) => {
        const keys = [...(await this.tags(ref)).keys()].filter((key) => key.startsWith('rekeyd:'));
        await this.client.untagResource({ SecretId: ref.entry, TagKeys: keys });
      },
      rollBack: async (ref) => {
        await this.move(ref, (await this.holder(ref, 'AWSPREVIOUS'))!);
      },
      // by stages alone: the versions are those of before
      rollBackAndForth: async (ref) => {
        for (let move = 0; move < 2; move++) await this.move(ref, (await this.holder(ref, 'AWSPREVIOUS'))!);
      },
      makeEmpty: async (ref) => {
        const tags = [...(await this.tags(ref))].map(([Key, Value]) => ({ Key, Value }));
        await this.client.deleteSecret({ SecretId: ref.entry, ForceDeleteWithoutRecovery: true });
        await this.client.createSecret({ Name: ref.entry, Tags: tags });
      },
      putForeign: async (ref, content) => {
        await this.client.createSecret({ Name: ref.entry, SecretString: content });
      },
      addForeignMetadata: async (ref) => {
        await this.client.tagResource({
          SecretId: ref.entry,
          Tags: [{ Key: 'team', Value: 'payments @ more' }],
        });
        return async () => (await this.tags(ref)).get('team') === 'payments @ more';
      },
    };
  }

  /** Another value, as a new version. By two steps: moto gets lost where a version is put as current after one was moved. */
  async edit(ref: EntryRef, content: string): Promise<string> {
    const token = randomUUID();
    const request = {
      SecretId: ref.entry,
      SecretString: content,
      ClientRequestToken: token,
      VersionStages: ['by-hand'],
    };
    await this.client.putSecretValue(request);
    await this.move(ref, token);
    return token;
  }

  /** Makes a version current. */
  async move(ref: EntryRef, to: string): Promise<void> {
    const from = await this.holder(ref, 'AWSCURRENT');
    const request = { SecretId: ref.entry, VersionStage: 'AWSCURRENT', MoveToVersionId: to };
    await this.client.updateSecretVersionStage({ ...request, ...(from === null ? {} : { RemoveFromVersionId: from }) });
  }

  /** The version that carries a label; null: none. */
  async holder(ref: EntryRef, stage: string): Promise<string | null> {
    const { VersionIdsToStages = {} } = await this.client.describeSecret({ SecretId: ref.entry });
    return Object.entries(VersionIdsToStages).find(([, stages]) => stages.includes(stage))?.[0] ?? null;
  }

  async tags(ref: EntryRef): Promise<Map<string, string>> {
    const { Tags = [] } = await this.client.describeSecret({ SecretId: ref.entry });
    return new Map(Tags.map(({ Key, Value }) => [Key!, Value!]));
  }
}
