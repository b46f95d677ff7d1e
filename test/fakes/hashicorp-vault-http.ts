import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { KvStore } from './kv-store.ts';
import type { KvAnswer } from './kv-store.ts';

/** A request, as it came in. */
export interface SeenRequest {
  readonly method: string;
  /** Behind `/v1/`, decoded. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: Readonly<Record<string, unknown>>;
}

/** An answer that a test gives in the place of the server's; `hang`: none at all. */
export interface ScriptedAnswer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly hang?: boolean;
  /** Ends the connection in the middle of the body. */
  readonly breakOff?: boolean;
  /** A body that never ends. */
  readonly endless?: boolean;
}

interface Token {
  /** Seconds from its making or renewal; 0: no end. */
  readonly ttl: number;
  readonly renewable: boolean;
  /** By the server's clock, milliseconds. */
  endsAt: number;
  /** The end that no renewal moves. */
  readonly lastsUntil: number;
}

/** How a login by a method is answered; absent: refused. */
export interface LoginRule {
  readonly accepts: (body: Readonly<Record<string, unknown>>) => boolean;
  readonly ttl: number;
  readonly renewable?: boolean;
  /** Seconds. */
  readonly maxTtl?: number;
}

/**
 * A Vault server at HTTP level, on loopback: KV version 2 at `secret`, tokens and logins, and what a test lets it do wrong.
 * Answers were taken from OpenBao 2.4; what only HashiCorp's Enterprise or OpenBao 2.7 does (`X-Vault-Index`), from their
 * documentation.
 */
export class FakeVaultServer {
  readonly store = new KvStore();
  readonly seen: SeenRequest[] = [];
  readonly tokens = new Map<string, Token>();
  readonly logins = new Map<string, LoginRule>();
  /** The server's clock, milliseconds. */
  now: () => number = () => 0;
  /** Looked at before anything else. */
  script: (request: SeenRequest) => ScriptedAnswer | null = () => null;
  /** What an answer waits for. */
  delay: (request: SeenRequest) => Promise<void> | null = () => null;
  /** No right to anything but one's own token. */
  denied = false;
  mount: Readonly<Record<string, unknown>> = { type: 'kv', options: { version: '2' }, path: 'secret/' };
  capabilities: (path: string) => readonly string[] = () => ['create', 'read', 'update', 'patch'];
  /** How many more reads are answered by a standby that has not seen the last write. */
  lag = 0;
  #writes = 0;
  #made = 0;
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => void this.#serve(request, response));
  }

  static async start(): Promise<FakeVaultServer> {
    const fake = new FakeVaultServer();
    fake.#server.listen(0, '127.0.0.1');
    await once(fake.#server, 'listening');
    fake.issue('root', 0, false);
    return fake;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Also where a test has stopped it before. */
  async stop(): Promise<void> {
    if (!this.#server.listening) return;
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }

  /** Makes a token. @param ttl seconds; 0: it does not end. */
  issue(token: string, ttl: number, renewable: boolean, maxTtl = Number.POSITIVE_INFINITY): void {
    const endsAt = ttl === 0 ? Number.POSITIVE_INFINITY : this.now() + ttl * 1000;
    this.tokens.set(token, { ttl, renewable, endsAt, lastsUntil: this.now() + maxTtl * 1000 });
  }

  count(method: string, path: RegExp): number {
    return this.seen.filter((request) => request.method === method && path.test(request.path)).length;
  }

  async #serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    for await (const part of incoming as AsyncIterable<Buffer>) parts.push(part);
    const text = Buffer.concat(parts).toString('utf8');
    const url = new URL(incoming.url ?? '/', 'http://localhost');
    const request: SeenRequest = {
      method: incoming.method ?? '',
      path: decodeURIComponent(url.pathname.replace(/^\/v1\//, '')),
      query: url.searchParams,
      headers: incoming.headers,
      body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>),
    };
    this.seen.push(request);
    await this.delay(request);
    const scripted = this.script(request);
    if (scripted?.hang === true) return;
    if (scripted?.breakOff === true) {
      response.writeHead(200, { 'content-length': '1000' }).write('{"data":', () => response.destroy());
      return;
    }
    if (scripted?.endless === true) {
      const part = 'x'.repeat(1024 * 1024);
      while (!response.destroyed) await new Promise((resolve) => response.write(part, resolve));
      return;
    }
    if (scripted !== null) {
      response.writeHead(scripted.status ?? 200, scripted.headers).end(scripted.body ?? '');
      return;
    }
    const answer = this.#answer(request);
    const written = request.method !== 'GET' && answer.status < 300;
    if (written) this.#writes += 1;
    const headers = {
      'content-type': 'application/json',
      ...(written ? { 'x-vault-index': `index-${this.#writes}` } : {}),
    };
    response.writeHead(answer.status, headers).end(bodyOf(answer));
  }

  #answer(request: SeenRequest): KvAnswer & { readonly auth?: unknown } {
    const { method, path } = request;
    const login = /^auth\/(.+)\/login$/.exec(path)?.[1];
    if (login !== undefined) return this.#logIn(login, request.body);
    const token = String(request.headers['x-vault-token']);
    const held = this.tokens.get(token);
    if (held === undefined || held.endsAt <= this.now()) return { status: 403, errors: ['permission denied'] };
    if (path === 'auth/token/lookup-self') {
      const ttl = held.ttl === 0 ? 0 : Math.floor((held.endsAt - this.now()) / 1000);
      return { status: 200, data: { ttl, renewable: held.renewable } };
    }
    if (path === 'auth/token/renew-self') return this.#renew(token, held);
    if (path === 'auth/token/revoke-self') {
      this.tokens.delete(token);
      return { status: 204 };
    }
    if (this.denied && token !== 'root')
      return { status: 403, errors: ['1 error occurred:\n\t* permission denied\n\n'] };
    if (path.startsWith('sys/internal/ui/mounts/')) return { status: 200, data: this.mount };
    if (path === 'sys/capabilities-self') {
      const paths = request.body['paths'] as string[];
      return { status: 200, data: Object.fromEntries(paths.map((each) => [each, this.capabilities(each)])) };
    }
    if (method === 'GET' && this.lag > 0 && request.headers['x-vault-index'] !== undefined) {
      this.lag -= 1;
      return { status: 412, errors: ['required index state not present'] };
    }
    return this.#engine(request);
  }

  #engine({ method, path, query, body }: SeenRequest): KvAnswer {
    const [, part, name = ''] = /^secret\/(data|metadata|undelete|destroy)\/(.+)$/.exec(path) ?? [];
    switch (`${method} ${part ?? ''}`) {
      case 'GET data':
        return this.store.read(name, Number(query.get('version') ?? 0));
      case 'POST data':
        return this.store.write(name, body);
      case 'DELETE data':
        return this.store.remove(name, 'delete');
      case 'POST undelete':
        return this.store.remove(name, 'undelete');
      case 'PUT destroy':
        return this.store.remove(name, 'destroy');
      case 'GET metadata':
        return this.store.metadata(name);
      case 'POST metadata':
        return this.store.putMetadata(name, body);
      case 'PATCH metadata':
        return this.store.patchMetadata(name, body);
      case 'DELETE metadata':
        return this.store.removeAll(name);
      default:
        return { status: 404, errors: [`no handler for route "${path}". route entry not found.`] };
    }
  }

  #logIn(mount: string, body: Readonly<Record<string, unknown>>): KvAnswer & { readonly auth?: unknown } {
    const rule = this.logins.get(mount);
    if (rule?.accepts(body) !== true) return { status: 400, errors: ['invalid role or secret ID'] };
    this.#made += 1;
    const token = `made-${this.#made}`;
    this.issue(token, rule.ttl, rule.renewable ?? true, rule.maxTtl);
    return { status: 200, auth: { client_token: token, lease_duration: rule.ttl, renewable: rule.renewable ?? true } };
  }

  #renew(token: string, held: Token): KvAnswer & { readonly auth?: unknown } {
    if (!held.renewable) return { status: 400, errors: ['lease is not renewable'] };
    held.endsAt = Math.min(this.now() + held.ttl * 1000, held.lastsUntil);
    const left = Math.floor((held.endsAt - this.now()) / 1000);
    return { status: 200, auth: { client_token: token, lease_duration: left, renewable: true } };
  }
}

function bodyOf(answer: KvAnswer & { readonly auth?: unknown }): string {
  if (answer.errors !== undefined) return JSON.stringify({ errors: answer.errors });
  if (answer.data === undefined && answer.auth === undefined) return '';
  return JSON.stringify({ request_id: 'r', data: answer.data ?? null, auth: answer.auth ?? null });
}
