import type { z } from 'zod';
import { VaultError } from '../domain/errors.ts';
import type { VaultFault } from '../domain/errors.ts';
import type { Mark } from '../domain/mark.ts';
import type { Payload } from '../domain/payload.ts';
import type { RightReport } from '../domain/rights.ts';
import type { Duration } from '../domain/time.ts';
import { openClient } from './azure-key-vault/client.ts';
import type { ClientOverrides } from './azure-key-vault/client.ts';
import { expiryOf } from './azure-key-vault/expiry.ts';
import { azureKeyVaultSchema } from './azure-key-vault/options.ts';
import type { AzureKeyVaultOptions } from './azure-key-vault/options.ts';
import { Recovery } from './azure-key-vault/recovery.ts';
import { rightsOf } from './azure-key-vault/rights.ts';
import { Secrets } from './azure-key-vault/secrets.ts';
import type { Secret, Version } from './azure-key-vault/secrets.ts';
import { disableOutdated } from './azure-key-vault/superseded.ts';
import { markIn, provenForm, roomProblem, tagProblem, withMark } from './azure-key-vault/tags.ts';
import { ABSENT } from './contract.ts';
import type { EntryContent, EntryDescription, EntryRef, Vault, VaultContext, VaultType } from './contract.ts';
import { entryNameProblem } from './entry-name.ts';
import { sameMark } from './mark-fields.ts';
import { OneAtATime } from './one-at-a-time.ts';

/** 25 KB: https://learn.microsoft.com/azure/key-vault/secrets/about-secrets. */
const MAX_BYTES = 25_600;
const CAPABILITIES = { compareAndSet: false, readable: true, map: false } as const;
const CONTENT_TYPES = { fields: 'application/json', opaque: 'text/plain' } as const;

/** What is at a name. */
type Found =
  | { readonly state: 'absent' }
  | { readonly state: 'secret'; readonly secret: Secret }
  /** It still has the name: whose it is must be told before anything is made for it (V4). */
  | { readonly state: 'soft-deleted'; readonly deleted: Version };

class AzureKeyVault implements Vault {
  readonly name: string;
  readonly type = 'azure-key-vault';
  readonly identity: string;
  readonly capabilities = CAPABILITIES;
  readonly readBack: Duration;
  readonly #options: AzureKeyVaultOptions;
  readonly #context: VaultContext;
  readonly #secrets: Secrets;
  readonly #recovery: Recovery;
  readonly #writers = new OneAtATime();

  constructor(options: AzureKeyVaultOptions, context: VaultContext, secrets: Secrets) {
    this.name = context.name;
    this.identity = `azure-key-vault:${options.url}`;
    this.readBack = context.readBack;
    this.#options = options;
    this.#context = context;
    this.#secrets = secrets;
    this.#recovery = new Recovery(secrets, context);
  }

  /** Always reads the value: Key Vault has no other look at the current version, and the binding is keyed by it. */
  async describe({ entry }: EntryRef, _options?: object, signal?: AbortSignal): Promise<EntryDescription> {
    const found = await this.#find(entry, signal);
    return found.state === 'absent' ? { state: 'absent' } : describeFound(found);
  }

  async read({ entry }: EntryRef, signal?: AbortSignal): Promise<EntryContent> {
    const found = await this.#find(entry, signal);
    if (found.state === 'absent') return { state: 'absent' };
    return { ...describeFound(found), payload: found.state === 'secret' ? payloadOf(found.secret) : null };
  }

  deliver({ entry }: EntryRef, payload: Payload, mark: Mark, expected: string, signal?: AbortSignal) {
    return this.#writers.run(entry, async () => {
      if (payload.content.byteLength > MAX_BYTES) {
        throw this.#error('rejected', entry, `the payload has more than ${MAX_BYTES} bytes`);
      }
      const found = await this.#find(entry, signal);
      // Before the version is looked at: the answer to the same delivery may have been lost (V16).
      if (found.state === 'secret' && holds(found.secret, payload, mark)) return { version: found.secret.id };
      this.#expect(entry, found, expected);
      const id = await this.#write(entry, found, payload, mark, signal);
      if (this.#options.disableSuperseded && found.state === 'secret') {
        const delivery = { name: entry, mark, keep: new Set([id, found.secret.id]) };
        await disableOutdated(this.#secrets, this.#context, delivery, signal);
      }
      return { version: id };
    });
  }

  restoreMark({ entry }: EntryRef, mark: Mark, expected: string, signal?: AbortSignal) {
    return this.#writers.run(entry, async () => {
      const found = await this.#find(entry, signal);
      this.#expect(entry, found, expected);
      if (found.state !== 'secret') throw this.#error('conflict', entry, 'there is no entry to mark');
      const payload = payloadOf(found.secret);
      if (payload === null) throw this.#error('malformed', entry, 'there is no value to mark');
      const tags = withMark(found.secret.tags, payload, mark);
      this.#checkTags(entry, tags);
      await this.#secrets.tag(entry, found.secret.id, tags, signal);
      return { version: found.secret.id };
    });
  }

  rights(refs: readonly EntryRef[], signal?: AbortSignal): Promise<readonly RightReport[]> {
    const names = refs.map(({ entry }) => entry);
    return rightsOf(this.#secrets, this.#options.url, names, signal);
  }

  close(): Promise<void> {
    return Promise.resolve(); // idle connections hold nothing up
  }

  async #find(entry: string, signal: AbortSignal | undefined): Promise<Found> {
    const problem = nameProblem(entry);
    if (problem !== null) throw this.#error('rejected', entry, problem);
    const secret = await this.#secrets.current(entry, signal);
    if (secret !== null) return { state: 'secret', secret };
    const deleted = await this.#secrets.deleted(entry, signal);
    return deleted === null ? { state: 'absent' } : { state: 'soft-deleted', deleted };
  }

  #expect(entry: string, found: Found, expected: string): void {
    if (versionOf(found) !== expected) {
      throw this.#error('conflict', entry, 'somebody else wrote it since it was read');
    }
    const there = versionIn(found);
    const lock = there === null ? null : lockOf(there);
    if (lock !== null) throw this.#error('locked', entry, lock);
  }

  #write(entry: string, found: Found, payload: Payload, mark: Mark, signal: AbortSignal | undefined): Promise<string> {
    const deleted = found.state === 'soft-deleted' ? found.deleted : null;
    const tags = withMark(versionIn(found)?.tags ?? {}, payload, mark);
    this.#checkTags(entry, tags);
    const version = {
      value: payload.content,
      contentType: CONTENT_TYPES[payload.form],
      expiresOn: expiryOf(payload, this.#context.clock.now()),
      tags,
    };
    return this.#recovery.write({ name: entry, version, mark, deleted, signal });
  }

  #checkTags(entry: string, tags: ReturnType<typeof withMark>): void {
    const problem = tagProblem(tags);
    if (problem !== null) throw this.#error('rejected', entry, problem);
  }

  #error(fault: VaultFault, entry: string, why: string): VaultError {
    return new VaultError(fault, `Vault '${this.name}', entry '${entry}': ${why}.`, { vault: this.name, entry });
  }
}

const OF_A_CERTIFICATE = 'it belongs to a certificate of the same name';

/** Secrets of an Azure Key Vault. */
export const azureKeyVaultType = {
  type: 'azure-key-vault',
  schema: azureKeyVaultSchema,
  paths: ['ca'],
  destination: {},
  maxBytes: MAX_BYTES,
  // Key Vault does not tell case: names that differ only in it are one secret.
  entryOf: (name) => name.toLowerCase(),
  nameProblem: (name) => nameProblem(name),
  create: (options, context) => openAzureKeyVault(options, context),
} as const satisfies VaultType<typeof azureKeyVaultSchema>;

/**
 * @param overrides for tests: an identity and a client that need no Azure.
 * @throws ConfigError where the CA file or a setting of the identity is missing. Azure itself is not asked yet.
 */
export async function openAzureKeyVault(
  options: z.output<typeof azureKeyVaultSchema>,
  context: VaultContext,
  overrides: ClientOverrides = {},
): Promise<Vault> {
  const client = await openClient(options, context, overrides);
  return new AzureKeyVault(options, context, new Secrets(client, { vault: context.name, url: options.url }));
}

function nameProblem(name: string): string | null {
  const problem = entryNameProblem(name);
  if (problem !== null) return problem;
  return /^[0-9a-zA-Z-]{1,127}$/.test(name)
    ? null
    : 'a name in Key Vault has 1 to 127 letters (a to z), digits and dashes';
}

function versionIn(found: Found): Version | null {
  switch (found.state) {
    case 'absent':
      return null;
    case 'secret':
      return found.secret;
    case 'soft-deleted':
      return found.deleted;
  }
}

function versionOf(found: Found): string {
  const there = versionIn(found);
  if (there === null) return ABSENT;
  return found.state === 'soft-deleted' ? `deleted-${there.id}` : there.id;
}

/** Why it cannot be written, whoever tries; null: it can. */
function lockOf({ managed, tags }: Version): string | null {
  return managed ? OF_A_CERTIFICATE : roomProblem(tags);
}

function describeFound(found: Exclude<Found, { state: 'absent' }>): Extract<EntryDescription, { state: 'present' }> {
  const there = found.state === 'secret' ? found.secret : found.deleted;
  const value = found.state === 'secret' ? found.secret.value : null;
  const mark = markIn(there.tags);
  const bound = mark !== null && value !== null && provenForm(there.tags, mark, value) !== null;
  const lock = lockOf(there);
  return {
    state: 'present',
    version: versionOf(found),
    mark,
    binding: bound ? 'bound' : 'broken',
    ...(lock === null ? {} : { locked: lock }),
  };
}

/** Where no binding proves the form, the content type tells what it was when it was delivered. */
function payloadOf({ value, tags, contentType }: Secret): Payload | null {
  if (value === null) return null;
  const mark = markIn(tags);
  const form = mark === null ? null : provenForm(tags, mark, value);
  return { form: form ?? (contentType === CONTENT_TYPES.fields ? 'fields' : 'opaque'), content: value };
}

/** Nothing would change: then nothing is written (V16). */
function holds({ tags, value }: Secret, payload: Payload, mark: Mark): boolean {
  const there = markIn(tags);
  if (there === null || value === null || !sameMark(there, mark) || !value.equals(payload.content)) return false;
  return provenForm(tags, mark, value) === payload.form;
}
