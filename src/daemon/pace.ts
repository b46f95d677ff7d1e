import { HOUR } from '../domain/time.ts';
import type { Instant } from '../domain/time.ts';

/** Rotations started within the last hour, all credentials together. */
export class Pace {
  readonly #perHour: number;
  readonly #starts: Instant[];

  /** @param starts when the ledger's last rotations started, so that a restart does not renew the hour. */
  constructor(perHour: number, starts: readonly Instant[]) {
    this.#perHour = perHour;
    this.#starts = [...starts].sort((a, b) => a - b);
  }

  /** Until when what is not urgent waits; null: there is a place. */
  spentUntil(now: Instant): Instant | null {
    this.#correct(now);
    // in the order of starting: what is over is at the front
    let over = 0;
    while ((this.#starts[over] ?? Number.POSITIVE_INFINITY) <= now - HOUR) over += 1;
    if (over > 0) this.#starts.splice(0, over);
    const first = this.#starts[this.#starts.length - this.#perHour];
    return first === undefined ? null : first + HOUR;
  }

  /** How many may start at once now. */
  free(now: Instant): number {
    this.spentUntil(now);
    return Math.max(0, this.#perHour - this.#starts.length);
  }

  /** Takes a place; false where none is left. */
  reserve(now: Instant): boolean {
    if (this.spentUntil(now) !== null) return false;
    this.count(now);
    return true;
  }

  /** Counts a start that goes ahead of the limit: the rest of the hour has one less. */
  count(now: Instant): void {
    this.#starts.push(now);
  }

  /** The same starts, under the same limit or another one: to try out what a plan would take, or to go on under other terms. */
  copy(perHour: number = this.#perHour): Pace {
    return new Pace(perHour, this.#starts);
  }

  /** A start that lies ahead was noted before the clock was set back: it counts as one of now (P8). */
  #correct(now: Instant): void {
    for (let at = this.#starts.length - 1; (this.#starts[at] ?? now) > now; at -= 1) this.#starts[at] = now;
  }
}
