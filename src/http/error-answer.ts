import { Refusal } from '../daemon/api.ts';
import { LedgerError } from '../domain/errors.ts';
import { InvalidInput } from './input-check.ts';
import { HttpProblem } from './problem.ts';
import type { ProblemName } from './problem.ts';

/** What Fastify and Node say about a request that does not come as far as a route. */
const FRAMEWORK: Readonly<Record<string, readonly [ProblemName, string]>> = {
  FST_ERR_BAD_URL: ['bad-request', 'The URL is not properly percent-encoded.'],
  FST_ERR_MAX_PARAM_LENGTH: ['url-too-long', 'Names and ids in the path have at most 1000 characters.'],
  FST_ERR_CTP_BODY_TOO_LARGE: ['body-too-large', 'A body has at most 16 KiB.'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: [
    'unsupported-media-type',
    'Send the body as JSON, with the header `content-type: application/json`.',
  ],
  FST_ERR_HANDLER_TIMEOUT: ['overdue', 'The daemon did not answer in time. What was asked for may have been done.'],
  HPE_HEADER_OVERFLOW: ['headers-too-large', 'Headers have at most 16 KiB.'],
  ERR_HTTP_REQUEST_TIMEOUT: ['request-timeout', 'The request did not arrive in time.'],
};

const KINDS = {
  'not-found': 'not-found',
  conflict: 'conflict',
  'too-soon': 'too-soon',
  invalid: 'invalid',
  'key-reused': 'key-reused',
  'bulk-changed': 'bulk-changed',
  'bulk-running': 'bulk-running',
} as const satisfies Readonly<Record<Refusal['kind'], ProblemName>>;

/**
 * The answer to anything thrown while a request was handled. Only messages of our own are shown: a parser's message quotes
 * its input, another library's may hold anything.
 */
export function toProblem(error: unknown): HttpProblem {
  if (error instanceof HttpProblem) return error;
  if (error instanceof InvalidInput) {
    return new HttpProblem('invalid', 'See `errors` for each place that is not valid.', { errors: error.errors() });
  }
  if (error instanceof Refusal) return fromRefusal(error);
  if (error instanceof LedgerError) {
    return new HttpProblem('ledger-failed', "The ledger cannot be read or written now; the daemon's log says why.");
  }
  const { code, statusCode } = error instanceof Error ? (error as { code?: unknown; statusCode?: unknown }) : {};
  const known = typeof code === 'string' && Object.hasOwn(FRAMEWORK, code) ? FRAMEWORK[code] : undefined;
  if (known !== undefined) return new HttpProblem(...known);
  if (typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500) {
    return new HttpProblem('bad-request', 'The body is not JSON, or its JSON holds keys that are not accepted.');
  }
  return new HttpProblem('internal', "The daemon's log says more.");
}

function fromRefusal(refusal: Refusal): HttpProblem {
  const seconds = Math.max(1, Math.ceil(refusal.retryAfter ?? 1));
  return new HttpProblem(KINDS[refusal.kind], refusal.message, {
    reason: refusal.reason,
    headers: refusal.kind === 'too-soon' ? { 'retry-after': String(seconds) } : {},
  });
}
