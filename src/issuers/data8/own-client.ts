import { safeMessage } from '../../domain/errors.ts';
import type { IssuerError } from '../../domain/errors.ts';
import { SecretValue } from '../../domain/secret-value.ts';
import type { Log } from '../../telemetry/log.ts';
import type { IssuerContext, SecretReference } from '../contract.ts';
import type { FreshToken } from './access-token.ts';
import type { Failures } from './failure.ts';
import { ownClientSchema } from './options.ts';
import type { Data8Options } from './options.ts';
import { provenOfSecret } from './oauth-error.ts';
import type { TokenAnswer, TokenEndpoint } from './token-endpoint.ts';

const OPERATION = 'token';

/** The client that rekeyd itself is at the issuer. Where its secret is refused, it is read again where it is kept. */
export class OwnClient {
  readonly #endpoint: TokenEndpoint;
  readonly #sources: Pick<IssuerContext, 'rereadOptions' | 'readSecret'>;
  readonly #failures: Failures;
  readonly #log: Log;
  /** Where the secret is kept; null: in the configuration. */
  readonly #kept: SecretReference | null;
  #clientId: string;
  /** Null: it is in a vault, and was not read yet. */
  #secret: SecretValue | null;

  constructor(
    { clientId, clientSecret }: Pick<Data8Options, 'clientId' | 'clientSecret'>,
    endpoint: TokenEndpoint,
    { log, ...sources }: Pick<IssuerContext, 'rereadOptions' | 'readSecret' | 'log'>,
    failures: Failures,
  ) {
    this.#clientId = clientId;
    this.#secret = clientSecret instanceof SecretValue ? clientSecret : null;
    this.#kept = clientSecret instanceof SecretValue ? null : clientSecret;
    this.#endpoint = endpoint;
    this.#sources = sources;
    this.#failures = failures;
    this.#log = log;
  }

  /** The secret in use; empty before it was read. */
  get secrets(): readonly SecretValue[] {
    return this.#secret === null ? [] : [this.#secret];
  }

  /** Whether `clientId` is this client, and its secret is kept in a vault, where rekeyd itself may have put it. */
  isKeptInVault(clientId: string): boolean {
    return this.#kept !== null && clientId === this.#clientId;
  }

  /**
   * Reads the secret in its vault, and goes on with what is there.
   * @throws IssuerError `unavailable` where it cannot be read.
   */
  async readAgain(signal: AbortSignal | undefined): Promise<SecretValue> {
    if (this.#kept === null) throw new Error('the secret is not kept in a vault');
    try {
      if (this.#sources.readSecret === undefined) throw new Error('no vault can be read here');
      this.#secret = await this.#sources.readSecret(this.#kept, signal);
      return this.#secret;
    } catch (error) {
      signal?.throwIfAborted();
      const message = `our own secret, ${describe(this.#kept)}, could not be read: ${safeMessage(error)}`;
      throw this.#failures.make('unavailable', OPERATION, message, { surelyNotApplied: true });
    }
  }

  /**
   * Gets a token. Where our client is refused, the secret is read again, once, and tried where it is another one.
   * @throws IssuerError `unauthorized` where the client is refused; what {@link TokenEndpoint.ask} throws.
   */
  async fetchToken(signal: AbortSignal): Promise<FreshToken> {
    const clientSecret = this.#secret ?? (await this.readAgain(signal));
    let answer = await this.#endpoint.ask({ clientId: this.#clientId, clientSecret }, OPERATION, 'always', signal);
    if (mayBeTheSecret(answer)) {
      const changed = this.#kept === null ? await this.#takeUpChange() : await this.#takeUpEntry(signal);
      if (changed !== null) {
        const client = { clientId: this.#clientId, clientSecret: changed };
        answer = await this.#endpoint.ask(client, OPERATION, 'always', signal);
      }
    }
    if (answer.kind === 'token') return answer;
    throw this.#refusal(answer);
  }

  #refusal(answer: Exclude<TokenAnswer, { kind: 'token' }>): IssuerError {
    if (answer.kind === 'unexplained') {
      const { failure } = answer;
      // 400 and 403 may be about the request, or a wall's: what they say of it stands
      return failure.status === 401 ? this.#refused('401', 401, this.#adviceOnSecret()) : failure;
    }
    const { error, status } = answer;
    const isTheSecret = error === 'invalid_client' || provenOfSecret(answer) === 'bad';
    return this.#refused(
      error,
      status,
      isTheSecret ? this.#adviceOnSecret() : 'check scope, and what the client may do',
    );
  }

  #refused(said: string, status: number, advice: string): IssuerError {
    const message = `the token endpoint refuses our own client ${this.#clientId} (${said}): ${advice}`;
    return this.#failures.make('unauthorized', OPERATION, message, { status, surelyNotApplied: true });
  }

  #adviceOnSecret(): string {
    if (this.#kept === null) return 'check clientId and clientSecret; the secret may have expired';
    return `what is in ${describe(this.#kept)} is no secret of it that is valid: make one at the issuer by hand, and put it there; rekeyd then goes on by itself`;
  }

  /** @returns the secret as its vault has it now; null: it is the one that was refused, or cannot be read. */
  async #takeUpEntry(signal: AbortSignal): Promise<SecretValue | null> {
    const refused = this.#secret;
    try {
      const found = await this.readAgain(signal);
      if (refused?.equals(found) === true) return null;
      this.#log.info('client-secret-changed', 'our own client was refused; its secret as its vault has it is taken up');
      return found;
    } catch (error) {
      signal.throwIfAborted();
      this.#log.warn('client-secret-unread', 'our own secret could not be read again after our client was refused', {
        error: safeMessage(error),
      });
      return null;
    }
  }

  /** @returns the secret as the configuration has it now; null: it is the one that was refused, or cannot be read. */
  async #takeUpChange(): Promise<SecretValue | null> {
    if (this.#sources.rereadOptions === undefined) return null;
    let raw: unknown;
    try {
      raw = await this.#sources.rereadOptions();
    } catch {
      // What it says may quote a file: the refusal itself is told by the caller.
      this.#log.warn('client-secret-unread', 'the configuration could not be read again after our client was refused');
      return null;
    }
    const parsed = ownClientSchema.safeParse(raw);
    if (!parsed.success || !(parsed.data.clientSecret instanceof SecretValue)) {
      this.#log.warn('client-secret-unread', 'the configuration as it is now cannot be used; the old secret stays');
      return null;
    }
    const { clientId, clientSecret } = parsed.data;
    if (clientId === this.#clientId && this.#secret?.equals(clientSecret) === true) return null;
    this.#clientId = clientId;
    this.#secret = clientSecret;
    this.#log.info('client-secret-changed', 'our own client was refused; its secret as configured now is taken up');
    return clientSecret;
  }
}

/** Whether another secret may help: not where the answer says that this one is good. */
function mayBeTheSecret(answer: TokenAnswer): boolean {
  return answer.kind === 'unexplained' || (answer.kind === 'oauth-error' && provenOfSecret(answer) !== 'good');
}

function describe({ vault, entry, field }: SecretReference): string {
  return `field '${field}' of entry '${entry}' in vault '${vault}'`;
}
