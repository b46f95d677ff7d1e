import { safeMessage } from '../domain/errors.ts';
import type { Log } from '../telemetry/log.ts';

/**
 * What was opened, to be closed in the opposite order: opened last, closed first. A start that fails half-way unwinds by
 * the same stack.
 */
export class Releasers {
  readonly #stack: { readonly what: string; readonly release: () => Promise<void> }[] = [];
  readonly #log: Log;

  constructor(log: Log) {
    this.#log = log;
  }

  /** Remembers how to close `what`, a name for the log. */
  push(what: string, release: () => Promise<void>): void {
    this.#stack.push({ what, release });
  }

  /** Closes everything; one that fails to close is told and does not keep the others open. It does not throw. */
  async close(): Promise<void> {
    for (let top = this.#stack.pop(); top !== undefined; top = this.#stack.pop()) {
      try {
        await top.release();
      } catch (error) {
        this.#log.warn('close-failed', 'something did not close cleanly', {
          what: top.what,
          error: safeMessage(error),
        });
      }
    }
  }
}
