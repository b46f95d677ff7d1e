import type { SecretsManager } from '@aws-sdk/client-secrets-manager';
import type { Payload } from '../../domain/payload.ts';
import { SecretValue } from '../../domain/secret-value.ts';
import { awsError, errorType, vaultErrorOf } from './errors.ts';
import { snapshotOf } from './snapshot.ts';
import type { Snapshot } from './snapshot.ts';
import type { Tag } from './tag-text.ts';

const CURRENT = 'AWSCURRENT';
/** On the version that rekeyd put last, so that AWS does not take it for deprecated before it becomes AWSCURRENT. */
const LATEST = 'rekeyd-latest';
/** The id of a version that cannot be there: asking for it proves the right to ask, and shows no value. */
const NO_VERSION = '00000000-0000-4000-8000-000000000000';

/** What a new secret is made of. */
export interface NewSecret {
  readonly versionId: string;
  readonly payload: Payload;
  readonly tags: readonly Tag[];
  readonly kmsKeyId: string | null;
  readonly replicas: readonly { readonly Region: string; readonly KmsKeyId?: string }[];
}

/**
 * Secrets Manager's operations as the vault needs them. Each throws VaultError and nothing else, but the abort reason of
 * `signal`; none of them says of absence more than the service does.
 */
export class SecretsApi {
  readonly #client: SecretsManager;
  readonly #vault: string;
  readonly #region: string;

  constructor(client: SecretsManager, vault: string, region: string) {
    this.#client = client;
    this.#vault = vault;
    this.#region = region;
  }

  /** Null: AWS says that there is no such secret. */
  describe(entry: string, signal?: AbortSignal): Promise<Snapshot | null> {
    return this.#call('DescribeSecret', entry, signal, async (options) => {
      try {
        const found = await this.#client.describeSecret({ SecretId: entry }, options);
        // an answer of somebody else (a proxy's `{}`) would read as a secret without value
        if (found.Name !== entry) throw this.#error('malformed', entry, 'the answer is not about this secret');
        return snapshotOf(found, this.#region);
      } catch (error) {
        if (errorType(error) === 'ResourceNotFoundException') return null;
        throw error;
      }
    });
  }

  /** The value of a version; null: it is empty. @throws VaultError `malformed` where it is no text. */
  value(entry: string, versionId: string, signal?: AbortSignal): Promise<SecretValue | null> {
    return this.#call('GetSecretValue', entry, signal, async (options) => {
      const found = await this.#client.getSecretValue({ SecretId: entry, VersionId: versionId }, options);
      if (found.VersionId !== versionId) throw this.#error('malformed', entry, 'the answer is not about this version');
      const text = found.SecretString ?? textOf(found.SecretBinary);
      if (text === null) throw this.#error('malformed', entry, 'its value is binary, and no text');
      return text === '' ? null : SecretValue.of(text);
    });
  }

  /** Whether values may be read; no value is sent to find out. @throws VaultError `denied` where not. */
  mayRead(entry: string, signal?: AbortSignal): Promise<void> {
    return this.#call('GetSecretValue', entry, signal, async (options) => {
      try {
        await this.#client.getSecretValue({ SecretId: entry, VersionId: NO_VERSION }, options);
      } catch (error) {
        if (!['ResourceNotFoundException', 'InvalidRequestException'].includes(errorType(error))) throw error;
      }
    });
  }

  /** Makes the secret with value and tags at once. @throws VaultError `conflict` where it is there. */
  create(entry: string, { versionId, payload, tags, kmsKeyId, replicas }: NewSecret, signal?: AbortSignal) {
    return this.#call('CreateSecret', entry, signal, async (options): Promise<void> => {
      const request = {
        Name: entry,
        ClientRequestToken: versionId,
        SecretString: payload.content.reveal(),
        Tags: [...tags],
        ...(kmsKeyId === null ? {} : { KmsKeyId: kmsKeyId }),
        ...(replicas.length === 0 ? {} : { AddReplicaRegions: [...replicas] }),
      };
      await this.#client.createSecret(request, options);
    });
  }

  /**
   * Puts a version beside the current one; one that is there already stays as it is (V7).
   * @returns whether it is current at once: the first one of a secret is
   */
  put(entry: string, versionId: string, payload: Payload, signal?: AbortSignal): Promise<boolean> {
    return this.#call('PutSecretValue', entry, signal, async (options) => {
      const request = {
        SecretId: entry,
        ClientRequestToken: versionId,
        SecretString: payload.content.reveal(),
        VersionStages: [LATEST],
      };
      const put = await this.#client.putSecretValue(request, options);
      return put.VersionStages?.includes(CURRENT) === true;
    });
  }

  /**
   * Makes a version current, if `from` is now. AWS compares and sets in one step.
   * @throws VaultError `conflict` where another version is current
   */
  promote(entry: string, to: string, from: string | null, signal?: AbortSignal): Promise<void> {
    return this.#call('UpdateSecretVersionStage', entry, signal, async (options) => {
      const request = { SecretId: entry, VersionStage: CURRENT, MoveToVersionId: to };
      const where = from === null ? {} : { RemoveFromVersionId: from };
      try {
        await this.#client.updateSecretVersionStage({ ...request, ...where }, options);
      } catch (error) {
        if (errorType(error) !== 'InvalidParameterException') throw error;
        // refused also where an attempt whose answer was lost has moved it
        const found = await this.describe(entry, signal);
        if (found?.current.includes(to) === true) return;
        throw this.#error('conflict', entry, 'somebody else wrote it since it was read');
      }
    });
  }

  /** Takes AWSCURRENT off a version. AWS itself never has a reason to be asked for this. */
  demote(entry: string, versionId: string, signal?: AbortSignal): Promise<void> {
    return this.#call('UpdateSecretVersionStage', entry, signal, async (options) => {
      const request = { SecretId: entry, VersionStage: CURRENT, RemoveFromVersionId: versionId };
      await this.#client.updateSecretVersionStage(request, options);
    });
  }

  /** Sets these tags and leaves all others. */
  tag(entry: string, tags: readonly Tag[], signal?: AbortSignal): Promise<void> {
    return this.#call('TagResource', entry, signal, async (options) => {
      await this.#client.tagResource({ SecretId: entry, Tags: [...tags] }, options);
    });
  }

  untag(entry: string, keys: readonly string[], signal?: AbortSignal): Promise<void> {
    return this.#call('UntagResource', entry, signal, async (options) => {
      await this.#client.untagResource({ SecretId: entry, TagKeys: [...keys] }, options);
    });
  }

  /** Takes back that the secret is to be deleted. */
  restore(entry: string, signal?: AbortSignal): Promise<void> {
    return this.#call('RestoreSecret', entry, signal, async (options) => {
      await this.#client.restoreSecret({ SecretId: entry }, options);
    });
  }

  close(): void {
    this.#client.destroy();
  }

  async #call<T>(
    action: string,
    entry: string,
    signal: AbortSignal | undefined,
    work: (options: { readonly abortSignal?: AbortSignal }) => Promise<T>,
  ): Promise<T> {
    signal?.throwIfAborted();
    try {
      return await work(signal === undefined ? {} : { abortSignal: signal });
    } catch (error) {
      signal?.throwIfAborted(); // the SDK throws an error of its own for it
      throw vaultErrorOf(error, { vault: this.#vault, entry, action, region: this.#region });
    }
  }

  #error(fault: 'conflict' | 'malformed', entry: string, why: string) {
    return awsError(fault, { vault: this.#vault, entry }, why);
  }
}

function textOf(bytes: Uint8Array | undefined): string | null {
  if (bytes === undefined) return '';
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null; // not UTF-8
  }
}
