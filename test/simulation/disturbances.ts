import type { Duration, Instant } from '../../src/domain/time.ts';

/** The times in which something was out of order: what is held after them is not held in them. */
export class Disturbances {
  readonly #all: { readonly from: Instant; readonly to: Instant }[] = [];

  add(from: Instant, to: Instant): void {
    this.#all.push({ from, to });
  }

  /** The first time from then on at which nothing is out of order. */
  whenCalm(from: Instant): Instant {
    let calm = from;
    for (const each of this.#all.toSorted((a, b) => a.from - b.from)) {
      if (each.from <= calm && each.to > calm) calm = each.to;
    }
    return calm;
  }

  /** The longest time in [from, to] in which nothing was out of order. */
  longestCalm(from: Instant, to: Instant): Duration {
    const over = this.#all.filter((each) => each.to > from && each.from < to).sort((a, b) => a.from - b.from);
    let longest = 0;
    let calmSince = from;
    for (const each of over) {
      longest = Math.max(longest, each.from - calmSince);
      calmSince = Math.max(calmSince, each.to);
    }
    return Math.max(longest, to - calmSince);
  }
}
