import type { IssuerFault } from '../../src/domain/errors.ts';
import type { Duration, Instant } from '../../src/domain/time.ts';
import type { SecretWish, Verdict } from '../../src/issuers/contract.ts';

export const ISSUER_OPERATIONS = [
  'listCredentials',
  'listSecrets',
  'createSecret',
  'updateSecret',
  'deleteSecret',
  'verify',
] as const;
export type IssuerOperation = (typeof ISSUER_OPERATIONS)[number];

/**
 * How a call ends, instead of well. `refused`: the connection was refused, surely not applied. `lost-before`: the
 * request was lost, not applied, and the caller cannot know. `applied-and-lost`: applied, the answer lost. `late`, or
 * `{ late: ms }`: the caller gives up now, it is applied after that time (a tenth of `requestLifetime`). `malformed`: a
 * 2xx that cannot be read; of a change, applied. A number: that HTTP status, not applied. Of `verify`, `accepted` and
 * `refused` are the verdict it gives.
 */
export type FaultOutcome =
  | 'refused'
  | 'lost-before'
  | 'applied-and-lost'
  | 'late'
  | { readonly late: Duration }
  | 'malformed'
  | Verdict
  | number;

export interface FaultOptions {
  /** How many calls it meets; Infinity until `heal()`. Default 1. */
  readonly times?: number;
  /** Only calls about this credential. */
  readonly clientId?: string;
  /** With status 429 or 503, already clamped. */
  readonly retryAfter?: Duration;
}

/** A call as `calls` keeps it. */
export interface IssuerCall {
  readonly operation: IssuerOperation;
  readonly at: Instant;
  readonly clientId: string | null;
  readonly secretId: string | null;
  readonly wish: SecretWish | null;
}

export type CallHook = (call: IssuerCall) => void | Promise<void>;

export interface QueuedFault extends FaultOptions {
  readonly outcome: FaultOutcome;
  left: number;
}

/** The faults that wait for their calls. The first that fits a call is the one it meets. */
export class FaultQueue {
  readonly #queues = new Map<IssuerOperation, QueuedFault[]>();

  add(operation: IssuerOperation, outcome: FaultOutcome, options: FaultOptions): void {
    const queue = this.#queues.get(operation) ?? [];
    queue.push({ ...options, outcome, left: options.times ?? 1 });
    this.#queues.set(operation, queue);
  }

  meet(operation: IssuerOperation, clientId: string | null): QueuedFault | null {
    const queue = this.#queues.get(operation) ?? [];
    const fault = queue.find((one) => one.left > 0 && (one.clientId ?? clientId) === clientId);
    if (fault !== undefined) fault.left -= 1;
    return fault ?? null;
  }

  clear(): void {
    this.#queues.clear();
  }
}

export function faultOfStatus(status: number): IssuerFault {
  if (status === 401) return 'unauthorized';
  if (status === 403) return 'forbidden';
  if (status === 404) return 'not-found';
  if (status === 429) return 'throttled';
  return status === 408 || status >= 500 ? 'unavailable' : 'rejected';
}
