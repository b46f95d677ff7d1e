import type { Instant } from '../domain/time.ts';
import type { Ledger } from '../ledger/contract.ts';
import type { Pause } from '../ledger/records.ts';
import { activePause } from '../rotation/pauses.ts';

/** The pause of everything, as the ledger keeps it. */
export interface PauseNote {
  readonly pause: Pause | null;
  /** Ended ones, newest last: graces that ran meanwhile are put off by them. The first may stand for many: {@link bounded}. */
  readonly past: readonly PastPause[];
}

interface PastPause {
  readonly since: Instant;
  readonly until: Instant;
}

const KEY = 'pause';
const KEPT = 100;
const NONE: PauseNote = { pause: null, past: [] };

/** Reads it; a pause whose end has come counts as past. @throws LedgerError */
export async function readPauseNote(ledger: Ledger, now: Instant): Promise<PauseNote> {
  const note = await ledger.note(KEY);
  return pauseNoteAt((note?.value as PauseNote | undefined) ?? NONE, now);
}

/** Changes it, and tries again where somebody else did at the same time. @throws LedgerError */
export async function changePauseNote(
  ledger: Ledger,
  now: Instant,
  change: (pause: Pause | null) => Pause | null,
): Promise<PauseNote> {
  for (;;) {
    const stored = await ledger.note(KEY);
    const present = pauseNoteAt((stored?.value as PauseNote | undefined) ?? NONE, now);
    const pause = change(present.pause);
    const closed = present.pause !== null && pause === null ? [{ since: present.pause.since, until: now }] : [];
    const next: PauseNote = { pause, past: bounded([...present.past, ...closed]) };
    if (await ledger.putNote(KEY, { version: stored?.version ?? 0, value: next })) return next;
  }
}

/** What it says at `now`: a pause whose end has come counts as past. */
export function pauseNoteAt(note: PauseNote, now: Instant): PauseNote {
  const { pause, past } = note;
  if (pause === null || pause.until === null || activePause(pause, now) !== null) return note;
  return { pause: null, past: [...past, { since: pause.since, until: pause.until }] };
}

/**
 * No more than may be kept: the two oldest become one that covers both, and the time between them, until there are so few.
 * Nothing that was covered is left out, so no grace becomes shorter, whatever pauses of its own its credential had.
 */
function bounded(past: readonly PastPause[]): readonly PastPause[] {
  const [first, second, ...rest] = past;
  if (past.length <= KEPT || first === undefined || second === undefined) return past;
  // in any order: the clock may have been set back between them
  const since = Math.min(first.since, second.since);
  return bounded([{ since, until: Math.max(first.until, second.until) }, ...rest]);
}
