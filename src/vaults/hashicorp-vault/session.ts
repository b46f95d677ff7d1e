import { VaultError, safeMessage } from '../../domain/errors.ts';
import type { Ports } from '../../domain/ports.ts';
import type { SecretValue } from '../../domain/secret-value.ts';
import { DAY, MINUTE, SECOND } from '../../domain/time.ts';
import type { Duration } from '../../domain/time.ts';
import type { Log } from '../../telemetry/log.ts';
import { untilAborted } from './until-aborted.ts';

/** A token, as a login, a look-up or a renewal tells of it. */
export interface Grant {
  readonly token: SecretValue;
  /** Seconds; 0: it does not end. */
  readonly lifetime: number;
  readonly renewable: boolean;
}

/** What a session is made of: calls to the server, none of which needs the session. */
export interface TokenSource {
  /** Logs in, or takes the token that is given, and asks what it is. @throws VaultError. */
  obtain(signal: AbortSignal): Promise<Grant>;
  /** @throws VaultError. */
  renew(token: SecretValue, signal: AbortSignal): Promise<Grant>;
  /** Whether the server still knows the token. @throws VaultError where it cannot say. */
  isAlive(token: SecretValue, signal: AbortSignal): Promise<boolean>;
  /** Only of tokens that we logged in for; never throws. */
  revoke(token: SecretValue): Promise<void>;
  /** Whether {@link obtain} can bring a token other than the last one. */
  readonly canReplace: boolean;
}

interface Held {
  readonly grant: Grant;
  /** What the token was given for at first: a renewal that brings much less means that its end is near. */
  readonly firstLifetime: Duration;
  /** By the monotonic clock, from before the request was sent. */
  readonly refreshAt: Duration;
  readonly endsAt: Duration;
}

/** After a renewal that failed; it doubles with each further one, up to the other. */
const FIRST_RETRY = 5 * SECOND;
const LONGEST_RETRY = 10 * MINUTE;
/** No token is renewed more often than this, however short it lives. */
const LEAST_PAUSE = SECOND;

/**
 * The token that all calls share. It is renewed in the last third of its life, by one request at a time; where it cannot
 * be, we log in again. A token that was given, and cannot be replaced, is renewed also while nothing else is asked.
 */
export class Session {
  readonly #source: TokenSource;
  readonly #ports: Pick<Ports, 'clock' | 'ticker'>;
  readonly #log: Log;
  readonly #closing = new AbortController();
  #held: Held | null = null;
  #refreshing: Promise<SecretValue> | null = null;
  #keeping = false;
  /** Early refreshes that failed, since the last success. */
  #failures = 0;
  #notBefore: Duration = Number.NEGATIVE_INFINITY;

  constructor(source: TokenSource, ports: Pick<Ports, 'clock' | 'ticker'>, log: Log) {
    this.#source = source;
    this.#ports = ports;
    this.#log = log;
  }

  /** A token that is good for now. @throws VaultError; the signal's reason. */
  async token(signal?: AbortSignal): Promise<SecretValue> {
    signal?.throwIfAborted();
    const now = this.#ports.clock.monotonic();
    const held = this.#held;
    if (held === null || now >= held.endsAt) return untilAborted(this.#refresh(), signal);
    if (now >= held.refreshAt && now >= this.#notBefore) this.#refreshEarly();
    return held.grant.token;
  }

  /**
   * A call with `token` was answered with 403: 'not allowed', or 'I do not know you', the server does not say which.
   * @returns whether there is another token to try with. @throws VaultError where that cannot be found out.
   */
  async refused(token: SecretValue, signal?: AbortSignal): Promise<boolean> {
    if (this.#held?.grant.token !== token) return true; // another caller has replaced it
    const alive = await untilAborted(this.#source.isAlive(token, this.#closing.signal), signal);
    if (alive) return false;
    this.#drop(token);
    await this.token(signal);
    return true;
  }

  /** Ends the token, where it was got by a login. Calls under way, and later ones, fail. */
  async close(reason: VaultError): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort(reason);
    const held = this.#held;
    this.#held = null;
    if (held !== null) await this.#source.revoke(held.grant.token);
  }

  #drop(token: SecretValue): void {
    if (this.#held?.grant.token === token) this.#held = null;
  }

  #refreshEarly(): void {
    if (this.#refreshing !== null) return; // told by whoever began it
    this.#refresh().catch((error: unknown) => {
      this.#putOff();
      if (this.#closing.signal.aborted) return;
      this.#log.warn('vault-token-not-renewed', 'The token could not be renewed early; it is still good.', {
        error: safeMessage(error),
      });
    });
  }

  /** By half of what is left of the token's life at most: however late renewals succeed again, one comes in time. */
  #putOff(): void {
    const now = this.#ports.clock.monotonic();
    const pause = Math.min(FIRST_RETRY * 2 ** this.#failures, LONGEST_RETRY);
    this.#failures += 1;
    const left = this.#held === null ? 0 : this.#held.endsAt - now;
    this.#notBefore = now + Math.max(LEAST_PAUSE, Math.min(pause, left / 2));
  }

  #refresh(): Promise<SecretValue> {
    this.#refreshing ??= this.#load().finally(() => (this.#refreshing = null));
    return this.#refreshing;
  }

  async #load(): Promise<SecretValue> {
    this.#closing.signal.throwIfAborted();
    const { clock } = this.#ports;
    const before = this.#held;
    let asked = clock.monotonic();
    let grant: Grant | null = null;
    if (before !== null && before.grant.renewable && asked < before.endsAt) {
      grant = await this.#renew(before);
    }
    const renewed = grant !== null;
    if (grant === null) {
      asked = clock.monotonic();
      grant = await this.#source.obtain(this.#closing.signal);
    }
    this.#closing.signal.throwIfAborted();
    this.#failures = 0;
    this.#notBefore = Number.NEGATIVE_INFINITY;
    const life = grant.lifetime === 0 ? Number.POSITIVE_INFINITY : grant.lifetime * SECOND;
    const early = Math.max(LEAST_PAUSE, Math.min((life * 2) / 3, DAY));
    this.#held = {
      grant,
      firstLifetime: renewed && before !== null ? before.firstLifetime : life,
      refreshAt: life === Number.POSITIVE_INFINITY ? life : asked + early,
      endsAt: asked + life - Math.min(5 * SECOND, life / 10),
    };
    if (grant.renewable && !this.#source.canReplace) void this.#keepAlive();
    return grant.token;
  }

  /** Null: not to be renewed, or not for long: its maximum is near, and a login brings a whole life again. */
  async #renew({ grant, firstLifetime }: Held): Promise<Grant | null> {
    const { canReplace } = this.#source;
    try {
      const renewed = await this.#source.renew(grant.token, this.#closing.signal);
      const short = renewed.lifetime !== 0 && renewed.lifetime * SECOND < firstLifetime / 2;
      if (short && !canReplace) {
        this.#log.warn(
          'vault-token-ends',
          'The token comes to the end of its longest life: put a fresh one in its place.',
          {
            seconds: renewed.lifetime,
          },
        );
      }
      return short && canReplace ? null : renewed;
    } catch (error) {
      const refused = error instanceof VaultError && (error.fault === 'denied' || error.fault === 'rejected');
      if (!refused || !canReplace) throw error;
      return null;
    }
  }

  /** Wakes when the token is to be renewed, also where nobody asks for it. One at a time; ends with the session. */
  async #keepAlive(): Promise<void> {
    if (this.#keeping) return;
    this.#keeping = true;
    try {
      for (let held = this.#held; held !== null && held.refreshAt !== Number.POSITIVE_INFINITY; held = this.#held) {
        const now = this.#ports.clock.monotonic();
        await this.#ports.ticker.sleep(
          Math.max(LEAST_PAUSE, held.refreshAt - now, this.#notBefore - now),
          this.#closing.signal,
        );
        if (this.#ports.clock.monotonic() >= held.endsAt) return; // the next caller gets a new one
        this.#refreshEarly();
        await this.#refreshing?.catch(() => undefined); // told by refreshEarly
      }
    } catch (error) {
      if (!this.#closing.signal.aborted) throw error;
    } finally {
      this.#keeping = false;
    }
  }
}
