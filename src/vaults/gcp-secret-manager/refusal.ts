import type { VaultFault } from '../../domain/errors.ts';

/** What Google calls the outcome of a call that failed (google.rpc.Code), and two of our own. */
export type Status =
  | 'NOT_FOUND'
  | 'ALREADY_EXISTS'
  | 'FAILED_PRECONDITION'
  | 'ABORTED'
  | 'INVALID_ARGUMENT'
  | 'PERMISSION_DENIED'
  | 'UNAUTHENTICATED'
  | 'RESOURCE_EXHAUSTED'
  | 'UNAVAILABLE'
  /** A 2xx that is not JSON. */
  | 'MALFORMED';

const STATUSES: ReadonlySet<string> = new Set<Status>([
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'FAILED_PRECONDITION',
  'ABORTED',
  'INVALID_ARGUMENT',
  'PERMISSION_DENIED',
  'UNAUTHENTICATED',
  'RESOURCE_EXHAUSTED',
]);

/**
 * A refusal by the service itself, of which only the status is kept: its message may quote what was sent. The status is
 * taken from the body alone: a 404 of something in between (a proxy, a wrong host) is not the service's 'not found'.
 */
export class ServiceRefusal extends Error {
  override readonly name = 'ServiceRefusal';
  readonly status: Status;

  constructor(httpStatus: number, body: string) {
    super(`HTTP ${httpStatus}`);
    this.status = statusIn(body) ?? (httpStatus === 429 ? 'RESOURCE_EXHAUSTED' : 'UNAVAILABLE');
  }
}

/** Something that cannot be used as it is. The message is ours, and quotes nothing that was read. */
export class Unusable extends Error {
  override readonly name = 'Unusable';
}

/** What went wrong, from whatever the library threw. */
export function statusOf(error: unknown): Status {
  for (let cause = error, depth = 0; cause instanceof Error && depth < 8; cause = cause.cause, depth += 1) {
    if (cause instanceof ServiceRefusal) return cause.status;
    if (cause instanceof SyntaxError) return 'MALFORMED';
  }
  // What is left came from the token endpoint, from the metadata server, or from no server at all.
  switch (httpStatusOf(error)) {
    case 'refused':
      return 'UNAUTHENTICATED';
    case 'forbidden':
      return 'PERMISSION_DENIED';
    case 'throttled':
      return 'RESOURCE_EXHAUSTED';
    case 'none':
      return 'UNAVAILABLE';
  }
}

/** The fault of a status where the call itself gives it no other meaning. */
export function faultOf(status: Status): VaultFault {
  switch (status) {
    case 'PERMISSION_DENIED':
    case 'UNAUTHENTICATED':
      return 'denied';
    case 'RESOURCE_EXHAUSTED':
      return 'throttled';
    case 'ALREADY_EXISTS':
    case 'ABORTED':
    case 'NOT_FOUND': // a call that presumes an entry, which is gone
      return 'conflict';
    case 'INVALID_ARGUMENT':
      return 'rejected';
    case 'MALFORMED':
      return 'malformed';
    case 'FAILED_PRECONDITION': // but for an etag, which the call knows of: a key or a quota of the project
    case 'UNAVAILABLE':
      return 'unavailable';
  }
}

function httpStatusOf(error: unknown): 'refused' | 'forbidden' | 'throttled' | 'none' {
  const status =
    error instanceof Error && 'httpStatusCode' in error && typeof error.httpStatusCode === 'number'
      ? error.httpStatusCode
      : 0;
  if (status === 403) return 'forbidden';
  if (status === 429) return 'throttled';
  return status >= 400 && status < 500 ? 'refused' : 'none';
}

/** https://google.aip.dev/193: `{"error": {"code", "message", "status", "details"}}`. */
function statusIn(body: string): Status | null {
  try {
    const { error } = JSON.parse(body) as { error?: { status?: unknown } };
    const status = error?.status;
    return typeof status === 'string' && STATUSES.has(status) ? (status as Status) : null;
  } catch {
    return null; // no answer of the service: null says so
  }
}
