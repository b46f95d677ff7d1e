/* eslint-disable @typescript-eslint/require-await -- `async` turns what a synchronous body throws into a rejection */
import { z } from 'zod';
import { LedgerError } from '../domain/errors.ts';
import type { Instant } from '../domain/time.ts';
import type {
  Changes,
  CredentialFilter,
  CredentialHeader,
  Ledger,
  LedgerType,
  Note,
  Page,
  RotationFilter,
} from './contract.ts';
import type { CredentialKey, CredentialRecord, RotationRecord } from './records.ts';
import { openForReading, openForWriting } from './sqlite/open.ts';
import type { Opened } from './sqlite/open.ts';
import type { Connection, Row } from './sqlite/connection.ts';
import { credentialValues, readHeader, rotationValues } from './sqlite/columns.ts';
import { SharedCommit } from './sqlite/shared-commit.ts';
import { StateCounts } from './sqlite/state-counts.ts';
import type { StateCount } from './sqlite/state-counts.ts';
import * as sql from './sqlite/statements.ts';
import { credentialListing, decodeCursor, encodeCursor, pageOf, rotationListing, rowsToRead } from './store/cursor.ts';
import { storedCredential, storedRotation, toDocument, wellFormed } from './store/stored.ts';
import type { StoredCredential, StoredRotation } from './store/stored.ts';

/** Headers are read this many at a time: no transaction stays open while the caller works on them. */
const HEADERS_AT_ONCE = 1_000;

/** Rotations are looked at for pruning this many at a time, so that no transaction is long. */
const PRUNED_AT_ONCE = 500;

/** What the probe of {@link SqliteLedger.check} writes: more than a commit of a credential and a rotation does. */
const PROBE_BYTES = 32 * 1_024;

/** A ledger in one file, by node:sqlite. Several processes may have it open. */
export class SqliteLedger implements Ledger {
  readonly type = 'sqlite';
  readonly setAside: string | null;
  readonly #connection: Connection;
  readonly #commits: SharedCommit;
  readonly #counts: StateCounts;
  readonly #readOnly: boolean;

  constructor(opened: Opened, readOnly: boolean) {
    this.#connection = opened.connection;
    this.#commits = new SharedCommit(opened.connection);
    this.#counts = new StateCounts(opened.connection);
    this.setAside = opened.setAside;
    this.#readOnly = readOnly;
  }

  async credential(key: CredentialKey): Promise<CredentialRecord | null> {
    const row = this.#connection.get(sql.CREDENTIAL, key.issuer, key.clientId);
    return row === undefined ? null : (this.#read(row) as CredentialRecord);
  }

  async *headers(issuer: string): AsyncGenerator<CredentialHeader, void, void> {
    let rows = this.#connection.arrays(sql.HEADERS, issuer, HEADERS_AT_ONCE);
    while (rows.length > 0) {
      for (const row of rows) yield readHeader(row);
      if (rows.length < HEADERS_AT_ONCE) return;
      rows = this.#connection.arrays(sql.HEADERS_AFTER, issuer, rows.at(-1)?.[0] ?? '', HEADERS_AT_ONCE);
    }
  }

  async credentials(filter: CredentialFilter, limit: number, cursor: string | null): Promise<Page<CredentialRecord>> {
    const listing = credentialListing(filter);
    const after = cursor === null ? null : decodeCursor(cursor, listing, ['', ''] as const);
    const query = sql.credentialsPage(filter, after, rowsToRead(limit));
    return pageOf(
      this.#connection.all(query.text, ...query.parameters),
      limit,
      (row) => this.#read(row) as CredentialRecord,
      (last) => encodeCursor(listing, [last['issuer'] as string, last['client_id'] as string]),
    );
  }

  async countsByState(): Promise<readonly StateCount[]> {
    return this.#counts.read();
  }

  async rotation(id: string): Promise<RotationRecord | null> {
    const row = this.#connection.get(sql.ROTATION, id);
    return row === undefined ? null : (this.#read(row) as RotationRecord);
  }

  async rotations(filter: RotationFilter, limit: number, cursor: string | null): Promise<Page<RotationRecord>> {
    const listing = rotationListing(filter);
    const after = cursor === null ? null : decodeCursor(cursor, listing, [0, ''] as const);
    const query = sql.rotationsPage(filter, after, rowsToRead(limit));
    return pageOf(
      this.#connection.all(query.text, ...query.parameters),
      limit,
      (row) => this.#read(row) as RotationRecord,
      (last) => encodeCursor(listing, [last['started_at'] as number, last['id'] as string]),
    );
  }

  async relevantRotations(key: CredentialKey, since: Instant): Promise<readonly RotationRecord[]> {
    return this.#connection
      .all(sql.RELEVANT_ROTATIONS, key.issuer, key.clientId, since, since)
      .map((row) => this.#read(row) as RotationRecord);
  }

  async inFlight(): Promise<readonly CredentialKey[]> {
    return this.#connection.all(sql.IN_FLIGHT).map((row) => ({ ...row }) as unknown as CredentialKey);
  }

  async startedSince(since: Instant): Promise<number> {
    return Number(this.#connection.get(sql.STARTED_SINCE, since)?.['count']);
  }

  async commit(changes: Changes): Promise<boolean> {
    this.#assertWritable();
    const credentials = (changes.credentials ?? []).map(storedCredential);
    const rotations = (changes.rotations ?? []).map(storedRotation);
    return this.#commits.write(
      () =>
        credentials.every((credential) => this.#keepCredential(credential)) &&
        rotations.every((rotation) => this.#keepRotation(rotation)),
    );
  }

  async note(key: string): Promise<Note | null> {
    const row = this.#connection.get(sql.NOTE, key);
    return row === undefined ? null : { version: row['version'] as number, value: this.#read(row) };
  }

  async putNote(key: string, note: Note): Promise<boolean> {
    this.#assertWritable();
    const document = toDocument(note.value);
    wellFormed(key);
    return this.#connection.write(
      () =>
        (note.version === 0
          ? this.#connection.run(sql.INSERT_NOTE, key, document)
          : this.#connection.run(sql.UPDATE_NOTE, document, key, note.version)) === 1,
    );
  }

  async prune(before: Instant): Promise<number> {
    this.#assertWritable();
    let pruned = 0;
    let rows: readonly Row[] = [];
    do {
      const last = rows.at(-1);
      this.#connection.write(() => {
        rows = this.#connection.all(
          sql.OUTDATED_ROTATIONS,
          before,
          before,
          last?.['finished_at'] ?? -Number.MAX_VALUE,
          last?.['id'] ?? '',
          PRUNED_AT_ONCE,
        );
        for (const row of rows) {
          if (row['named'] === 0) pruned += this.#connection.run(sql.DELETE_ROTATION, row['id'] ?? null);
        }
        return true;
      });
    } while (rows.length === PRUNED_AT_ONCE);
    return pruned;
  }

  /** Writes the probe anew, durably, in place of the one before: that undoes it, and costs one write to the disk, not two. */
  async check(): Promise<void> {
    this.#assertWritable();
    this.#connection.write(() => {
      this.#connection.run(sql.DELETE_PROBE);
      return this.#connection.run(sql.INSERT_PROBE, PROBE_BYTES) === 1;
    });
  }

  async close(): Promise<void> {
    this.#commits.flush();
    this.#connection.close();
  }

  #keepCredential(kept: StoredCredential): boolean {
    this.#counts.changed();
    const values = credentialValues(kept);
    return kept.version === 1
      ? this.#connection.run(sql.INSERT_CREDENTIAL, ...values) === 1
      : this.#connection.run(sql.UPDATE_CREDENTIAL, ...values, kept.version - 1) === 1;
  }

  #keepRotation(kept: StoredRotation): boolean {
    const values = rotationValues(kept);
    return kept.version === 1
      ? this.#connection.run(sql.INSERT_ROTATION, ...values, kept.issuer, kept.clientId, kept.startedAt) === 1
      : this.#connection.run(sql.UPDATE_ROTATION, ...values, kept.version - 1) === 1;
  }

  #read(row: Row): unknown {
    try {
      return JSON.parse(row['doc'] as string);
    } catch {
      throw new LedgerError(
        `a record in the ledger ${this.#connection.path} is garbled: stop rekeyd and move the file away (with its -wal and -shm); ` +
          'it is rebuilt from the issuers and the vaults',
      );
    }
  }

  #assertWritable(): void {
    if (this.#readOnly) throw new LedgerError(`the ledger ${this.#connection.path} was opened for reading only`);
  }
}

const schema = z.strictObject({
  path: z
    .string()
    .min(1)
    .default('./var/rekeyd.db')
    .describe('The database file; its folder is made (0700) where it is missing.'),
});

/** Type `sqlite`: one file on this machine, made where it is missing. */
export const sqliteLedgerType: LedgerType<typeof schema> = {
  type: 'sqlite',
  schema,
  paths: ['path'],
  open: async ({ path }, context, readOnly = false) =>
    new SqliteLedger(readOnly ? openForReading(path) : openForWriting(path, context), readOnly),
};
