import type { CredentialState } from '../../domain/credential-state.ts';
import type { Connection } from './connection.ts';
import { COUNTS, DATA_VERSION } from './statements.ts';

export interface StateCount {
  readonly issuer: string;
  readonly state: CredentialState;
  readonly count: number;
}

/**
 * Credentials by state. Counting reads an index from end to end, and is asked for by every scrape and every status: what
 * was counted is kept until a record is written, by this process or another one.
 */
export class StateCounts {
  readonly #connection: Connection;
  #kept: { readonly version: unknown; readonly counts: readonly StateCount[] } | null = null;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** To be called with every write of a credential over this connection: SQLite's version tells only of others. */
  changed(): void {
    this.#kept = null;
  }

  read(): readonly StateCount[] {
    // before counting: what another process writes in between makes it count once more
    const version = this.#connection.get(DATA_VERSION)?.['data_version'];
    if (this.#kept?.version !== version || this.#kept === null) {
      const counts = this.#connection.all(COUNTS).map((row) => ({ ...row }) as unknown as StateCount);
      this.#kept = { version, counts };
    }
    return this.#kept.counts;
  }
}
