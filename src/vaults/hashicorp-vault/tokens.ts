import { VaultError } from '../../domain/errors.ts';
import { SecretValue } from '../../domain/secret-value.ts';
import type { VaultContext } from '../contract.ts';
import type { Exchange } from './exchange.ts';
import { isSuccess } from './failure.ts';
import type { Attempt, Failures } from './failure.ts';
import { credentialOf, loginAdvice } from './login.ts';
import type { LoginCall } from './login.ts';
import type { AuthOptions } from './options.ts';
import type { Grant, TokenSource } from './session.ts';
import type { WireReply } from './transport.ts';
import { isObject, parseJson } from '../../domain/json.ts';
import { dataOf } from './wire.ts';

const LOOK_UP: Attempt = { entry: null, doing: 'looking up our own token', right: null };
const RENEW: Attempt = {
  entry: null,
  doing: 'renewing our own token',
  right: 'update on "auth/token/renew-self"',
};
const REVOKE: Attempt = { entry: null, doing: 'giving our token back', right: null };

/** Tokens of a Vault server, by any of the methods. Source: HTTP API, `auth/token`. */
export class VaultTokens implements TokenSource {
  readonly canReplace: boolean;
  readonly #auth: AuthOptions;
  /** Of the token, which may be above that of the vault. */
  readonly #namespace: string | null;
  readonly #exchange: Exchange;
  readonly #failures: Failures;
  readonly #context: VaultContext;

  constructor(
    auth: AuthOptions,
    namespace: string | null,
    exchange: Exchange,
    failures: Failures,
    context: VaultContext,
  ) {
    this.canReplace = auth.method !== 'token' || auth.file !== undefined;
    this.#auth = auth;
    this.#namespace = auth.namespace ?? namespace;
    this.#exchange = exchange;
    this.#failures = failures;
    this.#context = context;
  }

  obtain(signal: AbortSignal): Promise<Grant> {
    return this.#within(signal, async (limited) => {
      const credential = await credentialOf(this.#auth, this.#failures);
      return credential.kind === 'login'
        ? this.#logIn(credential.call, limited)
        : this.#take(credential.token, limited);
    });
  }

  renew(token: SecretValue, signal: AbortSignal): Promise<Grant> {
    return this.#within(signal, async (limited) => {
      const reply = await this.#exchange.send(
        { ...RENEW, method: 'POST', path: '/v1/auth/token/renew-self', body: '{}' },
        { token, namespace: this.#namespace },
        limited,
      );
      if (!isSuccess(reply)) throw this.#failures.ofStatus(RENEW, reply);
      return { ...this.#readGrant(reply, RENEW), token };
    });
  }

  isAlive(token: SecretValue, signal: AbortSignal): Promise<boolean> {
    return this.#within(signal, async (limited) => {
      const reply = await this.#lookUp(token, limited);
      if (isSuccess(reply) || reply.status === 403) return reply.status !== 403;
      throw this.#failures.ofStatus(LOOK_UP, reply);
    });
  }

  /** A token that is not given back ends by itself, so a failure is no more than a line in the log. */
  async revoke(token: SecretValue): Promise<void> {
    if (this.#auth.method === 'token') return; // it is not ours to end
    try {
      await this.#within(null, (limited) =>
        this.#exchange.send(
          { ...REVOKE, method: 'POST', path: '/v1/auth/token/revoke-self' },
          { token, namespace: this.#namespace },
          limited,
        ),
      );
    } catch (error) {
      if (!(error instanceof VaultError)) throw error;
      this.#context.log.debug('vault-token-not-revoked', 'The token could not be given back.', {
        error: error.message,
      });
    }
  }

  async #logIn({ path, body }: LoginCall, signal: AbortSignal): Promise<Grant> {
    const attempt: Attempt = { entry: null, doing: `logging in by ${this.#auth.method}`, right: null };
    const plain = Object.entries(body).map(([key, text]) => [key, typeof text === 'string' ? text : text.reveal()]);
    const reply = await this.#exchange.send(
      { ...attempt, method: 'POST', path, body: JSON.stringify(Object.fromEntries(plain)) },
      { token: null, namespace: this.#namespace },
      signal,
    );
    if (reply.status === 400 || reply.status === 403) throw this.#refused(attempt, reply);
    if (!isSuccess(reply)) throw this.#failures.ofStatus(attempt, reply);
    return this.#readGrant(reply, attempt);
  }

  async #take(token: SecretValue, signal: AbortSignal): Promise<Grant> {
    const reply = await this.#lookUp(token, signal);
    if (reply.status === 403) throw this.#refused(LOOK_UP, reply);
    if (!isSuccess(reply)) throw this.#failures.ofStatus(LOOK_UP, reply);
    const data = dataOf(reply.body);
    if (data === null) throw this.#failures.malformed(LOOK_UP, 'data');
    return { token, lifetime: seconds(data['ttl']), renewable: data['renewable'] === true };
  }

  #lookUp(token: SecretValue, signal: AbortSignal): Promise<WireReply> {
    return this.#exchange.send(
      { ...LOOK_UP, method: 'GET', path: '/v1/auth/token/lookup-self' },
      { token, namespace: this.#namespace },
      signal,
    );
  }

  /** What concerns all callers is bound to no one's signal, so it has a limit of its own. */
  async #within<T>(closing: AbortSignal | null, work: (limited: AbortSignal) => Promise<T>): Promise<T> {
    const { ticker, timeout } = this.#context;
    const limit = new AbortController();
    const late = this.#failures.make('unavailable', null, 'no answer about our own token in time');
    ticker.sleep(timeout, limit.signal).then(
      () => limit.abort(late),
      () => undefined, // ended in time
    );
    try {
      return await work(closing === null ? limit.signal : AbortSignal.any([closing, limit.signal]));
    } finally {
      limit.abort(late);
    }
  }

  #readGrant(reply: WireReply, attempt: Attempt): Grant {
    const whole = parseJson(reply.body);
    const auth = isObject(whole) ? whole['auth'] : null;
    const token = isObject(auth) ? auth['client_token'] : null;
    if (!isObject(auth) || typeof token !== 'string' || !/^[\x21-\x7e]+$/.test(token)) {
      throw this.#failures.malformed(attempt, 'a token');
    }
    const renewable = auth['renewable'] === true;
    return { token: SecretValue.of(token), lifetime: seconds(auth['lease_duration']), renewable };
  }

  #refused({ doing }: Attempt, { status }: WireReply): VaultError {
    return this.#failures.make('denied', null, `${doing} was refused (${status}): ${loginAdvice(this.#auth)}`);
  }
}

function seconds(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : 0;
}
