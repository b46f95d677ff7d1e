import { setImmediate } from 'node:timers';
import type { Connection } from './connection.ts';

interface Waiting {
  readonly work: () => boolean;
  readonly resolve: (kept: boolean) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Keeps in one transaction what is asked for within one turn of the event loop, so that the disk is waited for once:
 * everything in this process stands still meanwhile. It is no timer: virtual time does not concern it.
 */
export class SharedCommit {
  readonly #connection: Connection;
  #waiting: Waiting[] = [];

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** As {@link Connection.write}. Each work is kept or undone by its own word; one that throws undoes those beside it. */
  write(work: () => boolean): Promise<boolean> {
    return new Promise((resolve, reject) => {
      if (this.#waiting.length === 0) setImmediate(() => this.flush());
      this.#waiting.push({ work, resolve, reject });
    });
  }

  /** Does at once what waits. It does not throw: whoever asked is told. */
  flush(): void {
    const batch = this.#waiting;
    this.#waiting = [];
    if (batch.length === 0) return;
    const kept: boolean[] = [];
    try {
      this.#connection.write(() => {
        for (const { work } of batch) kept.push(this.#connection.part(work));
        return kept.includes(true);
      });
      for (const [index, { resolve }] of batch.entries()) resolve(kept[index] === true);
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }
}
