import { z } from 'zod';
import { VaultError } from '../domain/errors.ts';
import type { Mark } from '../domain/mark.ts';
import type { Payload } from '../domain/payload.ts';
import type { Clock, Ticker } from '../domain/ports.ts';
import type { RightReport } from '../domain/rights.ts';
import type { Duration } from '../domain/time.ts';
import { ABSENT } from './contract.ts';
import type { EntryContent, EntryDescription, EntryRef, Vault, VaultCapabilities, VaultType } from './contract.ts';
import { entryNameProblem } from './entry-name.ts';
import { describeState, holds, isEmpty, MemoryEntries } from './memory-entries.ts';
import type { MemoryState } from './memory-entries.ts';
import { MemoryFaults } from './memory-faults.ts';
import type { MemoryFault, MemoryOperation } from './memory-faults.ts';

const MAX_BYTES = 1_048_576;

/** What a memory vault is made with. */
export interface MemoryVaultContext {
  readonly name: string;
  readonly readBack: Duration;
  readonly clock: Clock;
  readonly ticker: Ticker;
}

/** One call that reached a memory vault. */
export interface MemoryCall {
  readonly operation: MemoryOperation;
  readonly entry: string | null;
}

/**
 * The reference vault: keeps everything in memory and loses it with the process. The methods of {@link Vault} behave as
 * the contract says; the others play the world around it: faults, a reader's lag, people who edit by hand.
 */
export class MemoryVault implements Vault {
  readonly name: string;
  readonly type = 'memory';
  readonly identity: string;
  readonly capabilities: VaultCapabilities;
  readonly readBack: Duration;
  /** Every call so far, oldest first. */
  readonly calls: MemoryCall[] = [];

  readonly #ticker: Ticker;
  readonly #entries: MemoryEntries;
  readonly #faults: MemoryFaults;
  #lag: Duration = 0;
  #delay: Duration = 0;

  constructor(context: MemoryVaultContext, capabilities: Partial<Omit<VaultCapabilities, 'map'>> = {}) {
    this.name = context.name;
    this.identity = `memory:${context.name}`;
    this.readBack = context.readBack;
    this.capabilities = { compareAndSet: true, readable: true, ...capabilities, map: false };
    this.#entries = new MemoryEntries(context.clock);
    this.#ticker = context.ticker;
    this.#faults = new MemoryFaults(context.name);
  }

  async describe(ref: EntryRef, _options?: object, signal?: AbortSignal): Promise<EntryDescription> {
    const lost = await this.#begin('describe', ref.entry, signal);
    if (lost !== null) throw lost;
    const state = this.#entries.before(ref.entry, this.#lag);
    return state === null ? { state: 'absent' } : describeState(state);
  }

  async read(ref: EntryRef, signal?: AbortSignal): Promise<EntryContent> {
    const lost = await this.#begin('read', ref.entry, signal);
    if (lost !== null) throw lost;
    if (!this.capabilities.readable) throw this.#error('rejected', ref.entry, 'its values cannot be read back');
    const state = this.#entries.before(ref.entry, this.#lag);
    if (state === null) return { state: 'absent' };
    return { ...describeState(state), payload: isEmpty(state.payload) ? null : state.payload };
  }

  async deliver(ref: EntryRef, payload: Payload, mark: Mark, expected: string, signal?: AbortSignal) {
    const lost = await this.#begin('deliver', ref.entry, signal);
    if (payload.content.byteLength > MAX_BYTES) {
      throw this.#error('rejected', ref.entry, `the payload has more than ${MAX_BYTES} bytes`);
    }
    const state = this.capabilities.compareAndSet
      ? this.#expect(ref.entry, expected)
      : await this.#expectTooEarly(ref.entry, expected);
    if (state === null || !holds(state, payload, mark)) {
      const foreign = state?.foreign ?? {};
      this.#entries.put(ref.entry, {
        version: this.#entries.nextVersion(),
        payload,
        mark,
        bound: true,
        locked: null,
        foreign,
      });
    }
    if (lost !== null) throw lost;
    return { version: this.#version(ref.entry) };
  }

  async restoreMark(ref: EntryRef, mark: Mark, expected: string, signal?: AbortSignal) {
    const lost = await this.#begin('restoreMark', ref.entry, signal);
    const state = this.capabilities.compareAndSet
      ? this.#expect(ref.entry, expected)
      : await this.#expectTooEarly(ref.entry, expected);
    if (state === null) throw this.#error('conflict', ref.entry, 'there is no entry to mark');
    this.#entries.put(ref.entry, { ...state, mark, bound: true });
    if (lost !== null) throw lost;
    return { version: this.#version(ref.entry) };
  }

  async rights(_refs: readonly EntryRef[], signal?: AbortSignal): Promise<readonly RightReport[]> {
    const lost = await this.#begin('rights', null, signal);
    if (lost !== null) throw lost;
    return [{ right: 'reached', status: 'ok', hint: '' }];
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  // The world around it, for tests.

  /** Makes calls fail. @returns a function that lifts the fault. */
  fail(fault: MemoryFault): () => void {
    return this.#faults.set(fault);
  }

  /** Reading (and all else) is denied. @returns a function that lifts it. */
  deny(entry?: string): () => void {
    return this.fail({ fault: 'denied', ...(entry === undefined ? {} : { entry }) });
  }

  /** The vault does not answer. @returns a function that lifts it. */
  goDown(entry?: string): () => void {
    return this.fail({ fault: 'unavailable', ...(entry === undefined ? {} : { entry }) });
  }

  /** Lifts all faults, lag and delay. */
  mend(): void {
    this.#faults.clear();
    this.#lag = 0;
    this.#delay = 0;
  }

  /** From now on describe and read show what was there this long ago. Writes compare with what is there. */
  setReadLag(lag: Duration): void {
    this.#lag = lag;
  }

  /** From now on every call takes this long, by the ticker. */
  setDelay(delay: Duration): void {
    this.#delay = delay;
  }

  /** Somebody writes another value and leaves our mark (V17). */
  editByHand(entry: string, payload: Payload): void {
    const state = this.#mustHave(entry);
    this.#entries.put(entry, { ...state, version: this.#entries.nextVersion(), payload, bound: false });
  }

  /** Somebody makes an entry that no rekeyd knows (V4), or replaces ours by one. */
  putForeign(entry: string, payload: Payload): void {
    const state = { payload, mark: null, bound: false, locked: null, foreign: {} };
    this.#entries.put(entry, { ...state, version: this.#entries.nextVersion() });
  }

  /** Another tool strips our mark; the value and its version stay (C8). */
  removeMark(entry: string): void {
    this.#entries.put(entry, { ...this.#mustHave(entry), mark: null, bound: false });
  }

  /** Somebody brings back the value before this one, with the mark it had (V14). */
  rollBack(entry: string): void {
    const now = this.#mustHave(entry);
    const older = this.history(entry).findLast(
      (state) => state.payload !== null && now.payload !== null && !state.payload.content.equals(now.payload.content),
    );
    if (older === undefined) throw new Error(`Entry '${entry}' has no older value.`);
    this.#entries.put(entry, { ...older, version: this.#entries.nextVersion() });
  }

  /** The value is taken out, the entry and its mark stay (V12). */
  makeEmpty(entry: string): void {
    this.#entries.put(entry, { ...this.#mustHave(entry), version: this.#entries.nextVersion(), payload: null });
  }

  /** The entry cannot be written any more; null: it can. */
  lock(entry: string, why: string | null): void {
    this.#entries.put(entry, { ...this.#mustHave(entry), locked: why });
  }

  /** Somebody deletes the entry. */
  remove(entry: string): void {
    this.#mustHave(entry);
    this.#entries.put(entry, null);
  }

  addForeignMetadata(entry: string, key: string, value: string): void {
    const state = this.#mustHave(entry);
    this.#entries.put(entry, { ...state, foreign: { ...state.foreign, [key]: value } });
  }

  /** What is there now, whatever the lag; null: nothing. */
  peek(entry: string): MemoryState | null {
    return this.#entries.now(entry);
  }

  /** The states an entry went through, oldest first, at most the last 100. */
  history(entry: string): readonly MemoryState[] {
    return this.#entries.history(entry);
  }

  /** The names of all entries that are there now. */
  entries(): readonly string[] {
    return this.#entries.names();
  }

  /** @returns the error to throw after the work, null for none. @throws the fault that the call meets. */
  async #begin(operation: MemoryOperation, entry: string | null, signal?: AbortSignal): Promise<VaultError | null> {
    signal?.throwIfAborted();
    this.calls.push({ operation, entry });
    if (this.#delay > 0) await this.#ticker.sleep(this.#delay, signal);
    const met = this.#faults.meet(operation, entry);
    if (met === null) return null;
    if (!met.applied) throw met.error;
    return met.error;
  }

  /** Without compare-and-set there is a gap between check and write, in which another writer comes in. */
  async #expectTooEarly(entry: string, expected: string): Promise<MemoryState | null> {
    this.#expect(entry, expected);
    await Promise.resolve();
    return this.peek(entry);
  }

  #expect(entry: string, expected: string): MemoryState | null {
    const state = this.peek(entry);
    if ((state === null ? ABSENT : state.version) !== expected) {
      throw this.#error('conflict', entry, 'somebody else wrote it since it was read');
    }
    if (state?.locked !== null && state?.locked !== undefined) throw this.#error('locked', entry, state.locked);
    return state;
  }

  #version(entry: string): string {
    return this.#mustHave(entry).version;
  }

  #mustHave(entry: string): MemoryState {
    const state = this.peek(entry);
    if (state === null) throw new Error(`There is no entry '${entry}'.`);
    return state;
  }

  #error(fault: 'rejected' | 'conflict' | 'locked', entry: string, why: string): VaultError {
    return new VaultError(fault, `Vault '${this.name}', entry '${entry}': ${why}.`, { vault: this.name, entry });
  }
}

/** Nothing that is kept survives the process: for trying rekeyd out, and for tests. */
export const memoryVaultType = {
  type: 'memory',
  schema: z.strictObject({}),
  paths: [],
  destination: {},
  maxBytes: MAX_BYTES,
  entryOf: (name) => name,
  nameProblem: entryNameProblem,
  create: (_options, context) => new MemoryVault(context),
} as const satisfies VaultType<z.ZodObject>;
