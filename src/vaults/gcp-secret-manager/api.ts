import { VaultError } from '../../domain/errors.ts';
import type { VaultFault } from '../../domain/errors.ts';
import type { Duration } from '../../domain/time.ts';
import type { Annotations } from './annotations.ts';
import { toAccessed, toSecret, toVersion } from './answers.ts';
import type { Accessed, StoredSecret, StoredVersion } from './answers.ts';
import type { Connection, GoogleClient } from './connection.ts';
import type { replicationOf } from './options.ts';
import { faultOf, statusOf, Unusable } from './refusal.ts';
import type { Status } from './refusal.ts';

/** The calls that rekeyd makes, by the permission that each needs. */
const PERMISSION = {
  getSecret: 'secretmanager.secrets.get',
  createSecret: 'secretmanager.secrets.create',
  updateSecret: 'secretmanager.secrets.update',
  addVersion: 'secretmanager.versions.add',
  version: 'secretmanager.versions.get',
  access: 'secretmanager.versions.access',
  disable: 'secretmanager.versions.disable',
  permissions: null,
} as const;
type Operation = keyof typeof PERMISSION;

/** What can be asked of a secret that is there. */
export const PERMISSIONS = Object.values(PERMISSION).filter(
  (permission) => permission !== null && permission !== PERMISSION.createSecret,
);
export const CREATE_PERMISSION = PERMISSION.createSecret;

const REFUSED =
  "Google refuses rekeyd's credentials, as it does revoked and expired ones: put others in their place, they are read again";

interface CallOptions {
  readonly timeout: number;
  readonly retry: null;
  readonly signal?: AbortSignal;
}

/** Refusals that are answers. */
type Answers<T> = Partial<Record<Status, T>>;

export interface SecretParts {
  readonly annotations: Annotations;
  readonly labels: Readonly<Record<string, string>>;
}

/** The part of the Secret Manager API that rekeyd uses, with errors that are ours. Nothing is tried twice. */
export class SecretManagerApi {
  readonly #connection: Connection;
  readonly #place: { readonly vault: string; readonly project: string; readonly timeout: Duration };

  constructor(connection: Connection, place: { vault: string; project: string; timeout: Duration }) {
    this.#connection = connection;
    this.#place = place;
  }

  /** Null: the service says that it is not there. */
  getSecret(entry: string, signal?: AbortSignal): Promise<StoredSecret | null> {
    return this.#call(
      { operation: 'getSecret', entry, signal, answers: { NOT_FOUND: null } },
      async (client, options) => {
        const [secret] = await client.getSecret({ name: this.#secret(entry) }, options);
        return toSecret(secret);
      },
    );
  }

  /** @throws VaultError `conflict` where it is there already. */
  createSecret(
    entry: string,
    parts: SecretParts & { readonly replication: ReturnType<typeof replicationOf> },
    signal?: AbortSignal,
  ): Promise<StoredSecret> {
    return this.#call({ operation: 'createSecret', entry, signal }, async (client, options) => {
      const [secret] = await client.createSecret({ parent: this.#project, secretId: entry, secret: parts }, options);
      return toSecret(secret);
    });
  }

  /** Replaces annotations and labels. @throws VaultError `conflict` where the secret has another etag by now. */
  updateSecret(
    entry: string,
    { etag, annotations, labels }: SecretParts & { readonly etag: string },
    signal?: AbortSignal,
  ): Promise<StoredSecret> {
    const faults = { FAILED_PRECONDITION: 'conflict' } as const;
    return this.#call({ operation: 'updateSecret', entry, signal, faults }, async (client, options) => {
      const secret = { name: this.#secret(entry), etag, annotations, labels };
      const [updated] = await client.updateSecret(
        { secret, updateMask: { paths: ['annotations', 'labels'] } },
        options,
      );
      return toSecret(updated);
    });
  }

  addVersion(
    entry: string,
    payload: { readonly data: Uint8Array; readonly dataCrc32c: number },
    signal?: AbortSignal,
  ): Promise<StoredVersion> {
    return this.#call({ operation: 'addVersion', entry, signal }, async (client, options) => {
      const [version] = await client.addSecretVersion({ parent: this.#secret(entry), payload }, options);
      return toVersion(version);
    });
  }

  /** @param version its number, or `latest`: the one that was created last. Null: there is none. */
  version(entry: string, version: number | 'latest', signal?: AbortSignal): Promise<StoredVersion | null> {
    return this.#call(
      { operation: 'version', entry, signal, answers: { NOT_FOUND: null } },
      async (client, options) => {
        const [found] = await client.getSecretVersion({ name: this.#version(entry, version) }, options);
        return toVersion(found);
      },
    );
  }

  /** `none`: there is no such version; `unreadable`: it is disabled or destroyed, or its key cannot be used. */
  access(entry: string, version: number | 'latest', signal?: AbortSignal): Promise<Accessed> {
    const answers: Answers<Accessed> = { NOT_FOUND: { state: 'none' }, FAILED_PRECONDITION: { state: 'unreadable' } };
    return this.#call({ operation: 'access', entry, signal, answers }, async (client, options) => {
      const [found] = await client.accessSecretVersion({ name: this.#version(entry, version) }, options);
      return toAccessed(found);
    });
  }

  disable(entry: string, version: number, signal?: AbortSignal): Promise<void> {
    return this.#call({ operation: 'disable', entry, signal }, async (client, options) => {
      await client.disableSecretVersion({ name: this.#version(entry, version) }, options);
    });
  }

  /** Which of {@link PERMISSIONS} we have on an entry; none where it is not there. */
  permissions(entry: string, signal?: AbortSignal): Promise<readonly string[]> {
    return this.#call({ operation: 'permissions', entry, signal }, async (client, options) => {
      const resource = this.#secret(entry);
      const [answer] = await client.testIamPermissions({ resource, permissions: [...PERMISSIONS] }, options);
      return answer.permissions ?? [];
    });
  }

  close(): Promise<void> {
    return this.#connection.close();
  }

  /** An error about an entry. */
  error(fault: VaultFault, entry: string, why: string): VaultError {
    const { vault } = this.#place;
    return new VaultError(fault, `Vault '${vault}', entry '${entry}': ${why}.`, { vault, entry });
  }

  async #call<T>(
    call: {
      readonly operation: Operation;
      readonly entry: string;
      readonly signal: AbortSignal | undefined;
      readonly answers?: Answers<T>;
      /** Refusals that mean something else here. */
      readonly faults?: Partial<Record<Status, VaultFault>>;
    },
    work: (client: GoogleClient, options: CallOptions) => Promise<T>,
  ): Promise<T> {
    const { operation, entry, signal, answers = {}, faults = {} } = call;
    signal?.throwIfAborted();
    const client = await this.#client(entry, signal);
    let status: Status;
    try {
      const options = { timeout: this.#place.timeout, retry: null, ...(signal === undefined ? {} : { signal }) };
      return await work(client, options);
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof VaultError) throw error;
      if (error instanceof Unusable) throw this.error('malformed', entry, `${operation}: ${error.message}`);
      status = statusOf(error);
    }
    if (status === 'UNAUTHENTICATED') this.#connection.refused(client);
    const answer = answers[status];
    if (answer !== undefined) return answer;
    const fault = faults[status] ?? faultOf(status);
    throw this.error(fault, entry, `${operation} failed (${status}): ${this.#advice(fault, status, operation, entry)}`);
  }

  async #client(entry: string, signal: AbortSignal | undefined): Promise<GoogleClient> {
    try {
      return await untilAborted(this.#connection.client(), signal);
    } catch (error) {
      signal?.throwIfAborted();
      const what = error instanceof Unusable ? error.message : 'there are no Google credentials that can be used';
      const advice = 'set keyFile, or GOOGLE_APPLICATION_CREDENTIALS, or run where a service account is attached';
      throw this.error('denied', entry, `${what}: ${advice}`);
    }
  }

  #advice(fault: VaultFault, status: Status, operation: Operation, entry: string): string {
    switch (fault) {
      case 'denied': {
        if (status === 'UNAUTHENTICATED') return REFUSED;
        const right = PERMISSION[operation] ?? 'the role of config/policies/gcp-secret-manager.yaml';
        const where = operation === 'createSecret' ? this.#project : this.#secret(entry);
        return `grant ${right} on ${where}, and enable the Secret Manager API there; a secret that one may not see is told in the same words as one that is not there`;
      }
      case 'throttled':
        return 'a quota of the project is used up: lower requestsPerSecond of this vault';
      case 'conflict':
        return 'somebody else wrote or removed it since it was read';
      case 'rejected':
        return 'Google does not accept the request: check project, name, locations and kmsKey';
      case 'unavailable':
        return status === 'FAILED_PRECONDITION'
          ? 'a key (kmsKey) or a policy of the project stands against it'
          : 'no answer of the service, or none that means anything: check the network and endpoint';
      case 'malformed':
      case 'locked':
        return 'the answer cannot be read';
    }
  }

  get #project(): string {
    return `projects/${this.#place.project}`;
  }

  #secret(entry: string): string {
    return `${this.#project}/secrets/${entry}`;
  }

  #version(entry: string, version: number | 'latest'): string {
    return `${this.#secret(entry)}/versions/${version}`;
  }
}

/** Finding credentials heeds no signal. */
async function untilAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  const { promise, reject } = Promise.withResolvers<never>();
  const stop = (): void => reject(signal.reason);
  signal.addEventListener('abort', stop, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
