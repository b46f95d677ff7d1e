import type { GetSecretOptions, SecretClient, SecretProperties } from '@azure/keyvault-secrets';
import { SecretValue } from '../../domain/secret-value.ts';
import type { Instant } from '../../domain/time.ts';
import { failureOf, OPERATIONS, vaultError } from './failure.ts';
import type { Answer, Failure, FailureKind, Operation } from './failure.ts';
import type { Tags } from './tags.ts';

/** A version of a secret. */
export interface Version {
  /** 32 hex digits. */
  readonly id: string;
  readonly tags: Tags;
  /** Empty where there is none. */
  readonly contentType: string;
  readonly enabled: boolean;
  /** Whole seconds. */
  readonly createdOn: Instant;
  /** It belongs to a certificate of the same name, and cannot be set. */
  readonly managed: boolean;
}

/** A version with its value. */
export interface Secret extends Version {
  /** Null: none, an empty one, or one that a disabled version keeps back. */
  readonly value: SecretValue | null;
}

export interface NewVersion {
  readonly value: SecretValue;
  readonly contentType: string;
  readonly expiresOn: Date | undefined;
  readonly tags: Tags;
}

type CallOptions = Pick<GetSecretOptions, 'abortSignal' | 'onResponse'>;

const REQUEST_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** The calls to Key Vault that a vault needs. They throw VaultError, or the signal's reason, and nothing else. */
export class Secrets {
  readonly #client: SecretClient;
  readonly #place: { readonly vault: string; readonly url: string };

  constructor(client: SecretClient, place: { readonly vault: string; readonly url: string }) {
    this.#client = client;
    this.#place = place;
  }

  /** The current version, whose value is withheld where it is disabled; null: there is no such secret. */
  async current(name: string, signal?: AbortSignal): Promise<Secret | null> {
    const found = await this.#call<Secret | null | 'disabled'>(
      OPERATIONS.get,
      { name, signal, instead: { absent: null, disabled: 'disabled' } },
      async (options) => {
        const { value, properties } = await this.#client.getSecret(name, options);
        return { ...versionOf(properties), value: value === undefined || value === '' ? null : SecretValue.of(value) };
      },
    );
    return found === 'disabled' ? this.#disabled(name, signal) : found;
  }

  /** The latest version of a soft-deleted secret; null: none of that name. */
  deleted(name: string, signal?: AbortSignal): Promise<Version | null> {
    return this.#call<Version | null>(
      OPERATIONS.getDeleted,
      { name, signal, instead: { absent: null } },
      async (options) => versionOf((await this.#client.getDeletedSecret(name, options)).properties),
    );
  }

  /** All versions, in no order. */
  versions(name: string, signal?: AbortSignal): Promise<Version[]> {
    return this.#call<Version[]>(OPERATIONS.list, { name, signal, instead: { absent: [] } }, async (options) => {
      const found: Version[] = [];
      for await (const properties of this.#client.listPropertiesOfSecretVersions(name, options)) {
        found.push(versionOf(properties));
      }
      return found;
    });
  }

  /** Adds a version. @returns its id, or why the name is not free (V5). */
  set(name: string, version: NewVersion, signal?: AbortSignal): Promise<{ id: string } | 'soft-deleted' | 'busy'> {
    const { value, contentType, expiresOn, tags } = version;
    return this.#call<{ id: string } | 'soft-deleted' | 'busy'>(
      OPERATIONS.set,
      { name, signal, instead: { 'soft-deleted': 'soft-deleted', busy: 'busy' } },
      async (options) => {
        const expires = expiresOn === undefined ? {} : { expiresOn };
        const sent = { ...options, ...expires, contentType, tags: { ...tags } };
        return { id: versionOf((await this.#client.setSecret(name, value.reveal(), sent)).properties).id };
      },
    );
  }

  /** Replaces the tags of a version; its value and its id stay. */
  tag(name: string, id: string, tags: Tags, signal?: AbortSignal): Promise<void> {
    return this.#call(OPERATIONS.update, { name, signal }, async (options) => {
      await this.#client.updateSecretProperties(name, id, { ...options, tags: { ...tags } });
    });
  }

  disable(name: string, id: string, signal?: AbortSignal): Promise<void> {
    return this.#call(OPERATIONS.update, { name, signal }, async (options) => {
      await this.#client.updateSecretProperties(name, id, { ...options, enabled: false });
    });
  }

  /**
   * Begins to recover a soft-deleted secret.
   * @returns false where its deletion is still under way; true also where somebody else has recovered or purged it.
   */
  recover(name: string, signal?: AbortSignal): Promise<boolean> {
    const instead = { absent: true, disabled: true, busy: false };
    return this.#call<boolean>(OPERATIONS.recover, { name, signal, instead }, async (options) => {
      await this.#client.beginRecoverDeletedSecret(name, options);
      return true;
    });
  }

  /** What stands against an operation, without throwing it; null: nothing does. For `rekeyd check`. */
  async obstacle(
    operation: 'get' | 'getDeleted' | 'list',
    name: string,
    signal?: AbortSignal,
  ): Promise<Failure | null> {
    const failures: Failure[] = [];
    const note = (failure: Failure): void => void failures.push(failure);
    await this.#call<unknown>(
      OPERATIONS[operation],
      { name, signal, note, instead: { absent: null, disabled: null } },
      async (options) => {
        if (operation === 'get') await this.#client.getSecret(name, options);
        else if (operation === 'getDeleted') await this.#client.getDeletedSecret(name, options);
        else await this.#client.listPropertiesOfSecretVersions(name, options).next();
      },
    );
    return failures[0] ?? null;
  }

  /** The current version of a secret is the newest one, and where that is disabled only the list tells which it is. */
  async #disabled(name: string, signal: AbortSignal | undefined): Promise<Secret | null> {
    const all = await this.versions(name, signal);
    // Times are whole seconds. Of two in the same one, a disabled version is what the refusal was about.
    const rank = ({ createdOn, enabled, id }: Version): string =>
      `${String(createdOn).padStart(15, '0')} ${enabled ? 0 : 1} ${id}`;
    const [newest] = all.sort((a, b) => (rank(a) < rank(b) ? 1 : -1));
    return newest === undefined ? null : { ...newest, value: null };
  }

  async #call<T>(
    operation: Operation,
    context: {
      readonly name: string;
      readonly signal: AbortSignal | undefined;
      /** Answers that stand for some failures. */
      readonly instead?: Partial<Record<FailureKind, T>>;
      /** Takes the others, in the place of an error. */
      readonly note?: (failure: Failure) => void;
    },
    work: (options: CallOptions) => Promise<T>,
  ): Promise<T> {
    const { name, signal, instead = {}, note } = context;
    signal?.throwIfAborted();
    const answer: Answer = { status: null, requestId: null };
    const onResponse: CallOptions['onResponse'] = ({ status, headers }) => {
      const requestId = headers.get('x-ms-request-id') ?? '';
      Object.assign(answer, { status, requestId: REQUEST_ID.test(requestId) ? requestId : null });
    };
    try {
      return await work({ onResponse, ...(signal === undefined ? {} : { abortSignal: signal }) });
    } catch (error) {
      if (signal?.aborted === true) throw signal.reason;
      const failure = failureOf(error, answer);
      if (Object.hasOwn(instead, failure.kind)) return instead[failure.kind] as T;
      if (note === undefined) throw vaultError(failure, operation, { ...this.#place, entry: name });
      note(failure);
      return undefined as T;
    }
  }
}

function versionOf({ version, tags, contentType, enabled, createdOn, managed }: SecretProperties): Version {
  if (version === undefined || version === '') throw new TypeError('a secret without version');
  return {
    id: version,
    tags: tags ?? {},
    contentType: contentType ?? '',
    enabled: enabled ?? true,
    createdOn: createdOn?.getTime() ?? 0,
    managed: managed ?? false,
  };
}
