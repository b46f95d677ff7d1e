import type { Payload } from '../domain/payload.ts';
import type { Clock } from '../domain/ports.ts';
import type { Duration } from '../domain/time.ts';
import { MemoryEntries } from './memory-entries.ts';
import type { MemoryState } from './memory-entries.ts';
import { MemoryFaults } from './memory-faults.ts';
import type { MemoryFault } from './memory-faults.ts';

/**
 * The world around a memory vault, for tests to play: faults, a reader's lag, and people who edit by hand. Where a method
 * names an entry that must be there, it throws an Error if it is not.
 */
export abstract class MemoryWorld {
  protected readonly kept: MemoryEntries;
  protected readonly faults: MemoryFaults;
  protected lag: Duration = 0;
  protected delay: Duration = 0;

  protected constructor(name: string, clock: Clock) {
    this.kept = new MemoryEntries(clock);
    this.faults = new MemoryFaults(name);
  }

  /** Makes calls fail. @returns a function that lifts the fault. */
  fail(fault: MemoryFault): () => void {
    return this.faults.set(fault);
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
    this.faults.clear();
    this.lag = 0;
    this.delay = 0;
  }

  /** From now on describe and read show what was there this long ago. Writes compare with what is there. */
  setReadLag(lag: Duration): void {
    this.lag = lag;
  }

  /** From now on every call takes this long, by the ticker. */
  setDelay(delay: Duration): void {
    this.delay = delay;
  }

  /** Somebody writes another value and leaves our mark (V17). */
  editByHand(entry: string, payload: Payload): void {
    const state = this.mustHave(entry);
    this.kept.put(entry, { ...state, version: this.kept.nextVersion(), payload, bound: false });
  }

  /** Somebody makes an entry that no rekeyd knows (V4), or replaces ours by one. */
  putForeign(entry: string, payload: Payload): void {
    const state = { payload, mark: null, bound: false, locked: null, foreign: {} };
    this.kept.put(entry, { ...state, version: this.kept.nextVersion() });
  }

  /** Another tool strips our mark; the value and its version stay (C8). */
  removeMark(entry: string): void {
    this.kept.put(entry, { ...this.mustHave(entry), mark: null, bound: false });
  }

  /** Somebody brings back the value before this one, with the mark it had (V14). */
  rollBack(entry: string): void {
    this.kept.put(entry, { ...this.#older(entry), version: this.kept.nextVersion() });
  }

  /**
   * Somebody makes the version before this one the current one again, as the stage of a version is moved (V19).
   * @returns what moves it forth again.
   */
  moveBack(entry: string): () => void {
    const now = this.mustHave(entry);
    const older = this.#older(entry);
    this.kept.put(entry, older);
    return () => this.kept.put(entry, now);
  }

  /** The value is taken out, the entry and its mark stay (V12). */
  makeEmpty(entry: string): void {
    this.kept.put(entry, { ...this.mustHave(entry), version: this.kept.nextVersion(), payload: null });
  }

  /** The entry cannot be written any more; null: it can. */
  lock(entry: string, why: string | null): void {
    this.kept.put(entry, { ...this.mustHave(entry), locked: why });
  }

  /** Somebody deletes the entry. */
  remove(entry: string): void {
    this.mustHave(entry);
    this.kept.put(entry, null);
  }

  addForeignMetadata(entry: string, key: string, value: string): void {
    const state = this.mustHave(entry);
    this.kept.put(entry, { ...state, foreign: { ...state.foreign, [key]: value } });
  }

  /** What is there now, whatever the lag; null: nothing. */
  peek(entry: string): MemoryState | null {
    return this.kept.now(entry);
  }

  /** The states an entry went through, oldest first, at most the last 100. */
  history(entry: string): readonly MemoryState[] {
    return this.kept.history(entry);
  }

  /** The names of all entries that are there now. */
  entries(): readonly string[] {
    return this.kept.names();
  }

  #older(entry: string): MemoryState {
    const now = this.mustHave(entry);
    const older = this.history(entry).findLast(
      (state) => state.payload !== null && now.payload !== null && !state.payload.content.equals(now.payload.content),
    );
    if (older === undefined) throw new Error(`Entry '${entry}' has no older value.`);
    return older;
  }

  protected mustHave(entry: string): MemoryState {
    const state = this.peek(entry);
    if (state === null) throw new Error(`There is no entry '${entry}'.`);
    return state;
  }
}
