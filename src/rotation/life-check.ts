import { MINUTE } from '../domain/time.ts';
import type { Duration, Instant } from '../domain/time.ts';
import type { World } from './world.ts';

/** From one step to the next it takes moments: what is known for longer was asked before a freeze, or a long wait (P7). */
const KNOWN_LIFE: Duration = 2 * MINUTE;

/** How often it is asked in a row. Whoever takes that long to answer proves nothing. */
const QUESTIONS = 3;

/**
 * What is known of a secret's life, while its value is on its way to destinations: a dead value is not to be written over a
 * living one (I17). It is asked again where the last answer is old, once for all destinations.
 */
export class LifeCheck {
  readonly #clock: World['clock'];
  readonly #isDeleted: () => Promise<boolean>;
  #knownAt: Instant | null;
  #asking: Promise<boolean> | null = null;

  /**
   * @param knownAt when it was last asked, by the local clock, and lived; null: it is to be asked in any case.
   * @param isDeleted asks. What cannot be asked proves nothing, so false; what it throws is passed on.
   */
  constructor(clock: World['clock'], knownAt: Instant | null, isDeleted: () => Promise<boolean>) {
    this.#clock = clock;
    this.#knownAt = knownAt;
    this.#isDeleted = isDeleted;
  }

  /** What is known is not enough any more: the next question is asked. */
  doubt(): void {
    this.#knownAt = null;
  }

  /** False where it is surely deleted. To be asked right before a write. */
  async isAlive(): Promise<boolean> {
    for (let asked = 0; asked < QUESTIONS && !this.#isKnown(); asked += 1) {
      this.#asking ??= this.#ask().finally(() => (this.#asking = null));
      if (!(await this.#asking)) return false;
    }
    return true;
  }

  async #ask(): Promise<boolean> {
    const askedAt = this.#clock.now();
    if (await this.#isDeleted()) return false;
    this.#knownAt = askedAt;
    return true;
  }

  #isKnown(): boolean {
    return this.#knownAt !== null && Math.abs(this.#clock.now() - this.#knownAt) <= KNOWN_LIFE;
  }
}
