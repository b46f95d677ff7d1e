import type { Clock } from '../domain/ports.ts';
import type { Mark } from '../domain/mark.ts';
import type { Payload } from '../domain/payload.ts';
import type { Duration } from '../domain/time.ts';
import type { EntryDescription } from './contract.ts';
import { sameMark } from './mark-fields.ts';

/** Older states of an entry that are kept, for read lag and for rolling back. */
const KEPT = 100;

/** One state of an entry, as it is put. */
export interface MemoryWrite {
  readonly version: string;
  readonly payload: Payload | null;
  readonly mark: Mark | null;
  /** Whether the mark was written together with this value. */
  readonly bound: boolean;
  readonly locked: string | null;
  /** Metadata of others, which no write touches. */
  readonly foreign: Readonly<Record<string, string>>;
}

/** One state of an entry, as it is kept. */
export interface MemoryState extends MemoryWrite {
  /** Another one whenever another version is put, also one that was there before. */
  readonly revision: string;
}

interface Snapshot {
  /** By the monotonic clock. */
  readonly since: Duration;
  /** Null: the entry was removed. */
  readonly state: MemoryState | null;
}

/** What a memory vault keeps: every entry with the states it went through. */
export class MemoryEntries {
  readonly #clock: Clock;
  readonly #entries = new Map<string, Snapshot[]>();
  #versions = 0;
  #revisions = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Null: the entry is removed. */
  put(entry: string, write: MemoryWrite | null): void {
    const snapshots = this.#entries.get(entry) ?? [];
    this.#entries.set(entry, snapshots);
    const before = snapshots.at(-1)?.state ?? null;
    const isMoved = write !== null && before?.version !== write.version;
    if (isMoved) this.#revisions += 1;
    const revision = isMoved ? String(this.#revisions) : (before?.revision ?? '');
    snapshots.push({ since: this.#clock.monotonic(), state: write === null ? null : { ...write, revision } });
    if (snapshots.length > KEPT) snapshots.shift();
  }

  /** What is there now; null: nothing. */
  now(entry: string): MemoryState | null {
    return this.#entries.get(entry)?.at(-1)?.state ?? null;
  }

  /** What was there `lag` ago; null: nothing. */
  before(entry: string, lag: Duration): MemoryState | null {
    const until = this.#clock.monotonic() - lag;
    return this.#entries.get(entry)?.findLast((snapshot) => snapshot.since <= until)?.state ?? null;
  }

  /** Oldest first, at most the last 100. */
  history(entry: string): readonly MemoryState[] {
    return (this.#entries.get(entry) ?? []).flatMap(({ state }) => (state === null ? [] : [state]));
  }

  /** The names of those that are there now. */
  names(): readonly string[] {
    return [...this.#entries.keys()].filter((entry) => this.now(entry) !== null);
  }

  nextVersion(): string {
    this.#versions += 1;
    return String(this.#versions);
  }
}

/** What a look at a state shows. */
export function describeState(state: MemoryState): Extract<EntryDescription, { state: 'present' }> {
  const bound = state.bound && state.mark !== null && !isEmpty(state.payload);
  return {
    state: 'present',
    version: state.version,
    revision: state.revision,
    mark: state.mark,
    binding: bound ? 'bound' : 'broken',
    ...(state.locked === null ? {} : { locked: state.locked }),
  };
}

/** Whether there is no value in it (V12). */
export function isEmpty(payload: Payload | null): payload is null {
  return payload === null || payload.content.isEmpty;
}

/** Nothing would change: then nothing is written (V16). */
export function holds(state: MemoryState, payload: Payload, mark: Mark): boolean {
  return (
    state.bound &&
    state.mark !== null &&
    sameMark(state.mark, mark) &&
    state.payload !== null &&
    state.payload.form === payload.form &&
    state.payload.content.equals(payload.content)
  );
}
