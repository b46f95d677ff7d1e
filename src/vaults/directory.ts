import { rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { z } from 'zod';
import { VaultError, safeMessage } from '../domain/errors.ts';
import type { VaultFault } from '../domain/errors.ts';
import type { Mark } from '../domain/mark.ts';
import type { Payload } from '../domain/payload.ts';
import type { RightReport } from '../domain/rights.ts';
import { SecretValue } from '../domain/secret-value.ts';
import type { Duration } from '../domain/time.ts';
import { ABSENT } from './contract.ts';
import type { EntryContent, EntryDescription, EntryRef, Vault, VaultContext, VaultType } from './contract.ts';
import { folderMode, giveFile, giveFolder, makeParents } from './directory-access.ts';
import type { Access } from './directory-access.ts';
import { directoryNameProblem, directoryOptions } from './directory-options.ts';
import { directoryRights } from './directory-rights.ts';
import {
  fitting,
  readSidecar,
  sidecarMark,
  SIDECAR_FOLDER,
  unmarked,
  withNewMark,
  writeSidecar,
} from './directory-sidecar.ts';
import type { SidecarMark } from './directory-sidecar.ts';
import { readRevision, syncFolder, tidyTemporaries, writeTemporary } from './durable-file.ts';
import { valueVersion } from './fingerprint.ts';
import { sameMark } from './mark-fields.ts';
import { OneAtATime } from './one-at-a-time.ts';
import { isThere, optionError, prepareFolder } from './private-files.ts';
import { isNotFound, onFiles } from './system-error.ts';
import { vacantVault } from './vacant.ts';

const MAX_BYTES = 1_048_576;
const CAPABILITIES = { compareAndSet: false, readable: true, map: false } as const;

interface Found {
  readonly content: SecretValue;
  readonly version: string;
  readonly revision: string;
  /** The mark for this content; null: there is none for it. */
  readonly line: SidecarMark | null;
  /** All marks beside it; null: none. */
  readonly sidecar: readonly SidecarMark[] | null;
}

class DirectoryVault implements Vault {
  readonly name: string;
  readonly type = 'directory';
  readonly identity: string;
  readonly capabilities = CAPABILITIES;
  readonly readBack: Duration;
  readonly #path: string;
  readonly #access: Access;
  readonly #context: VaultContext;
  readonly #writers = new OneAtATime();

  constructor(path: string, access: Access, context: VaultContext) {
    this.name = context.name;
    this.identity = `directory:${path}`;
    this.readBack = context.readBack;
    this.#path = path;
    this.#access = access;
    this.#context = context;
  }

  /** Always reads the content: only it tells which mark is its own. */
  describe(ref: EntryRef, _options?: object, signal?: AbortSignal): Promise<EntryDescription> {
    return this.#on(ref, 'describing', signal, async () => {
      const found = await this.#find(ref.entry);
      return found === null ? { state: 'absent' } : describeFound(found);
    });
  }

  read(ref: EntryRef, signal?: AbortSignal): Promise<EntryContent> {
    return this.#on(ref, 'reading', signal, async () => {
      const found = await this.#find(ref.entry);
      if (found === null) return { state: 'absent' };
      return { ...describeFound(found), payload: found.content.isEmpty ? null : payloadOf(found) };
    });
  }

  deliver(ref: EntryRef, payload: Payload, mark: Mark, expected: string, signal?: AbortSignal) {
    return this.#write(ref, 'writing', signal, async () => {
      if (payload.content.byteLength > MAX_BYTES) {
        throw this.#error('rejected', ref.entry, `the payload has more than ${MAX_BYTES} bytes`);
      }
      const found = await this.#expect(ref.entry, expected);
      const version = valueVersion(payload, ref.entry);
      if (found !== null && holds(found, payload, mark)) return { version };
      await makeParents(this.#path, ref.entry, this.#access);
      const current = found !== null && found.sidecar === null ? unmarked(found.content) : (found?.line ?? null);
      const lines = withNewMark(found?.sidecar ?? [], current, sidecarMark(payload, mark));
      signal?.throwIfAborted();
      // First the marks for both contents, then the new content: a crash in between leaves nothing ambiguous (V2).
      await writeSidecar(this.#path, ref.entry, lines, this.#context.ids);
      await this.#replace(ref.entry, payload.content);
      return { version };
    });
  }

  restoreMark(ref: EntryRef, mark: Mark, expected: string, signal?: AbortSignal) {
    return this.#write(ref, 'marking', signal, async () => {
      const found = await this.#expect(ref.entry, expected);
      if (found === null) throw this.#error('conflict', ref.entry, 'there is no entry to mark');
      if (found.content.isEmpty) throw this.#error('malformed', ref.entry, 'there is no value to mark');
      const lines = withNewMark(found.sidecar ?? [], found.line, sidecarMark(payloadOf(found), mark));
      await writeSidecar(this.#path, ref.entry, lines, this.#context.ids);
      return { version: found.version };
    });
  }

  async rights(_refs: readonly EntryRef[], signal?: AbortSignal): Promise<readonly RightReport[]> {
    signal?.throwIfAborted();
    return directoryRights(this.#path, this.#access);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  async #find(entry: string): Promise<Found | null> {
    let read: { text: string; revision: string };
    try {
      read = await readRevision(join(this.#path, entry), MAX_BYTES);
    } catch (error) {
      if (!isNotFound(error)) throw error;
      await this.#proveReached(entry);
      return null;
    }
    const { revision } = read;
    const content = SecretValue.of(read.text);
    const sidecar = await readSidecar(this.#path, entry);
    const version = valueVersion({ form: 'opaque', content }, entry);
    return { content, version, revision, sidecar, line: sidecar === null ? null : fitting(sidecar, content) };
  }

  /** 'Absent' is only what the vault says: its folder must still be the one that was opened. */
  async #proveReached(entry: string): Promise<void> {
    try {
      await stat(join(this.#path, SIDECAR_FOLDER));
    } catch (error) {
      if (!isNotFound(error)) throw error;
      const why = `'${this.#path}' is not the folder that was opened at start ('${SIDECAR_FOLDER}' in it is gone): is it mounted? If it was removed on purpose, start rekeyd again`;
      throw this.#error('unavailable', entry, why);
    }
  }

  async #expect(entry: string, expected: string): Promise<Found | null> {
    const found = await this.#find(entry);
    if ((found?.version ?? ABSENT) !== expected) {
      throw this.#error('conflict', entry, 'somebody else wrote it since it was read');
    }
    return found;
  }

  async #replace(entry: string, content: SecretValue): Promise<void> {
    const target = join(this.#path, entry);
    const folder = dirname(target);
    const temporary = await writeTemporary(folder, content.reveal(), this.#context.ids, (file) =>
      giveFile(file, this.#access),
    );
    try {
      const mine = await stat(temporary);
      await rename(temporary, target);
      await syncFolder(folder);
      await tidyTemporaries(folder, mine);
    } finally {
      await rm(temporary, { force: true });
    }
  }

  #write<T>(ref: EntryRef, doing: string, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    return this.#writers.run(ref.entry, () => this.#on(ref, doing, signal, work));
  }

  #on<T>(ref: EntryRef, doing: string, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    return onFiles({ vault: this.name, entry: ref.entry, doing }, signal, () => {
      const problem = directoryNameProblem(ref.entry);
      if (problem !== null) throw this.#error('rejected', ref.entry, problem);
      return work();
    });
  }

  #error(fault: VaultFault, entry: string, why: string): VaultError {
    return new VaultError(fault, `Vault '${this.name}', entry '${entry}': ${why}.`, { vault: this.name, entry });
  }
}

/** Plain files for consumers on this machine. */
export const directoryVaultType = {
  type: 'directory',
  schema: directoryOptions,
  paths: ['path'],
  destination: {},
  maxBytes: MAX_BYTES,
  entryOf: (name) => name,
  nameProblem: (name) => directoryNameProblem(name),
  create: openDirectoryVault,
} as const satisfies VaultType<typeof directoryOptions>;

/** @throws ConfigError where the folder cannot be used. */
async function openDirectoryVault(options: z.output<typeof directoryOptions>, context: VaultContext): Promise<Vault> {
  const rights = { mode: Number.parseInt(options.mode, 8), uid: options.uid, gid: options.gid };
  const option = { vault: context.name, option: 'path', path: options.path };
  if (context.readOnly === true) {
    const find = async () => ((await isThere(option)) ? new DirectoryVault(options.path, rights, context) : null);
    return (await find()) ?? vacantVault('directory', `directory:${options.path}`, CAPABILITIES, context, find);
  }
  const made = await prepareFolder(option, folderMode(rights), 0o022);
  try {
    if (made) await giveFolder(options.path, rights);
  } catch (error) {
    throw optionError(option, `cannot give '${options.path}' to group ${rights.gid ?? ''}: ${safeMessage(error)}`);
  }
  await prepareFolder({ ...option, path: join(options.path, SIDECAR_FOLDER) }, 0o700, 0o077);
  return new DirectoryVault(options.path, rights, context);
}

function payloadOf(found: Found): Payload {
  return { form: found.line?.form ?? 'opaque', content: found.content };
}

function describeFound(found: Found): Extract<EntryDescription, { state: 'present' }> {
  const mark = found.line === null ? (found.sidecar?.at(-1)?.mark ?? null) : found.line.mark;
  const bound = found.line !== null && found.line.mark !== null && !found.content.isEmpty;
  const { version, revision } = found;
  return { state: 'present', version, revision, mark, binding: bound ? 'bound' : 'broken' };
}

/** Nothing would change: then nothing is written (V16). */
function holds(found: Found, payload: Payload, mark: Mark): boolean {
  const line = found.line;
  if (line === null || line.mark === null || !sameMark(line.mark, mark)) return false;
  return line.form === payload.form && found.content.equals(payload.content);
}
