import type { DatabaseSync, SQLInputValue, SQLOutputValue, StatementSync } from 'node:sqlite';
import { LedgerError } from '../../domain/errors.ts';
import { asLedgerError } from './failure.ts';

export type Row = Readonly<Record<string, SQLOutputValue>>;

/**
 * An open database: statements are prepared once, and everything that fails throws LedgerError. Every call runs to its
 * end before it returns (node:sqlite is synchronous), so no two of this process are ever in one transaction.
 */
export class Connection {
  readonly path: string;
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  constructor(database: DatabaseSync, path: string) {
    this.#database = database;
    this.path = path;
  }

  /** All rows. Nothing stays open behind it: a half-read statement would pin its snapshot and fail the next write. */
  all(sql: string, ...parameters: SQLInputValue[]): readonly Row[] {
    return this.#guard(() => this.#prepared(sql).all(...parameters));
  }

  /** As {@link all}, each row an array of its columns: half the time for the long lists. */
  arrays(sql: string, ...parameters: SQLInputValue[]): readonly (readonly SQLOutputValue[])[] {
    return this.#guard(() => {
      const rows: unknown = this.#prepared(sql, true).all(...parameters);
      return rows as readonly (readonly SQLOutputValue[])[];
    });
  }

  get(sql: string, ...parameters: SQLInputValue[]): Row | undefined {
    return this.#guard(() => this.#prepared(sql).get(...parameters));
  }

  /** @returns how many rows were changed. */
  run(sql: string, ...parameters: SQLInputValue[]): number {
    return this.#guard(() => Number(this.#prepared(sql).run(...parameters).changes));
  }

  /**
   * Runs `work` as the only writer of all processes. What it did is kept where it returns true, durably; undone where it
   * returns false or throws. Where keeping itself throws it is unknown whether anything was kept.
   */
  write(work: () => boolean): boolean {
    // immediate: a transaction that reads first and writes then would fail, not wait, when another process was quicker
    this.run('BEGIN IMMEDIATE');
    let keep = false;
    try {
      keep = work();
      if (keep) this.run('COMMIT');
      return keep;
    } finally {
      // a full disk or an I/O error has ended the transaction already
      if (this.#database.isTransaction) this.run('ROLLBACK');
    }
  }

  /** Within {@link write}: undoes what `work` did, and nothing else, where it returns false. */
  part(work: () => boolean): boolean {
    this.run('SAVEPOINT part');
    const keep = work();
    if (!keep) this.run('ROLLBACK TO part');
    this.run('RELEASE part');
    return keep;
  }

  close(): void {
    if (this.#database.isOpen) this.#guard(() => this.#database.close());
  }

  /** A text is always prepared with the same `returnArrays`. */
  #prepared(sql: string, returnArrays = false): StatementSync {
    if (!this.#database.isOpen) throw new LedgerError(`the ledger ${this.path} is closed`);
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.#database.prepare(sql, { returnArrays });
    this.#statements.set(sql, statement);
    return statement;
  }

  #guard<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw asLedgerError(error, this.path);
    }
  }
}
