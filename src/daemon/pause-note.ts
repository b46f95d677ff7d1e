import { DAY } from '../domain/time.ts';
import type { Duration, Instant } from '../domain/time.ts';
import type { Ledger } from '../ledger/contract.ts';
import type { EndedPause, Pause } from '../ledger/records.ts';
import { activePause, packed } from '../rotation/pauses.ts';

/** The pause of everything, as the ledger keeps it. */
export interface PauseNote {
  readonly pause: Pause | null;
  /** Ended ones, newest last: graces that ran meanwhile are put off by them. Older ones may stand for several: {@link bounded}. */
  readonly past: readonly EndedPause[];
}

const KEY = 'pause';
const KEPT = 100;
/** No grace that still runs began before. */
const LONGEST_GRACE: Duration = 5 * 366 * DAY;
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
    const next: PauseNote = { pause, past: bounded([...present.past, ...closed], now) };
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
 * The last {@link KEPT} are kept one by one; older ones as one for each day that they ended on, so that a script which pauses
 * and resumes for ever puts a grace off by what it paused, and by no more than another day's; in the end they are dropped.
 */
function bounded(past: readonly EndedPause[], now: Instant): readonly EndedPause[] {
  const recent = past.filter(({ until }) => until > now - LONGEST_GRACE);
  const days = Map.groupBy(recent.slice(0, -KEPT), ({ until }) => Math.floor(until / DAY));
  const older = [...days.values()].flatMap((each) => (each.length === 1 ? each : [packed(each)]));
  return [...older, ...recent.slice(-KEPT)];
}
