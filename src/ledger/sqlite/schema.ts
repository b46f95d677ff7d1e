import type { DatabaseSync } from 'node:sqlite';
import { LedgerError } from '../../domain/errors.ts';

/** Marks the file as a ledger of rekeyd ("rkyd"), in the file's header. */
const APPLICATION_ID = 0x726b7964;

/**
 * One step of the schema each; `PRAGMA user_version` counts those that were done. Never edit one that was released: add
 * one. Times are REAL: they are milliseconds, whole or not. `doc` is the whole record as JSON, the other columns are what
 * is searched by.
 */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE credential (
    issuer      TEXT NOT NULL,
    client_id   TEXT NOT NULL,
    version     INTEGER NOT NULL CHECK (version > 0),
    state       TEXT NOT NULL,
    due_at      REAL,
    resync_at   REAL NOT NULL,
    expires     REAL,
    description TEXT NOT NULL,
    terms       TEXT NOT NULL,
    names       TEXT NOT NULL, -- a JSON array of what the record names: 'secret:ID', 'rotation:ID'
    doc         TEXT NOT NULL,
    PRIMARY KEY (issuer, client_id)
  ) STRICT;
  -- Holds all that a scan reads of every credential, so that it never touches the documents.
  CREATE INDEX credential_header ON credential (issuer, client_id, state, due_at, resync_at, expires, description, terms);

  CREATE TABLE rotation (
    id          TEXT NOT NULL PRIMARY KEY,
    issuer      TEXT NOT NULL,
    client_id   TEXT NOT NULL,
    version     INTEGER NOT NULL CHECK (version > 0),
    state       TEXT NOT NULL,
    started_at  REAL NOT NULL,
    finished_at REAL,
    watch_until REAL,
    secret_id   TEXT,
    doc         TEXT NOT NULL
  ) STRICT;
  CREATE INDEX rotation_newest ON rotation (started_at, id);
  CREATE INDEX rotation_of_credential ON rotation (issuer, client_id, started_at, id);
  CREATE INDEX rotation_in_flight ON rotation (issuer, client_id)
    WHERE state IN ('intended', 'created', 'verified', 'delivering');
  CREATE INDEX rotation_finished ON rotation (finished_at, id) WHERE finished_at IS NOT NULL;

  CREATE TABLE note (
    key     TEXT NOT NULL PRIMARY KEY,
    version INTEGER NOT NULL CHECK (version > 0),
    doc     TEXT NOT NULL
  ) STRICT;

  -- One row that is written anew to prove that a commit would succeed.
  CREATE TABLE probe (id INTEGER PRIMARY KEY CHECK (id = 1), filler BLOB NOT NULL) STRICT;
  `,
];

/** What a database file is to this rekeyd. */
export type Standing = 'empty' | 'ours' | 'older' | 'newer' | 'foreign';

/** In one statement, so that another process that makes the ledger is seen before or after, never in between. */
const HEADER = `SELECT (SELECT count(*) FROM sqlite_schema) AS tables,
  (SELECT application_id FROM pragma_application_id) AS application, (SELECT user_version FROM pragma_user_version) AS version`;

/** Tells what the file is, by its header and, where that is blank, by whether there is any table. Throws node:sqlite's errors. */
export function standingOf(database: DatabaseSync): Standing {
  const { tables, application, version } = headerOf(database);
  if (application === 0 && version === 0) return tables === 0 ? 'empty' : 'foreign';
  if (application !== APPLICATION_ID) return 'foreign';
  if (version > MIGRATIONS.length) return 'newer';
  return version < MIGRATIONS.length ? 'older' : 'ours';
}

function headerOf(database: DatabaseSync): { tables: number; application: number; version: number } {
  const row = database.prepare(HEADER).get();
  return {
    tables: Number(row?.['tables']),
    application: Number(row?.['application']),
    version: Number(row?.['version']),
  };
}

/** What to tell a person about a file that cannot be used as it is. */
export function refusal(standing: 'older' | 'newer' | 'foreign', path: string): LedgerError {
  switch (standing) {
    case 'older':
      return new LedgerError(
        `the ledger ${path} was written by an older rekeyd: start the daemon (rekeyd run) once, it brings the ledger up to date`,
      );
    case 'newer':
      return new LedgerError(
        `the ledger ${path} was written by a newer rekeyd: run that version or a later one, or name another file in ledger.path`,
      );
    case 'foreign':
      return new LedgerError(`${path} is a database of another program: name another file in ledger.path`);
  }
}

/**
 * Brings the schema up to date, all or nothing. Safe when several processes do so at once.
 * @throws LedgerError where another process made it newer meanwhile; else node:sqlite's errors.
 */
export function migrate(database: DatabaseSync, path: string): void {
  database.exec('BEGIN IMMEDIATE');
  try {
    const standing = standingOf(database);
    if (standing === 'newer' || standing === 'foreign') throw refusal(standing, path);
    for (const step of MIGRATIONS.slice(headerOf(database).version)) database.exec(step);
    database.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${MIGRATIONS.length}; COMMIT`);
  } finally {
    if (database.isTransaction) database.exec('ROLLBACK');
  }
}
