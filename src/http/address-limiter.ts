import type { Clock } from '../domain/ports.ts';
import type { Duration } from '../domain/time.ts';
import { SECOND } from '../domain/time.ts';

/** So many seconds' worth may come at once. */
const BURST = 10;
/** Addresses that are remembered. Above it, those that have asked for nothing the longest are forgotten. */
const MOST_ADDRESSES = 10_000;

/**
 * Bounds the requests of each address, before anybody is asked who it is (S4). Unlike `RateLimiter` it lets nobody wait: a
 * queue of strangers would be memory of ours that they fill. Networks of IPv6 count as one from /64 on.
 */
export class AddressLimiter {
  #interval: Duration;
  #burst: Duration;
  readonly #clock: Pick<Clock, 'monotonic'>;
  /** When each address has all its requests again, by the monotonic clock; oldest use first. */
  readonly #fullAt = new Map<string, Duration>();

  constructor(perSecond: number, clock: Pick<Clock, 'monotonic'>) {
    this.#interval = SECOND / perSecond;
    this.#burst = Math.max(this.#interval, BURST * SECOND);
    this.#clock = clock;
  }

  /** From now on so many may pass; what was counted stays. */
  adjust(perSecond: number): void {
    this.#interval = SECOND / perSecond;
    this.#burst = Math.max(this.#interval, BURST * SECOND);
  }

  /** How many addresses it remembers. */
  get size(): number {
    return this.#fullAt.size;
  }

  /** Counts one request. @returns 0 where it may pass, else how long until one may. */
  take(address: string): Duration {
    const network = networkOf(address);
    const now = this.#clock.monotonic();
    const fullAt = Math.max(this.#fullAt.get(network) ?? now, now) + this.#interval;
    const wait = fullAt - now - this.#burst;
    if (wait > 0) return wait;
    this.#fullAt.delete(network);
    this.#fullAt.set(network, fullAt);
    if (this.#fullAt.size > MOST_ADDRESSES) this.#forget(now);
    return 0;
  }

  #forget(now: Duration): void {
    for (const [network, fullAt] of this.#fullAt) if (fullAt <= now) this.#fullAt.delete(network);
    for (const network of this.#fullAt.keys()) {
      if (this.#fullAt.size <= MOST_ADDRESSES / 2) return;
      this.#fullAt.delete(network);
    }
  }
}

/** Who has one address of IPv6 has 2^64 of them. An address of IPv4 may come mapped into IPv6. */
function networkOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined || !address.includes(':')) return mapped ?? address;
  const [head = '', tail] = address.split('%', 1)[0]?.split('::') ?? [];
  const front = head === '' ? [] : head.split(':');
  const back = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = Array.from({ length: Math.max(0, 8 - front.length - back.length) }, () => '0');
  return [...front, ...zeros, ...back].slice(0, 4).join(':');
}
