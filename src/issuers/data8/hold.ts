import type { Clock } from '../../domain/ports.ts';
import type { Duration } from '../../domain/time.ts';

/** Until when a server has asked to be left alone. One for each server, shared by all callers. */
export class Hold {
  #until: Duration = Number.NEGATIVE_INFINITY;
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Nobody asks for `wait` from now on. It never shortens what was asked before. */
  extend(wait: Duration): void {
    this.#until = Math.max(this.#until, this.#clock.monotonic() + wait);
  }

  /** How long it still holds; 0: not at all. */
  remaining(): Duration {
    return Math.max(0, this.#until - this.#clock.monotonic());
  }
}
