import { parseJson } from '../domain/json.ts';
import type { IncomingMessage, RequestOptions } from 'node:http';
import { request as requestHttps } from 'node:https';
import { RekeydError } from '../domain/errors.ts';
import { SECOND } from '../domain/time.ts';
import type { SecretValue } from '../domain/secret-value.ts';

// Not by import: see src/http/app.ts.
const { request: requestHttp } = process.getBuiltinModule('node:http');

/** Where the daemon is: its local socket, or a URL with a token. */
export type DaemonAddress =
  | { readonly kind: 'socket'; readonly path: string }
  | { readonly kind: 'url'; readonly url: URL; readonly token: SecretValue | null };

/** The daemon could not be reached; the message says what to do. */
export class UnreachableError extends RekeydError {
  override readonly name = 'UnreachableError';
  readonly code = 'daemon.unreachable';
}

/** The daemon said no. `status` is HTTP's. */
export class AnswerError extends RekeydError {
  override readonly name = 'AnswerError';
  readonly code = 'daemon.refused';
  readonly status: number;
  /** The name of the problem, as in docs/errors.md; empty where it told none. */
  readonly problem: string;

  constructor(status: number, message: string, problem = '') {
    super(message);
    this.status = status;
    this.problem = problem;
  }
}

const TIMEOUT = 30 * SECOND;
/** More than any page of a listing has. */
const LARGEST_ANSWER = 64 * 1024 * 1024;

/** Talks to a running daemon over HTTP. Redirects are not followed: a token goes to nobody else. */
export class DaemonClient {
  readonly #address: DaemonAddress;

  constructor(address: DaemonAddress) {
    this.#address = address;
  }

  /** @throws UnreachableError, AnswerError. `T` is what the daemon's API says it answers. */
  get<T>(path: string): Promise<T> {
    return this.#call<T>('GET', path, null);
  }

  /** As {@link get}, with a JSON body. */
  post<T>(path: string, body: unknown): Promise<T> {
    return this.#call<T>('POST', path, JSON.stringify(body));
  }

  /** As {@link post}, for what may be repeated. */
  put<T>(path: string, body: unknown): Promise<T> {
    return this.#call<T>('PUT', path, JSON.stringify(body));
  }

  async #call<T>(method: string, path: string, body: string | null): Promise<T> {
    const answer = await this.#send(method, path, body);
    const value = parseJson(answer.body);
    if (answer.status < 200 || answer.status > 299)
      throw new AnswerError(answer.status, refusalText(answer.status, value), problemOf(value));
    if (value === undefined)
      throw new AnswerError(
        answer.status,
        `${this.#place()} answered ${method} ${path} with something that is not JSON. Is it rekeyd?`,
      );
    return value as T;
  }

  #send(method: string, path: string, body: string | null): Promise<{ status: number; body: string }> {
    const address = this.#address;
    const headers: Record<string, string> = { accept: 'application/json' };
    if (body !== null) headers['content-type'] = 'application/json';
    if (address.kind === 'url' && address.token !== null) headers['authorization'] = `Bearer ${address.token.reveal()}`;
    const options: RequestOptions = { method, headers, timeout: TIMEOUT, agent: false };
    return new Promise((resolve, reject) => {
      const receive = (response: IncomingMessage): void => {
        readAnswer(response).then(
          (text) => resolve({ status: response.statusCode ?? 0, body: text }),
          (error: unknown) => reject(this.#unreachable(error)),
        );
      };
      const request =
        address.kind === 'socket'
          ? requestHttp({ ...options, socketPath: address.path, path, host: 'localhost' }, receive)
          : (address.url.protocol === 'https:' ? requestHttps : requestHttp)(
              under(address.url, path),
              options,
              receive,
            );
      request.on('timeout', () => request.destroy(Object.assign(new Error('timeout'), { code: 'ETIMEDOUT' })));
      request.on('error', (error) => reject(this.#unreachable(error)));
      request.end(body ?? undefined);
    });
  }

  #place(): string {
    return this.#address.kind === 'socket' ? `the socket ${this.#address.path}` : this.#address.url.origin;
  }

  #unreachable(error: unknown): UnreachableError {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'no answer';
    const advice =
      this.#address.kind === 'socket'
        ? code === 'EACCES'
          ? 'Only the user that runs the daemon may use its socket: become that user, or use --url and --token-file.'
          : "Is 'rekeyd run' running with this configuration? Elsewhere: --url and --token-file."
        : 'Is the daemon running there, and may this machine reach it?';
    return new UnreachableError(`no daemon at ${this.#place()} (${code}). ${advice}`);
  }
}

function under(base: URL, path: string): URL {
  const url = new URL(base);
  const [pathname = '', search = ''] = path.split('?', 2);
  url.pathname = base.pathname.replace(/\/+$/, '') + pathname;
  url.search = search;
  return url;
}

async function readAnswer(response: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of response as AsyncIterable<Buffer>) {
    size += part.byteLength;
    if (size > LARGEST_ANSWER) {
      response.destroy();
      throw Object.assign(new Error('too large'), { code: 'answer too large' });
    }
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

function fieldOf(problem: unknown, name: string): string {
  if (typeof problem !== 'object' || problem === null || !Object.hasOwn(problem, name)) return '';
  const value = (problem as Record<string, unknown>)[name];
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

function problemOf(problem: unknown): string {
  return fieldOf(problem, 'type').replace(/^urn:rekeyd:problem:/, '');
}

/** problem+json, as a sentence. */
function refusalText(status: number, problem: unknown): string {
  const field = (name: string): string => fieldOf(problem, name);
  const said = field('detail') || field('title') || 'no explanation';
  const reason = field('reason') === '' ? '' : ` (${field('reason')})`;
  const advice =
    status === 401
      ? ' Give a token by --token-file or REKEYD_TOKEN.'
      : status === 429 && field('retryAfter') !== ''
        ? ` Try again in ${field('retryAfter')} s.`
        : '';
  return `the daemon answered ${status}: ${said}${reason}${advice}`;
}
