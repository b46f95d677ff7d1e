import type { SecretValue } from '../../domain/secret-value.ts';
import type { Log } from '../../telemetry/log.ts';
import type { FreshToken } from './access-token.ts';
import type { Failures } from './failure.ts';
import { ownClientSchema } from './options.ts';
import type { ClientSecret, TokenEndpoint } from './token-endpoint.ts';

const OPERATION = 'token';

/** The client that rekeyd itself is at the issuer. Where its secret is refused, the configuration is read again. */
export class OwnClient {
  readonly #endpoint: TokenEndpoint;
  readonly #reread: (() => Promise<unknown>) | null;
  readonly #failures: Failures;
  readonly #log: Log;
  #client: ClientSecret;

  constructor(
    client: ClientSecret,
    endpoint: TokenEndpoint,
    reread: (() => Promise<unknown>) | null,
    failures: Failures,
    log: Log,
  ) {
    this.#client = client;
    this.#endpoint = endpoint;
    this.#reread = reread;
    this.#failures = failures;
    this.#log = log;
  }

  /** The secret in use. */
  get secret(): SecretValue {
    return this.#client.clientSecret;
  }

  /** @throws IssuerError `unauthorized` where the client is refused; what {@link TokenEndpoint.ask} throws. */
  async fetchToken(signal: AbortSignal): Promise<FreshToken> {
    let answer = await this.#endpoint.ask(this.#client, OPERATION, 'always', signal);
    if (answer.kind === 'oauth-error' && answer.error === 'invalid_client' && (await this.#takeUpChange())) {
      answer = await this.#endpoint.ask(this.#client, OPERATION, 'always', signal);
    }
    if (answer.kind === 'token') return answer;
    const { clientId } = this.#client;
    const advice =
      answer.error === 'invalid_client'
        ? 'check clientId and clientSecret; the secret may have expired'
        : 'check scope, and what the client may do';
    throw this.#failures.make(
      'unauthorized',
      OPERATION,
      `the token endpoint refuses our own client ${clientId} (${answer.error}): ${advice}`,
      { status: answer.status, surelyNotApplied: true },
    );
  }

  /** @returns whether the configuration now says something else than what was refused. */
  async #takeUpChange(): Promise<boolean> {
    if (this.#reread === null) return false;
    let raw: unknown;
    try {
      raw = await this.#reread();
    } catch {
      // What it says may quote a file: the refusal itself is told by the caller.
      this.#log.warn('client-secret-unread', 'the configuration could not be read again after our client was refused');
      return false;
    }
    const parsed = ownClientSchema.safeParse(raw);
    if (!parsed.success) {
      this.#log.warn('client-secret-unread', 'the configuration as it is now cannot be used; the old secret stays');
      return false;
    }
    const { clientId, clientSecret } = parsed.data;
    if (clientId === this.#client.clientId && clientSecret.equals(this.#client.clientSecret)) return false;
    this.#client = { clientId, clientSecret };
    this.#log.info('client-secret-changed', 'our own client was refused; its secret as configured now is taken up');
    return true;
  }
}
