import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What the stub does with a request: an answer, or a way to fail. */
export type Answer =
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: unknown }
  /** The connection is reset before or in the middle of the answer. */
  | 'reset'
  | 'reset-in-body'
  /** Nothing more comes: from the start, or after a good beginning. */
  | 'hang'
  | 'hang-in-body';

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** A bare HTTP server that answers by script. Without one, the token endpoint gives `token-1`, `token-2`, ... */
export class StubServer {
  readonly requests: SeenRequest[] = [];
  readonly #queues = new Map<string, (Answer | ((request: SeenRequest) => Answer))[]>();
  readonly #server = createServer((request, response) => void this.#serve(request, response));
  #tokens = 0;
  /** Seconds. */
  tokenLifetime: unknown = 3600;
  /** Called a moment after the stub has fallen silent. */
  onHang: () => void = () => undefined;

  static async start(): Promise<StubServer> {
    const stub = new StubServer();
    await new Promise<void>((resolve) => stub.#server.listen(0, '127.0.0.1', resolve));
    return stub;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The answers to a route (`GET /ClientCredential`), in order; the last one stays. */
  answer(route: string, ...answers: (Answer | ((request: SeenRequest) => Answer))[]): void {
    this.#queues.set(route, answers);
  }

  seen(route: string): SeenRequest[] {
    return this.requests.filter((request) => `${request.method} ${request.path}` === route);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const seen = {
      method: request.method ?? '',
      path: request.url ?? '',
      headers: request.headers,
      body: Buffer.concat(chunks).toString(),
    };
    this.requests.push(seen);
    const queue = this.#queues.get(`${seen.method} ${seen.path}`) ?? [];
    const next = queue.length > 1 ? queue.shift() : queue[0];
    this.#play((typeof next === 'function' ? next(seen) : next) ?? this.#standard(seen), response);
  }

  #standard({ path }: SeenRequest): Answer {
    if (path !== '/connect/token') return { status: 404, body: { title: 'Not Found' } };
    return { status: 200, body: { access_token: `token-${++this.#tokens}`, expires_in: this.tokenLifetime } };
  }

  #play(answer: Answer, response: ServerResponse): void {
    if (answer === 'hang' || answer === 'hang-in-body') setTimeout(() => this.onHang(), 40);
    if (answer === 'hang') return;
    if (answer === 'reset') {
      response.socket?.resetAndDestroy();
      return;
    }
    if (typeof answer === 'string') {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.write('[{"clientId":');
      if (answer === 'reset-in-body') setTimeout(() => response.socket?.resetAndDestroy(), 30);
      return;
    }
    const { status, headers, body } = answer;
    response.writeHead(status, headers);
    response.end(body === undefined || typeof body === 'string' ? (body ?? '') : JSON.stringify(body));
  }
}
