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
import { describeState, holds, isEmpty } from './memory-entries.ts';
import type { MemoryState } from './memory-entries.ts';
import type { MemoryOperation } from './memory-faults.ts';
import { MemoryWorld } from './memory-world.ts';

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
 * the contract says; what tests do to it is inherited.
 */
export class MemoryVault extends MemoryWorld implements Vault {
  readonly name: string;
  readonly type = 'memory';
  readonly identity: string;
  readonly capabilities: VaultCapabilities;
  readonly readBack: Duration;
  /** Every call so far, oldest first. */
  readonly calls: MemoryCall[] = [];

  readonly #ticker: Ticker;

  constructor(context: MemoryVaultContext, capabilities: Partial<Omit<VaultCapabilities, 'map'>> = {}) {
    super(context.name, context.clock);
    this.name = context.name;
    this.identity = `memory:${context.name}`;
    this.readBack = context.readBack;
    this.capabilities = { compareAndSet: true, readable: true, ...capabilities, map: false };
    this.#ticker = context.ticker;
  }

  async describe(ref: EntryRef, _options?: object, signal?: AbortSignal): Promise<EntryDescription> {
    const lost = await this.#begin('describe', ref.entry, signal);
    if (lost !== null) throw lost;
    const state = this.kept.before(ref.entry, this.lag);
    return state === null ? { state: 'absent' } : describeState(state);
  }

  async read(ref: EntryRef, signal?: AbortSignal): Promise<EntryContent> {
    const lost = await this.#begin('read', ref.entry, signal);
    if (lost !== null) throw lost;
    if (!this.capabilities.readable) throw this.#error('rejected', ref.entry, 'its values cannot be read back');
    const state = this.kept.before(ref.entry, this.lag);
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
      this.kept.put(ref.entry, {
        version: this.kept.nextVersion(),
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
    this.kept.put(ref.entry, { ...state, mark, bound: true });
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

  /** @returns the error to throw after the work, null for none. @throws the fault that the call meets. */
  async #begin(operation: MemoryOperation, entry: string | null, signal?: AbortSignal): Promise<VaultError | null> {
    signal?.throwIfAborted();
    this.calls.push({ operation, entry });
    if (this.delay > 0) await this.#ticker.sleep(this.delay, signal);
    const met = this.faults.meet(operation, entry);
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
    return this.mustHave(entry).version;
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
