import type { Ports } from './ports.ts';
import type { Duration } from './time.ts';
import { SECOND } from './time.ts';

/**
 * Paces calls to one backend: a token bucket, measured by the monotonic clock. A fifth of a second's worth may go at
 * once, so that coarse timers do not slow it down; over any longer stretch it holds `perSecond`.
 */
export class RateLimiter {
  readonly #interval: Duration;
  readonly #burst: Duration;
  readonly #ports: Pick<Ports, 'clock' | 'ticker'>;
  /** Insertion order is the order of service. */
  readonly #waiting = new Set<() => void>();
  /** When the bucket is full again, by the monotonic clock: one number is the whole state. */
  #fullAt = Number.NEGATIVE_INFINITY;
  #pump: AbortController | null = null;

  /** @param perSecond calls a second, more than 0. @throws RangeError for anything else. */
  constructor(perSecond: number, ports: Pick<Ports, 'clock' | 'ticker'>) {
    if (!(perSecond > 0)) throw new RangeError('a rate must be more than 0 a second');
    this.#interval = SECOND / perSecond;
    this.#burst = Math.max(1, perSecond / 5) * this.#interval;
    this.#ports = ports;
  }

  /**
   * Waits for its turn; first come, first served. One that is aborted while waiting uses up nothing.
   * @throws the signal's reason where it is aborted before its turn.
   */
  async take(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    if (this.#waiting.size === 0 && this.#delay() === 0) {
      this.#spend();
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const turn = (): void => {
        signal?.removeEventListener('abort', abort);
        resolve();
      };
      const abort = (): void => {
        this.#waiting.delete(turn);
        if (this.#waiting.size === 0) this.#pump?.abort();
        // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- the reason is the caller's own
        reject(signal?.reason);
      };
      signal?.addEventListener('abort', abort, { once: true });
      this.#waiting.add(turn);
      if (this.#pump === null) void this.#serve();
    });
  }

  async #serve(): Promise<void> {
    while (this.#waiting.size > 0) {
      this.#pump = new AbortController();
      const delay = this.#delay();
      if (delay > 0) {
        try {
          await this.#ports.ticker.sleep(delay, this.#pump.signal);
        } catch {
          // Only #pump itself is aborted: nobody waits any longer, or somebody came since. The loop sees which.
        }
        continue;
      }
      const [next] = this.#waiting;
      if (next === undefined) break;
      this.#waiting.delete(next);
      this.#spend();
      next();
    }
    this.#pump = null;
  }

  /** Whole milliseconds until one more may go; 0: now. */
  #delay(): Duration {
    const wait = this.#fullAt + this.#interval - this.#burst - this.#ports.clock.monotonic();
    // Sums of fractions never come out even: a thousandth of a millisecond is not worth another timer.
    return wait < 0.001 ? 0 : Math.ceil(wait);
  }

  #spend(): void {
    this.#fullAt = Math.max(this.#fullAt, this.#ports.clock.monotonic()) + this.#interval;
  }
}
