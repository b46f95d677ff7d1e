import type { IssuerError } from '../../domain/errors.ts';
import type { Ports } from '../../domain/ports.ts';
import type { Duration } from '../../domain/time.ts';
import { formatDuration } from '../../domain/time.ts';
import type { Meter, RequestEnd } from '../../telemetry/meter.ts';
import { readBody } from './body.ts';
import type { TextSink } from './body.ts';
import { connectionFault } from './connection-fault.ts';
import type { Data8Operation, Failures } from './failure.ts';
import { readHttpDate, readRetryAfter } from './retry-after.ts';

/** One request, as it goes over the wire. */
export interface Call {
  readonly operation: Data8Operation;
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | URLSearchParams;
  /** The most bytes of a good answer's body that are read; 0: its body does not matter. */
  readonly bodyLimit: number;
  /** Makes what takes a good answer's body as it comes, instead of it being kept: one for each attempt. */
  readonly sink?: () => TextSink;
}

/** An answer, whatever its status. */
export interface Reply {
  readonly status: number;
  /** Null: not read whole (too large, or not wanted). Of an error it may be missing for any reason. */
  readonly body: string | null;
  /** Within [1 s, maxRetryAfter]; null where the header is missing. */
  readonly retryAfter: Duration | null;
}

export interface ExchangeSettings {
  readonly name: string;
  readonly timeout: Duration;
  readonly maxRetryAfter: Duration;
  readonly ports: Pick<Ports, 'clock' | 'ticker'>;
  readonly meter: Meter;
  readonly failures: Failures;
}

export type HeadersObserver = (status: number, headers: Headers, roundTrip: Duration) => void;

const ERROR_BODY_LIMIT = 64 * 1024;

/** A reason of its own: without one, every abort makes a DOMException with its stack, and this one is in every call. */
const ENDED = 'ended in time';

/**
 * Sends one request and reads its answer within `timeout`, body included. Redirects are not followed, nothing is
 * retried, and nothing of ky gets out of here: its errors carry the request with its secrets.
 * @throws IssuerError `unavailable` where no whole answer came (an answer that is an error is no error here); the
 *   signal's reason where the caller gave up.
 */
export async function exchange(
  call: Call,
  settings: ExchangeSettings,
  observe: HeadersObserver,
  signal?: AbortSignal,
): Promise<Reply> {
  signal?.throwIfAborted();
  const { clock } = settings.ports;
  // loaded with the first request: it brings fetch along, and a daemon that answers sooner is probed sooner
  const { default: ky } = await import('ky');
  const limit = startTimeLimit(settings, signal);
  try {
    const started = clock.monotonic();
    const response = await ky(call.url, {
      method: call.method,
      headers: { accept: 'application/json', 'user-agent': 'rekeyd', ...call.headers },
      ...(call.body === undefined ? {} : { body: call.body }),
      redirect: 'manual',
      retry: 0,
      timeout: false,
      throwHttpErrors: false,
      signal: limit.signal,
    });
    const { status, headers } = response;
    observe(status, headers, clock.monotonic() - started);
    const body = await readReplyBody(call, response);
    settings.meter.issuerRequest(settings.name, call.operation, endOf(status));
    const answeredAt = readHttpDate(headers.get('date')) ?? clock.now();
    return { status, body, retryAfter: readRetryAfter(headers.get('retry-after'), answeredAt, settings.maxRetryAfter) };
  } catch (error) {
    const failure = noAnswer(error, call, settings, limit.over());
    settings.meter.issuerRequest(settings.name, call.operation, failure.surelyNotApplied ? 'unreachable' : 'no-answer');
    signal?.throwIfAborted();
    throw failure;
  } finally {
    limit.end();
  }
}

async function readReplyBody(call: Call, response: Response): Promise<string | null> {
  if (response.ok && call.bodyLimit > 0) return readBody(response.body, call.bodyLimit, call.sink?.());
  try {
    return await readBody(response.body, ERROR_BODY_LIMIT);
  } catch {
    return null; // the status has said it all: a change that was confirmed, or a refusal
  }
}

/** Aborts when the caller does, or when the time is over. By the ticker, so that it holds in virtual time too. */
function startTimeLimit({ timeout, ports }: ExchangeSettings, caller: AbortSignal | undefined) {
  const request = new AbortController();
  const done = new AbortController();
  let over = false;
  const abort = (): void => request.abort();
  caller?.addEventListener('abort', abort, { once: true });
  ports.ticker.sleep(timeout, done.signal).then(
    () => {
      over = true;
      request.abort();
    },
    () => undefined, // ended in time
  );
  return {
    signal: request.signal,
    over: () => over,
    end: () => {
      caller?.removeEventListener('abort', abort);
      done.abort(ENDED);
    },
  };
}

function noAnswer(error: unknown, { operation, url }: Call, settings: ExchangeSettings, late: boolean): IssuerError {
  const { origin } = new URL(url);
  if (late) {
    const message = `${origin} did not answer within ${formatDuration(settings.timeout)}`;
    return settings.failures.make('unavailable', operation, message);
  }
  const { code, beforeSending } = connectionFault(error);
  const message = beforeSending ? `no connection to ${origin}` : `the connection to ${origin} broke off`;
  return settings.failures.make('unavailable', operation, `${message}${code === null ? '' : ` (${code})`}`, {
    surelyNotApplied: beforeSending,
  });
}

function endOf(status: number): RequestEnd {
  if (status >= 200 && status < 300) return 'ok';
  if (status === 401 || status === 403) return 'denied';
  if (status === 404) return 'not-found';
  if (status === 409) return 'conflict';
  if (status === 429) return 'throttled';
  return status >= 400 && status < 500 ? 'rejected' : 'error';
}
