import { urlProblem } from '../../config/fields.ts';
import type { IssuerError } from '../../domain/errors.ts';
import { SecretValue } from '../../domain/secret-value.ts';
import type { Reply } from './exchange.ts';
import type { Data8Operation, Failures } from './failure.ts';
import type { OAuthError } from './oauth-error.ts';
import type { Data8Options } from './options.ts';
import { parseObject } from './problem.ts';
import type { Repeat, Sender } from './sender.ts';
import { statusError } from './status-error.ts';
import { tokenUrlKind } from './token-url.ts';

export interface ClientSecret {
  readonly clientId: string;
  readonly clientSecret: SecretValue;
}

/**
 * What the token endpoint says: a token, an error of OAuth, or a refusal (400, 401, 403) that gives no such reason, with the
 * IssuerError that tells it. `lifetime` in seconds, null: not said.
 */
export type TokenAnswer =
  | { readonly kind: 'token'; readonly token: SecretValue; readonly lifetime: number | null }
  | ({ readonly kind: 'oauth-error' } & OAuthError)
  | { readonly kind: 'unexplained'; readonly failure: IssuerError };

const BODY_LIMIT = 1024 * 1024;
const REFUSALS = [400, 401, 403];

/** The OAuth token endpoint, found by discovery where only an authority is known. */
export class TokenEndpoint {
  readonly #options: Data8Options;
  readonly #sender: Sender;
  readonly #failures: Failures;
  #discovered: string | null = null;

  constructor(options: Data8Options, sender: Sender, failures: Failures) {
    this.#options = options;
    this.#sender = sender;
    this.#failures = failures;
  }

  /**
   * Asks for a token with the grant client_credentials.
   * @throws IssuerError for everything that is neither a token nor a refusal: silence, 429, 5xx, HTML with a 2xx.
   */
  async ask(
    client: ClientSecret,
    operation: Data8Operation,
    repeat: Repeat,
    signal?: AbortSignal,
  ): Promise<TokenAnswer> {
    const url = await this.#url(signal);
    const form = new URLSearchParams({ grant_type: 'client_credentials' });
    if (this.#options.scope !== '') form.set('scope', this.#options.scope);
    const headers: Record<string, string> = {};
    if (this.#options.tokenEndpointAuthMethod === 'client_secret_basic') headers['authorization'] = basic(client);
    else {
      form.set('client_id', client.clientId);
      form.set('client_secret', client.clientSecret.reveal());
    }
    const { reply } = await this.#sender.send(
      { operation, method: 'POST', url, headers, body: form, bodyLimit: BODY_LIMIT },
      repeat,
      signal,
    );
    if (reply.status === 404 || reply.status === 405) this.#discovered = null; // it may have moved: look again next time
    return this.#read(reply, operation, client);
  }

  #read(reply: Reply, operation: Data8Operation, client: ClientSecret): TokenAnswer {
    const body = parseObject(reply.body);
    if (reply.status >= 200 && reply.status < 300) {
      const token = body?.['access_token'];
      if (typeof token === 'string' && /^[\x21-\x7e]+$/.test(token)) {
        return { kind: 'token', token: SecretValue.of(token), lifetime: readLifetime(body?.['expires_in']) };
      }
      throw this.#failures.make('malformed', operation, `the token endpoint answered ${reply.status} without a token`, {
        status: reply.status,
      });
    }
    const error = body?.['error'];
    const said = typeof error === 'string' && /^[a-z_]{1,40}$/.test(error) ? error : null;
    const isRefusal = REFUSALS.includes(reply.status);
    if (said !== null && isRefusal) return { kind: 'oauth-error', error: said, status: reply.status };
    const failure = statusError(reply, operation, this.#failures, [client.clientSecret], { at: 'the token endpoint' });
    if (isRefusal) return { kind: 'unexplained', failure };
    throw failure;
  }

  async #url(signal: AbortSignal | undefined): Promise<string> {
    const { kind, url } = tokenUrlKind(this.#options.tokenUrl);
    if (kind === 'endpoint') return url;
    this.#discovered ??= await this.#discover(url, signal);
    return this.#discovered;
  }

  async #discover(url: string, signal: AbortSignal | undefined): Promise<string> {
    const operation = 'discovery';
    const { reply } = await this.#sender.send(
      { operation, method: 'GET', url, headers: {}, bodyLimit: BODY_LIMIT },
      'always',
      signal,
    );
    if (reply.status < 200 || reply.status > 299) throw statusError(reply, operation, this.#failures, [], { at: url });
    const endpoint = parseObject(reply.body)?.['token_endpoint'];
    if (typeof endpoint !== 'string') {
      throw this.#failures.make('malformed', operation, `${url} names no token_endpoint; give it as tokenUrl`);
    }
    // The document decides where our secret goes: it must not lead it out of TLS.
    const unsafe = urlProblem(endpoint) ?? (url.startsWith('https:') && !endpoint.startsWith('https:') ? '' : null);
    if (unsafe !== null) {
      throw this.#failures.make(
        'malformed',
        operation,
        `${url} names a token_endpoint that is not https; give it as tokenUrl`,
      );
    }
    return endpoint;
  }
}

function readLifetime(value: unknown): number | null {
  const seconds = typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : value;
  return typeof seconds === 'number' && Number.isFinite(seconds) ? Math.max(0, seconds) : null;
}

/** RFC 6749, 2.3.1: both parts are form-urlencoded before they are joined. */
function basic({ clientId, clientSecret }: ClientSecret): string {
  const joined = `${formEncoded(clientId)}:${formEncoded(clientSecret.reveal())}`;
  return `Basic ${Buffer.from(joined).toString('base64')}`;
}

function formEncoded(text: string): string {
  return new URLSearchParams([['', text]]).toString().slice(1);
}
