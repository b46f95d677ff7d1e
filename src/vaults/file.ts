import { join } from 'node:path';
import { z } from 'zod';
import { VaultError, safeMessage } from '../domain/errors.ts';
import type { VaultFault } from '../domain/errors.ts';
import type { Mark } from '../domain/mark.ts';
import type { Payload } from '../domain/payload.ts';
import type { RightReport } from '../domain/rights.ts';
import type { Duration } from '../domain/time.ts';
import { ABSENT } from './contract.ts';
import type { EntryContent, EntryDescription, EntryRef, Vault, VaultContext, VaultType } from './contract.ts';
import { encodeEntryName } from './entry-name.ts';
import { ciphertextDigest, formatDocument, isProven, isWhole, parseDocument } from './file-document.ts';
import type { FileDocument } from './file-document.ts';
import { folderRights, hasEntries, hasSign, isInUse, leaveSign, SIGN } from './file-folder.ts';
import { openKey } from './file-key.ts';
import type { FileKey } from './file-key.ts';
import { fileNameProblem } from './file-name.ts';
import { publish, readNewest } from './file-versions.ts';
import { sameMark } from './mark-fields.ts';
import { openingError, prepareFolder } from './private-files.ts';
import { onFiles } from './system-error.ts';
import { vacantVault } from './vacant.ts';

const MAX_BYTES = 1_048_576;
const CAPABILITIES = { compareAndSet: true, readable: true, map: false } as const;

const schema = z.strictObject({
  path: z.string().min(1).describe('The folder that holds the entries; made (0700) where it is missing.'),
  key: z.string().min(1).describe('The file with the age identity; made (0600) where it and all entries are missing.'),
});

interface Found {
  readonly number: number;
  readonly version: string;
  readonly revision: string;
  readonly document: FileDocument;
}

class FileVault implements Vault {
  readonly name: string;
  readonly type = 'file';
  readonly identity: string;
  readonly capabilities = CAPABILITIES;
  readonly readBack: Duration;
  readonly #path: string;
  readonly #key: FileKey;
  readonly #context: VaultContext;

  constructor(path: string, key: FileKey, context: VaultContext) {
    this.name = context.name;
    this.identity = `file:${path}`;
    this.readBack = context.readBack;
    this.#path = path;
    this.#key = key;
    this.#context = context;
  }

  describe(ref: EntryRef, options?: { readonly prove?: boolean }, signal?: AbortSignal): Promise<EntryDescription> {
    return this.#on(ref, 'describing', signal, async () => {
      await this.#key.load();
      const found = await this.#find(ref.entry);
      if (found === null) return { state: 'absent' };
      const whole = isWhole(found.document);
      if (!whole || options?.prove !== true) return describeFound(found, whole);
      const payload = await this.#open(ref.entry, found.document);
      return describeFound(found, payload !== null && isProven(found.document, payload));
    });
  }

  read(ref: EntryRef, signal?: AbortSignal): Promise<EntryContent> {
    return this.#on(ref, 'reading', signal, async () => {
      const found = await this.#find(ref.entry);
      if (found === null) return { state: 'absent' };
      const payload = await this.#open(ref.entry, found.document);
      const bound = payload !== null && isWhole(found.document) && isProven(found.document, payload);
      return { ...describeFound(found, bound), payload };
    });
  }

  deliver(ref: EntryRef, payload: Payload, mark: Mark, expected: string, signal?: AbortSignal) {
    return this.#on(ref, 'writing', signal, async () => {
      if (payload.content.byteLength > MAX_BYTES) {
        throw this.#error('rejected', ref.entry, `the payload has more than ${MAX_BYTES} bytes`);
      }
      const found = await this.#expect(ref.entry, expected);
      if (found !== null && (await this.#holds(ref.entry, found.document, payload, mark))) {
        return { version: found.version };
      }
      const ciphertext = await this.#key.encrypt(payload.content);
      return this.#publish(ref.entry, found, payload, mark, { recipient: this.#key.recipient, ciphertext }, signal);
    });
  }

  restoreMark(ref: EntryRef, mark: Mark, expected: string, signal?: AbortSignal) {
    return this.#on(ref, 'marking', signal, async () => {
      const found = await this.#expect(ref.entry, expected);
      if (found === null) throw this.#error('conflict', ref.entry, 'there is no entry to mark');
      const payload = await this.#open(ref.entry, found.document);
      if (payload === null) throw this.#error('malformed', ref.entry, 'there is no value to mark, or it is damaged');
      return this.#publish(ref.entry, found, payload, mark, found.document, signal);
    });
  }

  async rights(_refs: readonly EntryRef[], signal?: AbortSignal): Promise<readonly RightReport[]> {
    signal?.throwIfAborted();
    return folderRights(this.#path);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** The newest version of an entry; null where there is none. */
  async #find(entry: string): Promise<Found | null> {
    const stored = await readNewest(this.#folder(entry));
    if (stored === null) {
      await this.#proveReached(entry);
      return null;
    }
    const document = parseDocument(stored.text);
    if (document === null) {
      const place = join(this.#folder(entry), String(stored.number).padStart(10, '0'));
      throw this.#error(
        'malformed',
        entry,
        `'${place}.json' cannot be read as a version: move it away, or put it right`,
      );
    }
    const { number, revision } = stored;
    return { number, version: `${number}-${ciphertextDigest(document)}`, revision, document };
  }

  /** 'Absent' is only what the vault says: its folder must still be the one that was opened. */
  async #proveReached(entry: string): Promise<void> {
    if (await hasSign(this.#path)) return;
    const why = `'${this.#path}' is not the folder that was opened at start (${SIGN} is gone): is it mounted?`;
    throw this.#error('unavailable', entry, why);
  }

  async #expect(entry: string, expected: string): Promise<Found | null> {
    const found = await this.#find(entry);
    if ((found?.version ?? ABSENT) !== expected) throw this.#conflict(entry);
    return found;
  }

  /** Nothing would change: then nothing is written (V16). */
  async #holds(entry: string, document: FileDocument, payload: Payload, mark: Mark): Promise<boolean> {
    if (document.mark === null || !sameMark(document.mark, mark) || document.form !== payload.form) return false;
    if (!isWhole(document) || !isProven(document, payload)) return false;
    const there = await this.#open(entry, document);
    return there?.content.equals(payload.content) ?? false;
  }

  async #publish(
    entry: string,
    found: Found | null,
    payload: Payload,
    mark: Mark,
    encrypted: { readonly recipient: string; readonly ciphertext: string },
    signal: AbortSignal | undefined,
  ): Promise<{ readonly version: string }> {
    const text = formatDocument(payload, mark, encrypted, this.#context.clock.now());
    const number = (found?.number ?? 0) + 1;
    signal?.throwIfAborted();
    const published = await publish(this.#folder(entry), number, text, this.#context.ids, (error) => {
      this.#context.log.warn('vault-tidy-failed', 'Older versions of an entry could not be removed.', {
        vault: this.name,
        entry,
        error: safeMessage(error),
      });
    });
    if (!published) throw this.#conflict(entry);
    const document = parseDocument(text);
    if (document === null) throw this.#error('malformed', entry, 'what was written cannot be read');
    return { version: `${number}-${ciphertextDigest(document)}` };
  }

  /** Null: no value in it, or a damaged one. @throws VaultError where it was encrypted for another key. */
  async #open(entry: string, document: FileDocument): Promise<Payload | null> {
    if (document.ciphertext === '') return null;
    const content = await this.#key.decrypt(document.ciphertext);
    if (content === null && !this.#key.recipients.includes(document.recipient)) {
      const why = `it was encrypted for ${document.recipient}, and the key file has only ${this.#key.recipients.join(', ')}: put the key back that it was written with`;
      throw this.#error('denied', entry, why);
    }
    return content === null || content.isEmpty ? null : { form: document.form, content };
  }

  #folder(entry: string): string {
    return join(this.#path, encodeEntryName(entry));
  }

  #on<T>(ref: EntryRef, doing: string, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    return onFiles({ vault: this.name, entry: ref.entry, doing }, signal, () => {
      const problem = fileNameProblem(ref.entry);
      if (problem !== null) throw this.#error('rejected', ref.entry, problem);
      return work();
    });
  }

  #conflict(entry: string): VaultError {
    return this.#error('conflict', entry, 'somebody else wrote it since it was read');
  }

  #error(fault: VaultFault, entry: string, why: string): VaultError {
    return new VaultError(fault, `Vault '${this.name}', entry '${entry}': ${why}.`, { vault: this.name, entry });
  }
}

/** Entries as age-encrypted files in a folder of this machine. Safe with several processes on one folder. */
export const fileVaultType = {
  type: 'file',
  schema,
  paths: ['path', 'key'],
  destination: {},
  maxBytes: MAX_BYTES,
  entryOf: (name) => name,
  nameProblem: fileNameProblem,
  create: openFileVault,
} as const satisfies VaultType<typeof schema>;

/** @throws ConfigError where folder or key cannot be used, VaultError for a fault of the machine. */
async function openFileVault(options: z.output<typeof schema>, context: VaultContext): Promise<Vault> {
  if (context.readOnly !== true) return openOrMake(options, context);
  const find = async () => ((await isInUse(context.name, options)) ? openOrMake(options, context) : null);
  return (await find()) ?? vacantVault('file', `file:${options.path}`, CAPABILITIES, context, find);
}

/** Makes what is missing of folder, key and sign. */
async function openOrMake(options: z.output<typeof schema>, context: VaultContext): Promise<Vault> {
  const option = { vault: context.name, option: 'path', path: options.path };
  await prepareFolder(option, 0o700, 0o077);
  const key = await openKey(options.key, () => hasEntries(options.path), context);
  try {
    await leaveSign(options.path);
  } catch (error) {
    throw openingError(option, 'write to', error);
  }
  return new FileVault(options.path, key, context);
}

function describeFound(found: Found, bound: boolean): Extract<EntryDescription, { state: 'present' }> {
  return {
    state: 'present',
    version: found.version,
    revision: found.revision,
    mark: found.document.mark,
    binding: bound ? 'bound' : 'broken',
  };
}
