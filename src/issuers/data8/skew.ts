import type { Clock } from '../../domain/ports.ts';
import type { Duration } from '../../domain/time.ts';
import { SECOND } from '../../domain/time.ts';
import { readHttpDate } from './retry-after.ts';

/** Estimates how far the issuer's clock is ahead of ours. */
export class SkewEstimate {
  #skew: Duration | null = null;
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get current(): Duration | null {
    return this.#skew;
  }

  /**
   * Takes an answer into account, at the moment at which its headers came. Answers with `Age` come out of a cache, and
   * those of 300 and 500 and above out of a proxy as often as not: their time is not the issuer's.
   * @param roundTrip how long the answer took, by the monotonic clock.
   */
  observe(status: number, headers: Headers, roundTrip: Duration): void {
    if (headers.has('age') || status >= 500 || (status >= 300 && status < 400)) return;
    const date = readHttpDate(headers.get('date'));
    if (date === null) return;
    // `Date` is cut to the second: on average it was half a second later. It was written in the middle of the way.
    this.#skew = Math.round(date + SECOND / 2 - (this.#clock.now() - roundTrip / 2));
  }
}
