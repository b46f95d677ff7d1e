import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { FakeSecretStore, Refused } from './gcp-secret-store.ts';

const PATH = /^\/v1\/projects\/[^/]+\/secrets(?:\/([^/:]+)(?:\/versions\/([^/:]+))?(?::(\w+))?)?$/;

/** One request, as the service sees it. */
export interface GcpRequest {
  /** `get`, `create`, `update`, `addVersion`, `version`, `access`, `disable`, `testIamPermissions`. */
  readonly call: string;
  readonly secret: string;
  readonly version: string | null;
  readonly authorization: string | undefined;
  readonly body: string;
}

/** What stands in for the service's own answer; `after`: the request is carried out all the same. */
export type Interference =
  | { readonly refuse: Refused }
  | { readonly answer: { status: number; body: string; headers?: Record<string, string> }; readonly after?: boolean }
  | { readonly hangUp: true; readonly after?: boolean }
  | { readonly wait: Promise<void> };

/** The REST interface of Google's Secret Manager on the loopback address, over a store in memory. */
export class FakeGcpSecretManager {
  readonly store = new FakeSecretStore();
  readonly requests: GcpRequest[] = [];
  /** Asked before each request. */
  interfere: (request: GcpRequest) => Interference | null = () => null;
  /** Permissions that `testIamPermissions` tells of secrets that are there. */
  granted: (permission: string) => boolean = () => true;
  /** What readers see, but by version number: reading what was just added by its number does not lag. */
  stale: FakeSecretStore | null = null;
  readonly #server = createServer((request, response) => void this.#serve(request, response));

  async start(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(incoming.url ?? '/', 'http://fake');
    const [, secret, version, verb] = PATH.exec(url.pathname) ?? [];
    const request: GcpRequest = {
      call: callOf(incoming.method ?? '', secret, version, verb),
      secret: secret ?? url.searchParams.get('secretId') ?? '',
      version: version ?? null,
      authorization: incoming.headers.authorization,
      body: await text(incoming),
    };
    this.requests.push(request);
    const instead = this.interfere(request);
    if (instead !== null && 'wait' in instead) await instead.wait;
    let answer: { status: number; body: string; headers?: Record<string, string> };
    try {
      if (instead !== null && 'refuse' in instead) throw instead.refuse;
      const carriedOut = instead === null || 'wait' in instead || instead.after === true;
      const body = carriedOut ? this.#carryOut(request, url) : {};
      answer = { status: 200, body: JSON.stringify(body) };
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      const { http: code, message, status } = error;
      answer = { status: code, body: JSON.stringify({ error: { code, message, status } }) };
    }
    if (instead !== null && 'hangUp' in instead) {
      incoming.socket.destroy();
      return;
    }
    if (instead !== null && 'answer' in instead) answer = instead.answer;
    response.writeHead(answer.status, { 'content-type': 'application/json; charset=UTF-8', ...answer.headers });
    response.end(answer.body);
  }

  #carryOut({ call, secret, version, body }: GcpRequest, url: URL): object {
    const store = this.store;
    const seen = this.stale !== null && (version === null || version === 'latest') ? this.stale : store;
    const json = (body === '' ? {} : JSON.parse(body)) as Record<string, never>;
    const which = version ?? '';
    switch (call) {
      case 'create':
        store.create(secret, json);
        return store.secretJson(secret);
      case 'get':
        return seen.secretJson(secret);
      case 'update':
        store.update(secret, json, url.searchParams.get('updateMask')?.split(',') ?? []);
        return store.secretJson(secret);
      case 'addVersion': {
        const { data, dataCrc32c } = json['payload'] as unknown as { data: string; dataCrc32c?: string };
        return store.versionJson(secret, String(store.add(secret, Buffer.from(data, 'base64'), dataCrc32c)));
      }
      case 'version':
        return seen.versionJson(secret, which);
      case 'access':
        return seen.accessJson(secret, which);
      case 'delete':
        store.find(secret);
        store.secrets.delete(secret);
        return {};
      case 'disable':
        store.setState(secret, which, 'DISABLED');
        return store.versionJson(secret, which);
      case 'testIamPermissions': {
        const asked = json['permissions'] as unknown as string[];
        return store.secrets.has(secret) ? { permissions: asked.filter(this.granted) } : {};
      }
      default:
        throw new Refused(404, 'NOT_FOUND', 'The requested URL was not found on this server.');
    }
  }
}

function callOf(method: string, secret?: string, version?: string, verb?: string): string {
  if (verb !== undefined) return verb;
  if (version !== undefined) return 'version';
  if (secret === undefined) return method === 'POST' ? 'create' : 'list';
  if (method === 'DELETE') return 'delete';
  return method === 'PATCH' ? 'update' : 'get';
}
