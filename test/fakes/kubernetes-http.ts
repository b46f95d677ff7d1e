import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A Secret as the fake keeps it. */
export interface FakeSecret {
  type: string;
  immutable?: boolean;
  metadata: {
    name: string;
    namespace: string;
    resourceVersion: string;
    labels: Record<string, string>;
    annotations: Record<string, string>;
    managedFields: {
      manager: string;
      operation: 'Update';
      time: string;
      fieldsV1: Record<string, Record<string, object>>;
    }[];
  };
  data: Record<string, string>;
}

export interface FakeRequest {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly accept: string;
}

/** An answer instead of the real one; null: the real one. `silent`: none at all. */
export type Fault = { status: number; headers?: Record<string, string>; body: string } | 'silent' | null;

type Patch = { metadata?: Record<string, unknown>; data?: Record<string, string | null> | null };

const RESERVED_FOR_CREATE = ['name', 'namespace'];

/**
 * As much of the Kubernetes API as the vault uses, over HTTP on loopback: Secrets with merge patches, `resourceVersion` as
 * precondition and `managedFields`; namespaces; who am I and may I. What it answers was compared with a real API server's by
 * test/servers/vault-kubernetes.test.ts, which runs the same suite. It knows no validation of values, no quota, no admission.
 */
export class FakeKubernetes {
  readonly secrets = new Map<string, FakeSecret>();
  readonly namespaces = new Set(['apps']);
  readonly tokens = new Set(['good']);
  readonly requests: FakeRequest[] = [];
  /** Looked at before each request; by default there is none. */
  fault: (request: FakeRequest) => Fault = () => null;
  /** Whether a verb on a resource is allowed. */
  allows: (verb: string, resource: string) => boolean = () => true;
  readonly #server: Server;
  #revision = 1;

  private constructor() {
    this.#server = createServer((request, response) => void this.#serve(request, response));
  }

  static async start(): Promise<FakeKubernetes> {
    const fake = new FakeKubernetes();
    fake.#server.listen(0, '127.0.0.1');
    await once(fake.#server, 'listening');
    return fake;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** A kubeconfig whose user is what `user` says. */
  kubeconfig(user: object = { token: 'good' }, server = this.url): string {
    return JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'fake', cluster: { server } }],
      users: [{ name: 'fake', user }],
      contexts: [{ name: 'fake', context: { cluster: 'fake', user: 'fake' } }],
      'current-context': 'fake',
    });
  }

  /** Writes as somebody else does: `kubectl` is from then on whom changed keys belong to. */
  edit(key: string, change: (secret: FakeSecret) => void): void {
    const secret = this.secrets.get(key);
    if (secret === undefined) throw new Error(`there is no ${key}`);
    const before = { ...secret.data };
    change(secret);
    this.#wrote(secret, before, 'kubectl');
  }

  /** Makes a Secret as somebody else does. */
  put(namespace: string, name: string, data: Record<string, string>): void {
    this.#create(namespace, { metadata: { name }, data }, 'kubectl');
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming as AsyncIterable<Buffer>) chunks.push(chunk);
    const { method = '', url = '', headers } = incoming;
    const request = { method, path: url, accept: headers.accept ?? '' };
    this.requests.push(request);
    const fault = this.fault(request);
    if (fault === 'silent') return;
    const text = Buffer.concat(chunks).toString();
    const token = headers.authorization?.replace('Bearer ', '') ?? '';
    const { status, body } = this.#answer(request, token, text === '' ? {} : (JSON.parse(text) as Patch));
    response.writeHead(fault?.status ?? status, { 'content-type': 'application/json', ...fault?.headers });
    response.end(fault?.body ?? JSON.stringify(body));
  }

  #answer({ method, path, accept }: FakeRequest, token: string, body: Patch): { status: number; body: object } {
    if (!this.tokens.has(token)) return failure(401, 'Unauthorized', {});
    const [url = ''] = path.split('?');
    if (url.endsWith('/selfsubjectreviews'))
      return { status: 201, body: { status: { userInfo: { username: 'fake' } } } };
    if (url.endsWith('/selfsubjectaccessreviews'))
      return { status: 201, body: { status: { allowed: this.#may(body) } } };
    const [, , , , namespace = '', resource = 'namespaces', name] = url.split('/');
    const verb = { GET: 'get', POST: 'create', PATCH: 'patch' }[method] ?? method;
    if (!this.allows(verb, resource)) return failure(403, 'Forbidden', { kind: resource });
    if (resource === 'namespaces') {
      const metadata = { name: namespace, resourceVersion: '1' };
      return this.namespaces.has(namespace) ? { status: 200, body: { metadata } } : failure(404, 'NotFound', {});
    }
    if (method === 'POST') {
      if (!this.namespaces.has(namespace)) return failure(404, 'NotFound', { kind: 'namespaces', name: namespace });
      if (this.secrets.has(`${namespace}/${String(body.metadata?.['name'])}`)) return failure(409, 'AlreadyExists', {});
      return { status: 201, body: this.#create(namespace, body, 'rekeyd') };
    }
    const secret = this.secrets.get(`${namespace}/${name ?? ''}`);
    if (secret === undefined) return failure(404, 'NotFound', { kind: 'secrets', name });
    if (method === 'PATCH') return this.#patch(secret, body);
    const metadataOnly = accept.includes('as=PartialObjectMetadata');
    return { status: 200, body: metadataOnly ? { kind: 'PartialObjectMetadata', metadata: secret.metadata } : secret };
  }

  #may(body: object): boolean {
    const { spec } = body as { spec: { resourceAttributes: { verb: string; resource: string } } };
    return this.allows(spec.resourceAttributes.verb, spec.resourceAttributes.resource);
  }

  #create(namespace: string, body: Patch, manager: string): FakeSecret {
    const { metadata: given = {}, ...rest } = body;
    const secret: FakeSecret = {
      type: 'Opaque',
      ...(rest as object),
      metadata: {
        name: String(given['name']),
        namespace,
        resourceVersion: '',
        labels: {},
        annotations: {},
        managedFields: [],
        ...Object.fromEntries(Object.entries(given).filter(([key]) => !RESERVED_FOR_CREATE.includes(key))),
      },
      data: (body.data ?? {}) as Record<string, string>,
    };
    this.secrets.set(`${namespace}/${secret.metadata.name}`, secret);
    this.#wrote(secret, {}, manager);
    return secret;
  }

  #patch(secret: FakeSecret, { metadata = {}, data }: Patch): { status: number; body: object } {
    const { resourceVersion, ...changes } = metadata;
    if (resourceVersion !== undefined && resourceVersion !== secret.metadata.resourceVersion) {
      return failure(409, 'Conflict', { kind: 'secrets' });
    }
    const before = { ...secret.data };
    for (const part of ['labels', 'annotations'] as const) merge(secret.metadata[part], changes[part] as object);
    if (secret.immutable === true && JSON.stringify({ ...before, ...data }) !== JSON.stringify(before)) {
      return failure(422, 'Invalid', { kind: 'Secret', causes: [{ field: 'data' }] });
    }
    merge(secret.data, data ?? {});
    this.#wrote(secret, before, 'rekeyd');
    return { status: 200, body: secret };
  }

  /** A key belongs to who wrote its value last; a write that changes nothing changes no owner. */
  #wrote(secret: FakeSecret, before: Readonly<Record<string, string>>, manager: string): void {
    this.#revision += 1;
    secret.metadata.resourceVersion = String(this.#revision);
    const changed = new Set(Object.keys(secret.data).filter((key) => secret.data[key] !== before[key]));
    const owners = new Map<string, Record<string, object>>([[manager, {}]]);
    const times = new Map<string, string>();
    for (const { manager: owner, time, fieldsV1 } of secret.metadata.managedFields) {
      times.set(owner, time);
      const kept = Object.entries(fieldsV1['f:data'] ?? {}).filter(([field]) => {
        const key = field.slice(2);
        return Object.hasOwn(secret.data, key) && !changed.has(key);
      });
      owners.set(owner, { ...owners.get(owner), ...Object.fromEntries(kept) });
    }
    times.set(manager, `${new Date().toISOString().slice(0, 19)}Z`); // to the second, as the API server writes it
    for (const key of changed) owners.set(manager, { ...owners.get(manager), [`f:${key}`]: {} });
    secret.metadata.managedFields = [...owners].map(([owner, fields]) => ({
      manager: owner,
      operation: 'Update',
      time: times.get(owner) ?? '',
      fieldsV1: {
        'f:data': fields,
        ...(secret.immutable === true ? { 'f:immutable': {} } : {}),
      },
    }));
  }
}

/** RFC 7386, one level deep. */
function merge(target: Record<string, string>, patch: object | undefined): void {
  for (const [key, value] of Object.entries(patch ?? {}) as [string, string | null][]) {
    if (value === null) Reflect.deleteProperty(target, key);
    else target[key] = value;
  }
}

function failure(status: number, reason: string, details: object): { status: number; body: object } {
  return { status, body: { kind: 'Status', apiVersion: 'v1', status: 'Failure', reason, details, code: status } };
}
