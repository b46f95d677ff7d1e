import { IssuerError, safeMessage } from '../../domain/errors.ts';
import type { Ports } from '../../domain/ports.ts';
import type { SecretValue } from '../../domain/secret-value.ts';
import type { Duration } from '../../domain/time.ts';
import { DAY, MINUTE, SECOND } from '../../domain/time.ts';
import type { Log } from '../../telemetry/log.ts';
import { withCertainty } from './failure.ts';

/** What a refresh brings. `lifetime` in seconds; null: the server did not say. */
export interface FreshToken {
  readonly token: SecretValue;
  readonly lifetime: number | null;
}

interface Held {
  readonly token: SecretValue;
  /** By the monotonic clock, from before the request was sent: the wall clock may jump, an answer may be slow. */
  readonly refreshAt: Duration;
  readonly endsAt: Duration;
}

const UNSAID_LIFETIME = 5 * MINUTE;
const RETRY_EARLY_REFRESH = 5 * SECOND;

/** The access token that all callers share. It is refreshed before its end, and by one request at a time. */
export class AccessToken {
  readonly #fetch: (signal: AbortSignal) => Promise<FreshToken>;
  readonly #ports: Pick<Ports, 'clock'>;
  readonly #log: Log;
  readonly #closing = new AbortController();
  #held: Held | null = null;
  #refreshing: Promise<SecretValue> | null = null;
  #notBefore: Duration = Number.NEGATIVE_INFINITY;

  constructor(fetch: (signal: AbortSignal) => Promise<FreshToken>, ports: Pick<Ports, 'clock'>, log: Log) {
    this.#fetch = fetch;
    this.#ports = ports;
    this.#log = log;
  }

  /**
   * A token that is good for now. Near its end it is still given while a new one is fetched behind it.
   * @throws IssuerError with `surelyNotApplied`: what the token was for cannot have happened; the signal's reason.
   */
  async get(signal?: AbortSignal): Promise<SecretValue> {
    signal?.throwIfAborted();
    const now = this.#ports.clock.monotonic();
    const held = this.#held;
    if (held === null || now >= held.endsAt) return untilAborted(this.#refresh(), signal);
    if (now >= held.refreshAt && now >= this.#notBefore) {
      this.#refresh().catch((error: unknown) => {
        this.#notBefore = this.#ports.clock.monotonic() + RETRY_EARLY_REFRESH;
        this.#log.warn('token-refresh-failed', 'the access token could not be refreshed early; it is still good', {
          error: safeMessage(error),
        });
      });
    }
    return held.token;
  }

  /** A token that is fetched from now on, whatever is held or under way. @throws as {@link get}. */
  async renew(signal?: AbortSignal): Promise<SecretValue> {
    // one that is under way may have been asked for with an older secret; how it ends is for its own callers
    while (this.#refreshing !== null)
      await untilAborted(this.#refreshing, signal).catch(() => signal?.throwIfAborted());
    this.#held = null;
    return this.get(signal);
  }

  /** The API refused this token. If it is still the one held, it is dropped; if not, another caller did so already. */
  refused(token: SecretValue): void {
    if (this.#held?.token === token) this.#held = null;
  }

  /** Gives up a refresh under way; from now on every caller gets `reason`. */
  close(reason: IssuerError): void {
    this.#closing.abort(reason);
    this.#held = null;
  }

  #refresh(): Promise<SecretValue> {
    this.#refreshing ??= this.#load().finally(() => (this.#refreshing = null));
    return this.#refreshing;
  }

  async #load(): Promise<SecretValue> {
    const asked = this.#ports.clock.monotonic();
    try {
      const { token, lifetime } = await this.#fetch(this.#closing.signal);
      const life = lifetime === null ? UNSAID_LIFETIME : Math.min(lifetime * SECOND, DAY);
      const early = Math.min(MINUTE, life / 4);
      this.#held = { token, refreshAt: asked + life - early, endsAt: asked + life - Math.min(5 * SECOND, life / 10) };
      return token;
    } catch (error) {
      if (error instanceof IssuerError) throw withCertainty(error, true);
      throw error;
    }
  }
}

/** The refresh is everybody's: a caller who gives up leaves it running. */
function untilAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- the reason is the caller's own
    const abort = (): void => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
