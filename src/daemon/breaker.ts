import type { Clock } from '../domain/ports.ts';
import type { Duration, Instant } from '../domain/time.ts';

/**
 * Stops new rotations at an issuer after several credentials failed in a row. After the cooldown the next attempt decides:
 * one more failure opens it again, a success closes it. It counts failures of the issuer only.
 */
export class Breaker {
  readonly #clock: Clock;
  #limit: number;
  #cooldown: Duration;
  readonly #failing = new Set<string>();
  /** By the monotonic clock: one that was ahead, and is put right, would hold it open (P8). */
  #openUntil: Duration | null = null;
  /** Half open, and one tries: open for the others until that is known. */
  #trial = false;

  constructor(clock: Clock, settings: { readonly failures: number; readonly cooldown: Duration }) {
    this.#clock = clock;
    this.#limit = settings.failures;
    this.#cooldown = settings.cooldown;
  }

  /** From now on goes by other limits; what it has counted stays. */
  adjust(settings: { readonly failures: number; readonly cooldown: Duration }): void {
    this.#limit = settings.failures;
    this.#cooldown = settings.cooldown;
  }

  /** Until when it is open; null: closed, or half open. */
  get openUntil(): Instant | null {
    const left = (this.#openUntil ?? 0) - this.#clock.monotonic();
    return this.#openUntil !== null && left > 0 ? Math.ceil(this.#clock.now() + left) : null;
  }

  /** An attempt begins. After the cooldown it is the one that decides: the others wait, at most another cooldown. */
  started(): void {
    if (this.#openUntil === null || this.openUntil !== null) return;
    this.#trial = true;
    this.#openUntil = this.#clock.monotonic() + this.#cooldown;
  }

  /** @returns true where this failure opened it. */
  failed(clientId: string): boolean {
    this.#failing.add(clientId);
    if (this.#failing.size < this.#limit && this.#openUntil === null) return false;
    const wasOpen = this.openUntil !== null && !this.#trial;
    this.#trial = false;
    this.#openUntil = this.#clock.monotonic() + this.#cooldown;
    return !wasOpen;
  }

  /** @returns true where this success closed it. */
  worked(): boolean {
    const wasTripped = this.#openUntil !== null;
    this.#failing.clear();
    this.#openUntil = null;
    this.#trial = false;
    return wasTripped;
  }
}
