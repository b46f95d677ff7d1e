import type { SecretValue } from '../../domain/secret-value.ts';
import type { CreatedSecret, ListedCredential, ListedSecret, SecretWish } from '../contract.ts';
import type { AccessToken } from './access-token.ts';
import type { TextSink } from './body.ts';
import type { Call } from './exchange.ts';
import type { Data8Operation, Failures } from './failure.ts';
import { pathSegment } from './path.ts';
import type { Delivered, Repeat, Sender } from './sender.ts';
import { statusError } from './status-error.ts';
import {
  credentialsReader,
  newSecretBody,
  readCreatedSecret,
  readCredential,
  readSecret,
  readSecrets,
  secretBody,
} from './wire.ts';
import type { Reader } from './wire.ts';

/**
 * The ten ClientCredential operations of the Data8 Administration API, typed. All but the two POSTs are repeated after
 * failures that may pass; a POST only where it was surely not executed. Each throws {@link IssuerError} and nothing
 * else, but the reason of an aborted `signal`. `deleteX` gives `absent` where the API answers 404.
 */
export interface Data8Api {
  /** Without secrets: the API leaves them out. @throws `malformed` where any item is. */
  listCredentials(signal?: AbortSignal): Promise<readonly ListedCredential[]>;
  getCredential(clientId: string, signal?: AbortSignal): Promise<ListedCredential>;
  /** The clientId is the issuer's choice. */
  createCredential(description: string, signal?: AbortSignal): Promise<ListedCredential>;
  updateCredential(clientId: string, description: string, signal?: AbortSignal): Promise<void>;
  deleteCredential(clientId: string, signal?: AbortSignal): Promise<'deleted' | 'absent'>;
  listSecrets(clientId: string, signal?: AbortSignal): Promise<readonly ListedSecret[]>;
  getSecret(clientId: string, secretId: string, signal?: AbortSignal): Promise<ListedSecret>;
  /** The value is in this answer and nowhere else. @throws `malformed` where id or value are missing: it counts as lost. */
  createSecret(clientId: string, wish: SecretWish, signal?: AbortSignal): Promise<CreatedSecret>;
  updateSecret(clientId: string, secretId: string, wish: SecretWish, signal?: AbortSignal): Promise<void>;
  deleteSecret(clientId: string, secretId: string, signal?: AbortSignal): Promise<'deleted' | 'absent'>;
  /** A request under way comes to its end; a refresh of the token is given up, and nothing new is sent. */
  close(): void;
}

const LIST_LIMIT = 64 * 1024 * 1024;
const ITEM_LIMIT = 1024 * 1024;
const ROOT = '/ClientCredential';

interface Request {
  readonly operation: Data8Operation;
  readonly method: Call['method'];
  /** The ids in the path, behind which `secrets` comes where there is more than the first. */
  readonly path: readonly string[];
  readonly body?: object;
  readonly bodyLimit: number;
  readonly sink?: Call['sink'];
}

/** {@link Data8Api} over HTTP. */
export class HttpData8Api implements Data8Api {
  readonly #baseUrl: string;
  readonly #sender: Sender;
  readonly #token: AccessToken;
  readonly #ownSecrets: () => readonly SecretValue[];
  readonly #failures: Failures;

  constructor(
    baseUrl: string,
    parts: {
      readonly sender: Sender;
      readonly token: AccessToken;
      readonly ownSecrets: () => readonly SecretValue[];
      readonly failures: Failures;
    },
  ) {
    this.#baseUrl = baseUrl;
    this.#sender = parts.sender;
    this.#token = parts.token;
    this.#ownSecrets = parts.ownSecrets;
    this.#failures = parts.failures;
  }

  listCredentials(signal?: AbortSignal): Promise<readonly ListedCredential[]> {
    let list = credentialsReader();
    const sink = (): TextSink => (list = credentialsReader());
    const request: Request = { operation: 'list-credentials', method: 'GET', path: [], bodyLimit: LIST_LIMIT, sink };
    return this.#answer(request, () => list.result(), signal);
  }

  getCredential(clientId: string, signal?: AbortSignal): Promise<ListedCredential> {
    return this.#read('get-credential', 'GET', [clientId], ITEM_LIMIT, readCredential, undefined, signal);
  }

  createCredential(description: string, signal?: AbortSignal): Promise<ListedCredential> {
    return this.#read('create-credential', 'POST', [], ITEM_LIMIT, readCredential, { description }, signal);
  }

  async updateCredential(clientId: string, description: string, signal?: AbortSignal): Promise<void> {
    // `secrets` stays out: the API wants none here, and an empty list might be taken for the wish to have none.
    await this.#change('update-credential', 'PUT', [clientId], { clientId, description }, signal);
  }

  deleteCredential(clientId: string, signal?: AbortSignal): Promise<'deleted' | 'absent'> {
    return this.#delete('delete-credential', [clientId], signal);
  }

  listSecrets(clientId: string, signal?: AbortSignal): Promise<readonly ListedSecret[]> {
    return this.#read('list-secrets', 'GET', [clientId, 'secrets'], LIST_LIMIT, readSecrets, undefined, signal);
  }

  getSecret(clientId: string, secretId: string, signal?: AbortSignal): Promise<ListedSecret> {
    const path = [clientId, 'secrets', secretId];
    return this.#read('get-secret', 'GET', path, ITEM_LIMIT, readSecret, undefined, signal);
  }

  createSecret(clientId: string, wish: SecretWish, signal?: AbortSignal): Promise<CreatedSecret> {
    const path = [clientId, 'secrets'];
    return this.#read('create-secret', 'POST', path, ITEM_LIMIT, readCreatedSecret, newSecretBody(wish), signal);
  }

  async updateSecret(clientId: string, secretId: string, wish: SecretWish, signal?: AbortSignal): Promise<void> {
    const path = [clientId, 'secrets', secretId];
    await this.#change('update-secret', 'PUT', path, secretBody(secretId, wish), signal);
  }

  deleteSecret(clientId: string, secretId: string, signal?: AbortSignal): Promise<'deleted' | 'absent'> {
    return this.#delete('delete-secret', [clientId, 'secrets', secretId], signal);
  }

  close(): void {
    this.#token.close(
      this.#failures.make('unavailable', 'token', 'closed: rekeyd is stopping', { surelyNotApplied: true }),
    );
  }

  async #read<T>(
    operation: Data8Operation,
    method: 'GET' | 'POST',
    path: readonly string[],
    bodyLimit: number,
    read: Reader<T>,
    body: object | undefined,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    return this.#answer({ operation, method, path, bodyLimit, ...(body === undefined ? {} : { body }) }, read, signal);
  }

  async #answer<T>(request: Request, read: Reader<T>, signal: AbortSignal | undefined): Promise<T> {
    const { operation, bodyLimit } = request;
    const { reply } = await this.#succeed(request, signal);
    const result = reply.body === null ? null : read(reply.body);
    if (result !== null) return result;
    const why = reply.body === null ? `is longer than ${bodyLimit} bytes` : 'is not what the API promises';
    throw this.#failures.make('malformed', operation, `the answer ${why} (status ${reply.status})`, {
      status: reply.status,
    });
  }

  async #change(
    operation: Data8Operation,
    method: 'PUT' | 'DELETE',
    path: readonly string[],
    body: object | undefined,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    await this.#succeed({ operation, method, path, bodyLimit: 0, ...(body === undefined ? {} : { body }) }, signal);
  }

  async #delete(
    operation: Data8Operation,
    path: readonly string[],
    signal: AbortSignal | undefined,
  ): Promise<'deleted' | 'absent'> {
    const { reply } = await this.#succeed({ operation, method: 'DELETE', path, bodyLimit: 0 }, signal, 404);
    return reply.status === 404 ? 'absent' : 'deleted';
  }

  /** Sends with a token; once more with a fresh one where the API refuses it: a 401 was surely not executed. */
  async #succeed(request: Request, signal: AbortSignal | undefined, alsoGood?: number): Promise<Delivered> {
    const url = this.#url(request);
    const repeat: Repeat = request.method === 'POST' ? 'unexecuted' : 'always';
    let token = await this.#token.get(signal);
    let sent = await this.#sender.send(this.#call(request, url, token), repeat, signal);
    if (sent.reply.status === 401) {
      this.#token.refused(token);
      token = await this.#token.get(signal);
      const again = await this.#sender.send(this.#call(request, url, token), repeat, signal);
      sent = { reply: again.reply, ambiguous: sent.ambiguous || again.ambiguous };
    }
    const { reply, ambiguous } = sent;
    if ((reply.status >= 200 && reply.status < 300) || reply.status === alsoGood) return sent;
    throw statusError(reply, request.operation, this.#failures, [token, ...this.#ownSecrets()], {
      at: 'the API',
      ambiguous,
    });
  }

  #call({ operation, method, body, bodyLimit, sink }: Request, url: string, token: SecretValue): Call {
    const headers = {
      authorization: `Bearer ${token.reveal()}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    };
    return {
      operation,
      method,
      url,
      headers,
      bodyLimit,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(sink === undefined ? {} : { sink }),
    };
  }

  #url({ operation, path }: Request): string {
    const segments = path.map((id) => {
      const segment = pathSegment(id);
      if (segment !== null) return segment;
      throw this.#failures.make('rejected', operation, 'an id that is empty, "." or ".." cannot be asked for', {
        surelyNotApplied: true,
      });
    });
    return [this.#baseUrl + ROOT, ...segments].join('/');
  }
}
