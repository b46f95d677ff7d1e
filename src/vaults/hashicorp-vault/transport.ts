import type { Agent, ClientRequest, IncomingHttpHeaders, IncomingMessage, RequestOptions } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { environmentProxy } from '../../domain/environment-proxy.ts';

// Not by import: see src/http/app.ts.
const { Agent: HttpAgent, request: httpRequest } = process.getBuiltinModule('node:http');

/** One request, as it goes over the wire. */
export interface WireRequest {
  readonly method: 'GET' | 'POST' | 'PATCH';
  /** Behind the server's URL, with its slash. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
}

export interface WireReply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Null: longer than the limit, so not read whole. */
  readonly body: string | null;
}

/** Twice what an entry of 1 MiB can grow to in JSON, six bytes a character. */
const MOST_BYTES = 12 * 1024 * 1024;
/** As many as calls may well come at a time: what is not kept is opened anew for the next one. */
const IDLE_SOCKETS = 16;

/**
 * HTTP to one server, by Node's own client: it follows no redirect, sends nothing twice, and takes a private CA for this
 * server alone, which `fetch` (and so ky) cannot without another copy of undici.
 */
export class Transport {
  readonly origin: string;
  readonly #base: URL;
  readonly #agent: Agent;

  /** @param ca certificates in PEM to trust; null: those that Node trusts. */
  constructor(url: string, ca: string | null) {
    this.#base = new URL(url);
    this.origin = this.#base.origin;
    const kept = { keepAlive: true, maxFreeSockets: IDLE_SOCKETS, proxyEnv: environmentProxy() };
    this.#agent =
      this.#base.protocol === 'https:' ? new HttpsAgent(ca === null ? kept : { ...kept, ca }) : new HttpAgent(kept);
  }

  /**
   * Sends one request and reads its answer, whatever its status.
   * @throws the system's error where there is no whole answer; the signal's reason.
   */
  send(request: WireRequest, signal?: AbortSignal): Promise<WireReply> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      // The error of an aborted request says less than the reason, and the reason is the caller's own.
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- see above
      const fail = (error: unknown): void => reject(signal?.aborted === true ? signal.reason : error);
      const outgoing = this.#open(request, signal);
      outgoing.on('error', fail);
      outgoing.on('response', (reply) => void readReply(reply).then(resolve, fail));
      outgoing.end(request.body ?? undefined);
    });
  }

  close(): void {
    this.#agent.destroy();
  }

  #open({ method, path, headers, body }: WireRequest, signal: AbortSignal | undefined): ClientRequest {
    const length = body === null ? {} : { 'content-length': String(Buffer.byteLength(body)) };
    const options: RequestOptions = {
      method,
      host: this.#base.hostname.replace(/^\[|\]$/g, ''),
      port: this.#base.port,
      path: `${this.#base.pathname.replace(/\/$/, '')}${path}`,
      headers: { ...headers, ...length },
      agent: this.#agent,
      ...(signal === undefined ? {} : { signal }),
    };
    return this.#base.protocol === 'https:' ? httpsRequest(options) : httpRequest(options);
  }
}

async function readReply(reply: IncomingMessage): Promise<WireReply> {
  const { statusCode = 0, headers } = reply;
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of reply as AsyncIterable<Buffer>) {
    size += part.byteLength;
    if (size > MOST_BYTES) return { status: statusCode, headers, body: null }; // leaving the loop ends the connection
    parts.push(part);
  }
  return { status: statusCode, headers, body: Buffer.concat(parts).toString('utf8') };
}
