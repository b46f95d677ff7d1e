import { readFile } from 'node:fs/promises';
import type { z } from 'zod';
import { ConfigError, safeMessage } from '../domain/errors.ts';
import type { VaultError, VaultFault } from '../domain/errors.ts';
import type { Mark } from '../domain/mark.ts';
import type { Payload } from '../domain/payload.ts';
import type { RightReport } from '../domain/rights.ts';
import type { Duration } from '../domain/time.ts';
import { ABSENT } from './contract.ts';
import type { EntryContent, EntryDescription, EntryRef, Vault, VaultContext, VaultType } from './contract.ts';
import { entryNameProblem } from './entry-name.ts';
import { Client } from './hashicorp-vault/client.ts';
import { KvEngine } from './hashicorp-vault/engine.ts';
import type { KvFound } from './hashicorp-vault/engine.ts';
import {
  announcing,
  expectedLine,
  fieldsProblem,
  fitting,
  isSettled,
  lineFor,
  MOST_METADATA_BYTES,
  readLines,
  replacing,
  settling,
} from './hashicorp-vault/marks.ts';
import type { Changes, Line } from './hashicorp-vault/marks.ts';
import { hashicorpVaultSchema } from './hashicorp-vault/options.ts';
import type { HashicorpVaultOptions } from './hashicorp-vault/options.ts';
import { kvRights } from './hashicorp-vault/rights.ts';
import { dataWith, normalized, payloadIn } from './hashicorp-vault/value.ts';
import type { KvEntry } from './hashicorp-vault/wire.ts';

/** Below the 1 MiB of an entry in integrated storage, which holds the JSON, its escapes and the seal's own bytes too. */
const MAX_BYTES = 1_000_000;
const MOST_STORED = 1_047_000;
const MOST_NAME_BYTES = 1024;
const CAPABILITIES = { compareAndSet: true, readable: true, map: true } as const;

/** An entry with the line that is proven to be of its value, and the one that it should have. */
interface Seen extends KvFound {
  readonly lines: readonly Line[];
  readonly fit: Line | null;
  readonly expected: Line | null;
}

class HashicorpVault implements Vault {
  readonly name: string;
  readonly type = 'hashicorp-vault';
  readonly identity: string;
  readonly capabilities = CAPABILITIES;
  readonly readBack: Duration;
  readonly #client: Client;
  readonly #engine: KvEngine;

  constructor(options: HashicorpVaultOptions, ca: string | null, context: VaultContext) {
    this.name = context.name;
    const server = options.cluster ?? new URL(options.url).href.replace(/\/$/, '');
    this.identity = `hashicorp-vault:${server}:${options.namespace ?? ''}:${options.mount}`;
    this.readBack = context.readBack;
    this.#client = new Client(options, ca, context);
    this.#engine = new KvEngine(this.#client, options.mount, context);
  }

  /** With `prove` the value is read too: only it tells which mark is its own. */
  async describe(
    ref: EntryRef,
    options?: { readonly prove?: boolean },
    signal?: AbortSignal,
  ): Promise<EntryDescription> {
    const name = this.#nameOf(ref);
    if (options?.prove === true) {
      const seen = await this.#see(name, signal);
      return seen === null ? { state: 'absent' } : describeSeen(seen);
    }
    const entry = await this.#engine.describe(name, signal);
    if (entry === null) return { state: 'absent' };
    const line = expectedLine(readLines(entry.customMetadata), entry.version, entry.customMetadata);
    const binding = line === null || entry.gone ? 'broken' : 'unproven';
    return { state: 'present', version: versionOf(entry), mark: line?.mark ?? null, binding };
  }

  async read(ref: EntryRef, signal?: AbortSignal): Promise<EntryContent> {
    const seen = await this.#see(this.#nameOf(ref), signal);
    if (seen === null) return { state: 'absent' };
    const { fit, expected, data } = seen;
    const line = fit ?? expected;
    const payload = data === null ? null : payloadIn(data, line === null ? '*' : line.keys);
    return { ...describeSeen(seen), payload };
  }

  async deliver(ref: EntryRef, payload: Payload, mark: Mark, expected: string, signal?: AbortSignal) {
    const name = this.#nameOf(ref);
    const own = normalized(payload);
    if (own === null) throw this.#error('rejected', name, 'the payload is no map of fields, or has nothing in it');
    if (payload.content.byteLength > MAX_BYTES) {
      throw this.#error('rejected', name, `the payload has more than ${MAX_BYTES} bytes`);
    }
    const seen = await this.#expect(name, expected, signal);
    const [now, custom] = [seen?.entry.version ?? 0, seen?.entry.customMetadata ?? {}];
    const next = lineFor(now + 1, mark, own.keys, own.payload);
    if (seen?.fit?.fingerprint === next.fingerprint) {
      if (!isSettled(custom, seen.fit)) await this.#mark(name, settling(seen.fit), signal);
      return { version: versionOf(seen.entry) };
    }
    const data = dataWith(seen?.data ?? {}, (seen?.fit ?? seen?.expected ?? { keys: '*' as const }).keys, payload);
    if (Buffer.byteLength(JSON.stringify(data)) > MOST_STORED) {
      throw this.#error('rejected', name, 'the entry, as JSON and with the keys of others, has more than 1 MiB');
    }
    // The mark for the new value goes first, beside that of the old one: a crash in between leaves nothing ambiguous (V2).
    await this.#mark(name, announcing(seen?.lines ?? [], next, seen?.fit ?? null), signal);
    const written = await this.#engine.write(name, now, data, signal);
    await this.#mark(name, settling(next), signal);
    return { version: versionOf({ ...written, gone: false }) };
  }

  async restoreMark(ref: EntryRef, mark: Mark, expected: string, signal?: AbortSignal) {
    const name = this.#nameOf(ref);
    const seen = await this.#expect(name, expected, signal);
    if (seen === null) throw this.#error('conflict', name, 'there is no entry to mark');
    const { keys } = seen.fit ?? seen.expected ?? { keys: '*' as const };
    const payload = seen.data === null ? null : payloadIn(seen.data, keys);
    if (payload === null) throw this.#error('malformed', name, 'there is no value to mark');
    const line = lineFor(seen.entry.version, mark, keys, payload);
    await this.#mark(name, replacing(seen.lines, line), signal);
    return { version: versionOf(seen.entry) };
  }

  rights(refs: readonly EntryRef[], signal?: AbortSignal): Promise<readonly RightReport[]> {
    return kvRights(this.#client, this.#engine, [...new Set(refs.map(({ entry }) => entry))], signal);
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  async #see(name: string, signal: AbortSignal | undefined): Promise<Seen | null> {
    const found = await this.#engine.read(name, signal);
    if (found === null) return null;
    const { entry, data } = found;
    const lines = readLines(entry.customMetadata);
    const fit = data === null ? null : fitting(lines, entry.version, data);
    return { ...found, lines, fit, expected: expectedLine(lines, entry.version, entry.customMetadata) };
  }

  async #expect(name: string, expected: string, signal: AbortSignal | undefined): Promise<Seen | null> {
    const seen = await this.#see(name, signal);
    if ((seen === null ? ABSENT : versionOf(seen.entry)) !== expected) {
      throw this.#error('conflict', name, 'somebody else wrote it since it was read');
    }
    return seen;
  }

  async #mark(name: string, changes: Changes, signal: AbortSignal | undefined): Promise<void> {
    const long = Object.entries(changes).find(([, text]) => Buffer.byteLength(text ?? '') > MOST_METADATA_BYTES);
    if (long !== undefined) {
      const what = long[0].endsWith('-keys') ? 'the names of all fields' : 'the mark';
      throw this.#error(
        'rejected',
        name,
        `${what} together need more than the ${MOST_METADATA_BYTES} bytes of a metadata key`,
      );
    }
    await this.#engine.patchCustomMetadata(name, changes, signal);
  }

  #nameOf({ entry }: EntryRef): string {
    const problem = nameProblem(entry);
    if (problem !== null) throw this.#error('rejected', entry, problem);
    return entry;
  }

  #error(fault: VaultFault, entry: string, why: string): VaultError {
    return this.#client.failures.make(fault, entry, why);
  }
}

/** HashiCorp Vault and OpenBao: the KV engine, version 2, one key a field. */
export const hashicorpVaultType = {
  type: 'hashicorp-vault',
  schema: hashicorpVaultSchema,
  paths: ['caFile'],
  destination: {},
  maxBytes: MAX_BYTES,
  entryOf: (name) => name,
  nameProblem: (name) => nameProblem(name),
  fieldsProblem,
  create: openHashicorpVault,
} as const satisfies VaultType<typeof hashicorpVaultSchema>;

/** @throws ConfigError where the file with the CA cannot be used. The server is not asked before the first call. */
async function openHashicorpVault(
  options: z.output<typeof hashicorpVaultSchema>,
  context: VaultContext,
): Promise<Vault> {
  return new HashicorpVault(options, await readCa(options.caFile, context.name), context);
}

async function readCa(path: string | null, vault: string): Promise<string | null> {
  if (path === null) return null;
  const fail = (message: string): ConfigError =>
    new ConfigError([{ file: null, line: null, column: null, key: `vaults.${vault}.caFile`, message }]);
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw fail(`cannot read '${path}': ${safeMessage(error)}`);
  });
  if (!text.includes('-----BEGIN CERTIFICATE-----')) throw fail(`'${path}' holds no certificate in PEM`);
  return text;
}

/** The server takes printable text in a path, and its storage keys of a bounded length. */
function nameProblem(name: string): string | null {
  const problem = entryNameProblem(name);
  if (problem !== null) return problem;
  if (/(?! )[\p{C}\p{Z}]/u.test(name)) return 'the name holds a character that cannot be printed';
  const bytes = Buffer.byteLength(name);
  return bytes <= MOST_NAME_BYTES ? null : `the name has ${bytes} bytes; ${MOST_NAME_BYTES} is the most`;
}

/**
 * The number and the time of the version: numbers begin anew where an entry was removed with its metadata and made again.
 * A version that was deleted is another one than it was with its value, and is itself again when it is undeleted.
 */
function versionOf({ version, createdTime, gone }: Pick<KvEntry, 'version' | 'createdTime' | 'gone'>): string {
  return `${version}@${createdTime}${gone ? '-deleted' : ''}`;
}

function describeSeen({ entry, fit, expected }: Seen): Extract<EntryDescription, { state: 'present' }> {
  const mark = (fit ?? expected)?.mark ?? null;
  return { state: 'present', version: versionOf(entry), mark, binding: fit === null ? 'broken' : 'bound' };
}
