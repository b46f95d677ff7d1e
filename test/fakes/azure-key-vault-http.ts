import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { AzureKeyVaultStore } from './azure-key-vault-store.ts';
import type { StoredVersion, VersionBody } from './azure-key-vault-store.ts';
import { selfSigned } from './self-signed.ts';

/** What was asked. */
export interface KeyVaultRequest {
  readonly method: string;
  /** Without the query: `/secrets/name/version`. */
  readonly path: string;
  readonly authorization: string | undefined;
  readonly body: string;
}

/** What is answered in the place of the vault; null: the vault answers itself. */
export type Interference = (request: KeyVaultRequest) => KeyVaultAnswer | null | undefined;

export interface KeyVaultAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** An object goes as JSON. */
  readonly body?: unknown;
  /** Break the connection instead. */
  readonly reset?: boolean;
}

const PAGE = 25;
const LARGEST = 25_600;

/**
 * Azure Key Vault's secrets over HTTPS on the loopback address, as its REST reference and what public reports show of it:
 * the challenge, soft deletion with its 409s, disabled versions, pages of versions in no order.
 */
export class AzureKeyVaultHttp {
  readonly store = new AzureKeyVaultStore();
  readonly requests: KeyVaultRequest[] = [];
  readonly certificate: string;
  /** In the challenge. A real one names the cloud's Key Vault domain. */
  resource = 'https://vault.azure.net';
  /** The only token that it takes. */
  token = 'a-token-for-key-vault';
  interfere: Interference = () => null;
  readonly #server: Server;
  readonly #host: string;

  private constructor(server: Server, host: string, certificate: string) {
    this.#server = server;
    this.#host = host;
    this.certificate = certificate;
    server.on('request', (request: IncomingMessage, response: ServerResponse) => void this.#serve(request, response));
  }

  /** @param host the name in its address and its certificate; it listens on the loopback address whatever the name. */
  static async start(host = 'localhost'): Promise<AzureKeyVaultHttp> {
    const { key, cert } = selfSigned(host);
    const server = createServer({ key, cert });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new AzureKeyVaultHttp(server, host, cert);
  }

  get url(): string {
    return `https://${this.#host}:${(this.#server.address() as AddressInfo).port}`;
  }

  /** A credential whose tokens it takes. */
  readonly credential = {
    getToken: () => Promise.resolve({ token: this.token, expiresOnTimestamp: Date.now() + 3_600_000 }),
  };

  /** Requests that change something, as `PUT /secrets/name`. */
  get writes(): string[] {
    return this.requests
      .filter(({ method, body }) => method !== 'GET' && (method !== 'PUT' || body !== ''))
      .map(({ method, path }) => `${method} ${path}`);
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { pathname, searchParams } = new URL(request.url ?? '/', this.url);
    const asked: KeyVaultRequest = {
      method: request.method ?? '',
      path: pathname.replace(/\/$/, ''),
      authorization: request.headers.authorization,
      body: Buffer.concat(chunks).toString(),
    };
    this.requests.push(asked);
    const answer = this.interfere(asked) ?? this.#answer(asked, searchParams);
    if (answer.reset === true) {
      request.socket.destroy();
      return;
    }
    const text = typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body ?? '');
    response.writeHead(answer.status, { 'content-type': 'application/json; charset=utf-8', ...answer.headers });
    response.end(answer.body === undefined ? '' : text);
  }

  #answer({ method, path, authorization, body }: KeyVaultRequest, query: URLSearchParams): KeyVaultAnswer {
    if (authorization !== `Bearer ${this.token}`) return this.#challenge();
    if (query.get('api-version') === null) return failed(400, 'BadParameter');
    const [, collection = '', name = '', part] = path.split('/');
    if (!/^[0-9a-zA-Z-]{1,127}$/.test(name)) return failed(400, 'BadParameter');
    const sent = body === '' ? {} : (JSON.parse(body) as VersionBody);
    switch (`${method} ${collection}${part === 'versions' || part === 'recover' ? ` ${part}` : ''}`) {
      case 'GET secrets':
        return this.#get(name, part);
      case 'PUT secrets':
        return this.#set(name, sent);
      case 'PATCH secrets':
        return this.#update(name, part ?? '', sent);
      case 'GET secrets versions':
        return this.#list(name, Number(query.get('$skiptoken') ?? 0));
      case 'DELETE secrets':
        return this.#delete(name);
      case 'GET deletedsecrets':
        return this.#getDeleted(name);
      case 'POST deletedsecrets recover':
        return this.#recover(name);
      default:
        return failed(405, 'MethodNotAllowed');
    }
  }

  #challenge(): KeyVaultAnswer {
    const authorization = 'https://login.windows.net/00000000-0000-0000-0000-000000000001';
    const headers = { 'www-authenticate': `Bearer authorization="${authorization}", resource="${this.resource}"` };
    return { ...failed(401, 'Unauthorized'), headers };
  }

  #get(name: string, id: string | undefined): KeyVaultAnswer {
    const versions = this.store.readable(name);
    const version = id === undefined ? versions?.at(-1) : versions?.find((one) => one.id === id);
    if (version === undefined) return failed(404, 'SecretNotFound');
    if (!version.attributes.enabled) return failed(403, 'Forbidden', 'SecretDisabled');
    return { status: 200, body: { ...this.#item(name, version), value: version.value } };
  }

  #set(name: string, body: VersionBody): KeyVaultAnswer {
    const there = this.store.find(name);
    if (there?.deleted === true) return failed(409, 'Conflict', 'ObjectIsDeletedButRecoverable');
    if (there !== undefined && there.recovering > 0) return failed(409, 'Conflict', 'ObjectIsBeingRecovered');
    const tags = Object.entries(body.tags ?? {});
    const tooLong = tags.some(([key, text]) => key.length > 256 || text.length > 256);
    if (tags.length > 15 || tooLong || Buffer.byteLength(body.value ?? '') > LARGEST)
      return failed(400, 'BadParameter');
    const version = this.store.set(name, body);
    return { status: 200, body: { ...this.#item(name, version), value: version.value } };
  }

  #update(name: string, id: string, body: VersionBody): KeyVaultAnswer {
    const version = this.store.readable(name)?.find((one) => one.id === id);
    if (version === undefined) return failed(404, 'SecretNotFound');
    if (body.tags !== undefined) version.tags = body.tags;
    Object.assign(version.attributes, body.attributes);
    return { status: 200, body: this.#item(name, version) };
  }

  /** No order is promised: here they come by their ids. */
  #list(name: string, from: number): KeyVaultAnswer {
    const all = [...(this.store.readable(name) ?? [])].sort((a, b) => (a.id < b.id ? -1 : 1));
    const value = all.slice(from, from + PAGE).map((version) => this.#item(name, version));
    const next = `${this.url}/secrets/${name}/versions?api-version=7.4&$skiptoken=${from + PAGE}`;
    return { status: 200, body: { value, nextLink: from + PAGE < all.length ? next : null } };
  }

  #delete(name: string): KeyVaultAnswer {
    if (this.store.readable(name) === null) return failed(404, 'SecretNotFound');
    this.store.delete(name);
    return this.#getDeleted(name);
  }

  #getDeleted(name: string): KeyVaultAnswer {
    const secret = this.store.find(name);
    const version = secret?.versions.at(-1);
    if (secret?.deleted !== true || version === undefined) return failed(404, 'SecretNotFound');
    const recoveryId = `${this.url}/deletedsecrets/${name}`;
    return { status: 200, body: { ...this.#item(name, version), recoveryId, deletedDate: 1, scheduledPurgeDate: 2 } };
  }

  #recover(name: string): KeyVaultAnswer {
    const secret = this.store.find(name);
    const version = secret?.versions.at(-1);
    if (secret?.deleted !== true || version === undefined) return failed(404, 'SecretNotFound');
    this.store.recover(secret);
    return { status: 200, body: this.#item(name, version) };
  }

  #item(name: string, { id, contentType, tags, attributes, managed }: StoredVersion): Record<string, unknown> {
    return { id: `${this.url}/secrets/${name}/${id}`, contentType, tags, attributes, managed };
  }
}

/** An error in Key Vault's form. */
export function failed(status: number, code: string, inner?: string, message = 'told by the fake'): KeyVaultAnswer {
  const innererror = inner === undefined ? {} : { innererror: { code: inner } };
  return {
    status,
    headers: { 'x-ms-request-id': 'b1c6683d-909d-4ee5-8dab-7f21051e24a2' },
    body: { error: { code, message, ...innererror } },
  };
}
