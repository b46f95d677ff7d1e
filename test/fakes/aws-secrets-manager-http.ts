import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { AwsRefusal, AwsSecretsStore } from './aws-secrets-store.ts';
import type { AwsInput } from './aws-secrets-store.ts';

/** One request that came in. */
export interface AwsRequest {
  /** `PutSecretValue`, …; of STS `AssumeRole`. */
  readonly operation: string;
  readonly input: AwsInput;
  readonly headers: IncomingMessage['headers'];
}

/** How the next requests end, instead of well. */
export interface AwsFault {
  /** Which operations meet it; default: all. */
  readonly operations?: readonly string[];
  /** How many requests meet it; default: all until it is lifted. */
  readonly times?: number;
  /** `lost`: the connection breaks, nothing was done. `applied-and-lost`: it was done. `silent`: no answer ever. */
  readonly how?: 'lost' | 'applied-and-lost' | 'silent';
  readonly status?: number;
  readonly type?: string;
  readonly message?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** The whole body as it is. */
  readonly body?: string;
}

/** Secrets Manager and STS's AssumeRole on one loopback address, with the store in memory. */
export class FakeAws {
  store: AwsSecretsStore;
  readonly requests: AwsRequest[] = [];
  /** Called before an operation is done: what another does in between. */
  before: ((request: AwsRequest) => void) | null = null;
  readonly #server = createServer((request, response) => void this.#serve(request, response));
  readonly #faults = new Set<{ readonly fault: AwsFault; left: number }>();
  #stale: { readonly store: AwsSecretsStore; left: number } | null = null;

  constructor(region = 'eu-west-2') {
    this.store = new AwsSecretsStore(region);
  }

  static async start(region?: string): Promise<FakeAws> {
    const fake = new FakeAws(region);
    fake.#server.listen(0, '127.0.0.1');
    await once(fake.#server, 'listening');
    return fake;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The names of the operations so far, in order. */
  get operations(): readonly string[] {
    return this.requests.map(({ operation }) => operation);
  }

  /** @returns lifts it. */
  fail(fault: AwsFault): () => void {
    const entry = { fault, left: fault.times ?? Infinity };
    this.#faults.add(entry);
    return () => void this.#faults.delete(entry);
  }

  /** Lifts all faults. */
  heal(): void {
    this.#faults.clear();
  }

  /** The next `reads` looks show what is there now, whatever is written meanwhile. @returns ends it. */
  lag(reads: number): () => void {
    const store = new AwsSecretsStore('eu-west-2');
    for (const [name, secret] of structuredClone(this.store.secrets)) store.secrets.set(name, secret);
    this.#stale = { store, left: reads };
    return () => (this.#stale = null);
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const chunk of request.setEncoding('utf8')) body += chunk as string;
    const target = request.headers['x-amz-target'];
    const form = new URLSearchParams(body);
    const seen: AwsRequest =
      typeof target === 'string'
        ? { operation: target.split('.')[1] ?? '', input: JSON.parse(body) as AwsInput, headers: request.headers }
        : { operation: form.get('Action') ?? '', input: Object.fromEntries(form), headers: request.headers };
    this.requests.push(seen);
    const fault = this.#meet(seen.operation);
    if (fault?.how === 'silent') return;
    if (fault?.how === 'lost') return void request.socket.destroy();
    if (fault !== null && fault.how === undefined) {
      answerWith(response, fault, seen);
      return;
    }
    this.before?.(seen);
    const answer = seen.operation === 'AssumeRole' ? assumed() : this.#run(seen);
    if (fault?.how === 'applied-and-lost') return void request.socket.destroy();
    response.writeHead(answer.status, { 'content-type': answer.type, date: new Date().toUTCString() });
    response.end(answer.body);
  }

  #run({ operation, input }: AwsRequest): { status: number; type: string; body: string } {
    const type = 'application/x-amz-json-1.1';
    try {
      return { status: 200, type, body: JSON.stringify(this.#storeFor(operation).run(operation, input)) };
    } catch (error) {
      if (!(error instanceof AwsRefusal)) throw error;
      return { status: 400, type, body: JSON.stringify({ __type: error.type, Message: error.message }) };
    }
  }

  #storeFor(operation: string): AwsSecretsStore {
    const stale = this.#stale;
    if (stale === null || stale.left <= 0 || !['DescribeSecret', 'GetSecretValue'].includes(operation))
      return this.store;
    stale.left -= 1;
    return stale.store;
  }

  #meet(operation: string): AwsFault | null {
    for (const entry of this.#faults) {
      if (entry.left <= 0 || entry.fault.operations?.includes(operation) === false) continue;
      entry.left -= 1;
      return entry.fault;
    }
    return null;
  }
}

function answerWith(response: ServerResponse, fault: AwsFault, { operation }: AwsRequest): void {
  const { status = 400, type = 'InternalServiceError', message = '', headers = {} } = fault;
  const json = JSON.stringify({ __type: type, Message: message });
  const xml = `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>${type}</Code><Message>${message}</Message></Error></ErrorResponse>`;
  const kind = operation === 'AssumeRole' ? 'text/xml' : 'application/x-amz-json-1.1';
  response.writeHead(status, { 'content-type': kind, ...headers });
  response.end(fault.body ?? (operation === 'AssumeRole' ? xml : json));
}

/** What the credentials of the role are called, to tell them from others. */
export const ROLE_KEY = 'ASIAROLEROLEROLEROLE';

function assumed(): { status: number; type: string; body: string } {
  const credentials = `<AccessKeyId>${ROLE_KEY}</AccessKeyId><SecretAccessKey>role-secret</SecretAccessKey><SessionToken>role-token</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration>`;
  const result = `<AssumeRoleResult><Credentials>${credentials}</Credentials></AssumeRoleResult>`;
  const body = `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">${result}</AssumeRoleResponse>`;
  return { status: 200, type: 'text/xml', body };
}
