import { VaultError } from '../domain/errors.ts';
import type { Mark } from '../domain/mark.ts';
import type { Payload } from '../domain/payload.ts';
import type { RightReport } from '../domain/rights.ts';
import { formatInstant } from '../domain/time.ts';
import type { Duration } from '../domain/time.ts';
import type { EntryContent, EntryDescription, EntryRef, Vault, VaultContext, VaultType } from './contract.ts';
import { entryNameProblem } from './entry-name.ts';
import { SecretManagerApi } from './gcp-secret-manager/api.ts';
import { Connection } from './gcp-secret-manager/connection.ts';
import { contentOf, describeFound, look } from './gcp-secret-manager/entry.ts';
import type { Found } from './gcp-secret-manager/entry.ts';
import { gcpSchema, replicationOf } from './gcp-secret-manager/options.ts';
import type { GcpOptions } from './gcp-secret-manager/options.ts';
import { rightsOn } from './gcp-secret-manager/rights.ts';
import { EntryWriter } from './gcp-secret-manager/writer.ts';

/** https://docs.cloud.google.com/secret-manager/quotas */
const MAX_BYTES = 65_536;
/** Two daemons keep each other out; a version that a person adds at the same instant cannot be kept out: see the page. */
const CAPABILITIES = { compareAndSet: false, readable: true, map: false } as const;

class GcpSecretManagerVault implements Vault {
  readonly name: string;
  readonly type = 'gcp-secret-manager';
  readonly identity: string;
  readonly capabilities = CAPABILITIES;
  readonly readBack: Duration;
  readonly #api: SecretManagerApi;
  readonly #writer: EntryWriter;
  readonly #context: VaultContext;
  /** Entries whose end was told, with the time of it. */
  readonly #ends = new Map<string, number>();

  constructor(api: SecretManagerApi, options: GcpOptions, context: VaultContext) {
    this.name = context.name;
    this.identity = identityOf(options);
    this.readBack = context.readBack;
    this.#api = api;
    this.#writer = new EntryWriter(api, context, replicationOf(options));
    this.#context = context;
  }

  async describe(
    ref: EntryRef,
    options?: { readonly prove?: boolean },
    signal?: AbortSignal,
  ): Promise<EntryDescription> {
    return describeFound(await this.#look(ref, options?.prove === true, signal));
  }

  async read(ref: EntryRef, signal?: AbortSignal): Promise<EntryContent> {
    return contentOf(await this.#look(ref, true, signal));
  }

  async deliver(ref: EntryRef, payload: Payload, mark: Mark, expected: string, signal?: AbortSignal) {
    this.#checkName(ref.entry, signal);
    if (payload.content.byteLength > MAX_BYTES) {
      throw this.#api.error('rejected', ref.entry, `the payload has more than ${MAX_BYTES} bytes`);
    }
    return { version: await this.#writer.deliver(ref.entry, payload, mark, expected, signal) };
  }

  async restoreMark(ref: EntryRef, mark: Mark, expected: string, signal?: AbortSignal) {
    this.#checkName(ref.entry, signal);
    return { version: await this.#writer.restoreMark(ref.entry, mark, expected, signal) };
  }

  rights(refs: readonly EntryRef[], signal?: AbortSignal): Promise<readonly RightReport[]> {
    const entries = refs.map(({ entry }) => entry);
    return rightsOn(this.#api, entries, signal);
  }

  close(): Promise<void> {
    return this.#api.close();
  }

  async #look(ref: EntryRef, value: boolean, signal: AbortSignal | undefined): Promise<Found | null> {
    this.#checkName(ref.entry, signal);
    const found = await look(this.#api, ref.entry, { value }, signal);
    this.#tellEnd(ref.entry, found?.secret.expiresAt ?? null);
    return found;
  }

  /** The service deletes such a secret by itself, values and all. rekeyd never asks for that: somebody else did. */
  #tellEnd(entry: string, expiresAt: number | null): void {
    if (expiresAt === null) {
      this.#ends.delete(entry);
    } else if (this.#ends.get(entry) !== expiresAt) {
      this.#ends.set(entry, expiresAt);
      this.#context.log.warn('vault-entry-ends', 'Google will delete this secret by itself: take its expiration away', {
        vault: this.name,
        entry,
        expires: formatInstant(expiresAt),
      });
    }
  }

  #checkName(entry: string, signal: AbortSignal | undefined): void {
    signal?.throwIfAborted();
    const problem = nameProblem(entry);
    if (problem !== null) throw new VaultError('rejected', `Vault '${this.name}': ${problem}.`, { vault: this.name });
  }
}

/** Google Cloud's Secret Manager: a secret an entry, a version a delivery. Consumers read the version `latest`. */
export const gcpSecretManagerVaultType = {
  type: 'gcp-secret-manager',
  schema: gcpSchema,
  paths: ['keyFile'],
  destination: {},
  maxBytes: MAX_BYTES,
  entryOf: (name) => name,
  nameProblem: (name) => nameProblem(name),
  create: openGcpVault,
} as const satisfies VaultType<typeof gcpSchema>;

async function openGcpVault(options: GcpOptions, context: VaultContext): Promise<Vault> {
  const sdk = await import('@google-cloud/secret-manager');
  const connection = new Connection(sdk, options, context);
  const { name, timeout } = context;
  const api = new SecretManagerApi(connection, { vault: name, project: options.project, timeout });
  return new GcpSecretManagerVault(api, options, context);
}

function identityOf({ project, endpoint }: GcpOptions): string {
  const host = endpoint === null ? '' : `${new URL(endpoint).host}/`;
  return `gcp-secret-manager:${host}projects/${project}`;
}

/** https://docs.cloud.google.com/secret-manager/docs/reference/rest/v1/projects.secrets/create: `secretId`. */
function nameProblem(name: string): string | null {
  const problem = entryNameProblem(name);
  if (problem !== null) return problem;
  if (!/^[A-Za-z0-9_-]+$/.test(name)) return 'the name of a secret is of letters, digits, - and _ only';
  return name.length <= 255 ? null : 'the name of a secret has 255 characters at most';
}
