import { IssuerError } from '../../domain/errors.ts';
import type { Ports } from '../../domain/ports.ts';
import type { RateLimiter } from '../../domain/rate-limiter.ts';
import type { Duration } from '../../domain/time.ts';
import { formatDuration, SECOND } from '../../domain/time.ts';
import { exchange } from './exchange.ts';
import type { Call, ExchangeSettings, HeadersObserver, Reply } from './exchange.ts';
import { withCertainty } from './failure.ts';
import { Hold } from './hold.ts';

const ATTEMPTS = 3;
const FIRST_BACKOFF = 500;

/**
 * `always`: may be applied twice, so it is sent again after any failure that may pass. `unexecuted`: only where the
 * last attempt was surely not executed. `never`: the caller decides.
 */
export type Repeat = 'always' | 'unexecuted' | 'never';

/** An answer, and whether an earlier attempt, of which nothing was heard, may have been applied already. */
export interface Delivered {
  readonly reply: Reply;
  readonly ambiguous: boolean;
}

export interface SenderSettings extends ExchangeSettings {
  readonly ports: Ports;
}

/**
 * Sends requests to one server: paced, held back as it asks, and sent again as far as that is safe. A wait that the server
 * asks for and that is longer than `timeout` is not sat out: the caller is told, and has better to do.
 */
export class Sender {
  readonly #settings: SenderSettings;
  readonly #limiter: RateLimiter;
  readonly #observe: HeadersObserver;
  readonly #hold: Hold;

  constructor(settings: SenderSettings, limiter: RateLimiter, observe: HeadersObserver) {
    this.#settings = settings;
    this.#limiter = limiter;
    this.#observe = observe;
    this.#hold = new Hold(settings.ports.clock);
  }

  /** @throws IssuerError `unavailable`, `throttled`; the signal's reason. An answer of any status is no error here. */
  async send(call: Call, repeat: Repeat, signal?: AbortSignal): Promise<Delivered> {
    let ambiguous = false;
    for (let attempt = 1; ; attempt++) {
      const last = repeat === 'never' || attempt === ATTEMPTS;
      try {
        await this.#turn(call, signal);
        const reply = await exchange(call, this.#settings, this.#observe, signal);
        const wait = this.#waitAfter(reply, repeat, attempt);
        if (last || wait === null) return { reply, ambiguous };
        ambiguous ||= reply.status !== 429;
        await this.#settings.ports.ticker.sleep(wait, signal);
      } catch (error) {
        if (!(error instanceof IssuerError)) throw error;
        ambiguous ||= !error.surelyNotApplied;
        const again = error.fault === 'unavailable' && (repeat === 'always' || error.surelyNotApplied);
        if (last || !again) throw withCertainty(error, !ambiguous);
        await this.#settings.ports.ticker.sleep(this.#backoff(attempt), signal);
      }
    }
  }

  async #turn({ operation }: Call, signal: AbortSignal | undefined): Promise<void> {
    for (let left = this.#hold.remaining(); left > 0; left = this.#hold.remaining()) {
      if (left > this.#settings.timeout) {
        const message = `the issuer asked for patience; next try in ${formatDuration(Math.ceil(left / SECOND) * SECOND)}`;
        throw this.#settings.failures.make('throttled', operation, message, {
          status: 429,
          retryAfter: left,
          surelyNotApplied: true,
        });
      }
      await this.#settings.ports.ticker.sleep(left, signal);
    }
    await this.#limiter.take(signal);
  }

  /** How long to wait before the request is sent again; null: it is not. */
  #waitAfter({ status, retryAfter }: Reply, repeat: Repeat, attempt: number): Duration | null {
    const passing = status === 429 || status === 408 || status >= 500;
    if (!passing) return null;
    const wait = Math.max(retryAfter ?? (status === 429 ? SECOND : 0), this.#backoff(attempt));
    if (retryAfter !== null || status === 429) this.#hold.extend(wait);
    if (status !== 429 && repeat !== 'always') return null;
    return wait > this.#settings.timeout ? null : wait;
  }

  /** Doubles, and half of it is chance, so that callers who failed together do not come back together. */
  #backoff(attempt: number): Duration {
    const most = FIRST_BACKOFF * 2 ** (attempt - 1);
    return Math.round(most / 2 + (this.#settings.ports.random.next() * most) / 2);
  }
}
