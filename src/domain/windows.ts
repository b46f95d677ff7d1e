import { DAY } from './time.ts';
import type { Duration, Instant } from './time.ts';

/** A maintenance window as it is written down. */
export interface WrittenWindow {
  /** When it opens: a cron expression, read in `timezone`. */
  readonly start: string;
  readonly duration: Duration;
  readonly timezone: string;
}

/** One window with its calendar. */
export interface Window extends WrittenWindow {
  /** When it opens within [from, to), ascending. The same for every call: nothing is read but the arguments. */
  readonly openings: (from: Instant, to: Instant) => readonly Instant[];
}

/** A time without a break in which some window is open: [opens, closes). */
export interface Stretch {
  readonly opens: Instant;
  readonly closes: Instant;
}

/** So far ahead an opening is looked for: a 29th of February comes in it, also around the year 2100. */
const HORIZON: Duration = 9 * 366 * DAY;

/** So many days of openings are remembered. */
const MOST_DAYS = 4_096;

/**
 * The maintenance windows of a policy, one at least. Windows that overlap or touch are one stretch. It never asks what time
 * it is: every instant is handed in, and the same one gives the same answer.
 */
export class Windows {
  readonly written: readonly WrittenWindow[];
  readonly #windows: readonly Window[];
  readonly #longest: Duration;
  readonly #days = new Map<number, readonly Stretch[]>();

  constructor(windows: readonly Window[]) {
    this.written = windows.map(({ start, duration, timezone }) => ({ start, duration, timezone }));
    this.#windows = windows;
    this.#longest = Math.max(...windows.map((each) => each.duration));
  }

  /**
   * The first moment from `at` on from which the windows stay open for `room`: `at` itself where that is so now.
   * @returns null where none comes within nine years.
   */
  opening(at: Instant, room: Duration): Instant | null {
    for (let from = at; from < at + HORIZON;) {
      const stretch = this.stretch(from, room);
      if (stretch === null) return null;
      const begin = Math.max(at, stretch.opens);
      if (stretch.closes - begin >= room) return begin;
      from = stretch.closes;
    }
    return null;
  }

  /**
   * The stretch that is open at `at`, or else the next one; null: none within nine years. Windows that never shut have no
   * end: it may be cut once it is open for `enough` from `at`, or from its opening.
   */
  stretch(at: Instant, enough: Duration): Stretch | null {
    let opens = null as Instant | null;
    let closes: Instant = at;
    for (let day = Math.floor((at - this.#longest) / DAY); day * DAY < at + HORIZON; day += 1) {
      for (const next of this.#openingOn(day)) {
        if (next.closes <= at) continue;
        if (opens !== null && next.opens > closes) return { opens, closes };
        opens ??= next.opens;
        closes = Math.max(closes, next.closes);
        if (closes - Math.max(at, opens) >= enough) return { opens, closes };
      }
      if (opens !== null && closes < (day + 1) * DAY) return { opens, closes };
    }
    return opens === null ? null : { opens, closes };
  }

  /** What opens on a day of UTC, soonest first. */
  #openingOn(day: number): readonly Stretch[] {
    const known = this.#days.get(day);
    if (known !== undefined) return known;
    const found = this.#windows
      .flatMap(({ duration, openings }) =>
        openings(day * DAY, (day + 1) * DAY).map((opens): Stretch => ({ opens, closes: opens + duration })),
      )
      .sort((a, b) => a.opens - b.opens);
    if (this.#days.size >= MOST_DAYS) this.#days.clear();
    this.#days.set(day, found);
    return found;
  }

  /** As written: that is what tells two policies apart. */
  toJSON(): readonly WrittenWindow[] {
    return this.written;
  }
}
