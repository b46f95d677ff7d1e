import type { FaultKind, Operation } from './faults.ts';

/** One request, without any value: neither headers, nor query, nor body. */
export interface LoggedRequest {
  readonly time: string;
  readonly operation: Operation | null;
  readonly method: string;
  readonly path: string;
  /** Null: no answer was given (or not yet). */
  status: number | null;
  /** The fault that was applied; null: none. */
  readonly fault: FaultKind | null;
  /** Milliseconds that the request waited first. */
  readonly latency: number;
}

/** The last requests, oldest first. */
export class RequestLog {
  #entries: LoggedRequest[] = [];
  readonly #limit: number;

  constructor(limit = 20_000) {
    this.#limit = limit;
  }

  add(entry: LoggedRequest): void {
    this.#entries.push(entry);
    if (this.#entries.length >= 2 * this.#limit) this.#entries = this.#entries.slice(-this.#limit);
  }

  entries(): readonly LoggedRequest[] {
    return this.#entries.slice(-this.#limit);
  }

  clear(): void {
    this.#entries = [];
  }
}
