import type { IncomingMessage } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { RequestOptions } from 'node:https';
import { ConfigError, VaultError, safeMessage } from '../../domain/errors.ts';
import { systemCode } from '../system-error.ts';
import type { Credentials } from './cluster.ts';

// Not by import: see src/http/app.ts.
const { request: requestHttp } = process.getBuiltinModule('node:http');

/** One request. Paths are below the API server's URL; names in them are checked before. */
export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PATCH';
  readonly path: string;
  readonly accept?: string;
  readonly contentType?: string;
  readonly body?: object;
}

/** What came back, whatever the status. `body` is null where it is no JSON. */
export interface ApiAnswer {
  readonly status: number;
  readonly body: unknown;
}

/** What a request is about, for errors. */
export interface About {
  readonly vault: string;
  readonly entry: string | null;
}

/** A Secret is 1 MiB, 1.4 as base64; metadata comes to that. Nothing longer is read. */
const LONGEST_ANSWER = 4 * 1024 * 1024;

/** The handshake failed: nothing was sent. A CA that was replaced on the disk shows like this. */
const CERTIFICATE_CODES = new Set([
  'CERT_HAS_EXPIRED',
  'CERT_SIGNATURE_FAILURE',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

/**
 * Requests to the API server, over node's own client: it follows no redirect (S9), and the generated one of the client
 * library does; that one also makes a new agent for each request, and its errors carry whole answers (S1).
 */
export class ApiServer {
  readonly server: string;
  readonly #read: () => Promise<Credentials>;
  #credentials: Credentials;
  #renewing: Promise<Credentials> | null = null;

  /** @param read reads the credentials again. */
  constructor(credentials: Credentials, read: () => Promise<Credentials>) {
    this.server = credentials.server;
    this.#credentials = credentials;
    this.#read = read;
  }

  /**
   * Sends a request. Where the API server does not know rekeyd, or its certificate is not trusted, the files are read again
   * (token, certificates, CA: all of them may have been renewed), and it is sent once more: it surely was not executed.
   * @throws VaultError `unavailable` where nothing came back, `malformed` for too much; the abort reason of `signal`.
   */
  async send(request: ApiRequest, about: About, signal: AbortSignal | undefined): Promise<ApiAnswer> {
    signal?.throwIfAborted();
    const credentials = this.#credentials;
    try {
      const first = await this.#attempt(credentials, request, about, signal).catch((error: unknown) => {
        if (CERTIFICATE_CODES.has(systemCode(error) ?? '')) return null;
        throw error;
      });
      if (first !== null && first.status !== 401) return first;
      const renewed = await this.#renew(credentials, about);
      return await this.#attempt(renewed, request, about, signal);
    } catch (error) {
      if (error instanceof VaultError) throw error;
      signal?.throwIfAborted();
      const code = systemCode(error);
      const advice = CERTIFICATE_CODES.has(code ?? '') ? '; check the certificate-authority of its cluster' : '';
      throw failed('unavailable', about, `no answer from ${this.server} (${code ?? safeMessage(error)})${advice}`);
    }
  }

  /** Once for all who were refused with the same credentials. */
  async #renew(refused: Credentials, about: About): Promise<Credentials> {
    if (this.#credentials !== refused) return this.#credentials;
    this.#renewing ??= this.#read().finally(() => {
      this.#renewing = null;
    });
    try {
      const renewed = await this.#renewing;
      if (renewed.server !== this.server) {
        throw failed(
          'unavailable',
          about,
          `the kubeconfig names another server now, ${renewed.server}: restart rekeyd`,
        );
      }
      this.#credentials = renewed;
      return renewed;
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      throw failed('unavailable', about, error.message);
    }
  }

  async #attempt(credentials: Credentials, request: ApiRequest, about: About, signal: AbortSignal | undefined) {
    const { options: own, headers: authorization } = await credentials.authorize().catch((error: unknown) => {
      // What a plugin wrote to stderr would be its message: a code tells of a file that is not there, and no more.
      const why = `no credentials (${safeMessage(error)}): check the token file, certificate or exec plugin of its user`;
      throw failed('unavailable', about, why);
    });
    const text = request.body === undefined ? undefined : JSON.stringify(request.body);
    const headers = {
      ...authorization,
      Accept: request.accept ?? 'application/json',
      'User-Agent': 'rekeyd',
      ...(text === undefined
        ? {}
        : {
            'Content-Type': request.contentType ?? 'application/json',
            'Content-Length': String(Buffer.byteLength(text)),
          }),
    };
    const options = { ...own, method: request.method, headers, ...(signal === undefined ? {} : { signal }) };
    const response = await exchange(new URL(this.server + request.path), options, text);
    return { status: response.statusCode ?? 0, body: await readJson(response, about) };
  }
}

function exchange(url: URL, options: RequestOptions, body: string | undefined): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const send = url.protocol === 'http:' ? requestHttp : requestHttps;
    const sent = send(url, options, resolve);
    sent.once('error', reject);
    sent.end(body);
  });
}

async function readJson(response: IncomingMessage, about: About): Promise<unknown> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > LONGEST_ANSWER) {
      response.destroy();
      throw failed('malformed', about, `an answer of more than ${LONGEST_ANSWER} bytes`);
    }
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8')) as unknown;
  } catch {
    return null; // JSON.parse quotes its input in its message: nothing of it may go on
  }
}

function failed(fault: 'unavailable' | 'malformed', { vault, entry }: About, why: string): VaultError {
  const place = entry === null ? '' : `, entry '${entry}'`;
  return new VaultError(fault, `Vault '${vault}'${place}: ${why}.`, { vault, entry });
}
