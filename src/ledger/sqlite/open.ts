import { existsSync, statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { LedgerError } from '../../domain/errors.ts';
import type { LedgerContext } from '../contract.ts';
import { Connection } from './connection.ts';
import { asLedgerError, BUSY_TIMEOUT, isBusy, isCorruption } from './failure.ts';
import { fileId, prepareFile } from './files.ts';
import { migrate, refusal, standingOf } from './schema.ts';
import { setAside } from './set-aside.ts';

export interface Opened {
  readonly connection: Connection;
  /** Where a corrupt predecessor is now; null: there was none. */
  readonly setAside: string | null;
}

/** How often opening is tried: files may be changed by another process that starts at the same moment. */
const ATTEMPTS = 5;

/**
 * Opens a ledger for writing; makes it where there is none. A corrupt one is set aside, told by the event
 * `ledger-set-aside`, and a new one is made.
 * @throws LedgerError where it cannot be opened, or is not one of this version or an older one. Nothing is changed then.
 */
export function openForWriting(path: string, context: LedgerContext): Opened {
  try {
    let aside: string | null = null;
    for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
      prepareFile(path, context.log);
      const file = fileId(path);
      if (file === null) continue;
      try {
        const opened = openSound(path);
        if (opened instanceof Corruption) aside = removeCorrupt(path, file, opened, context) ?? aside;
        // Another file by now: it was set aside under our hands, and what we write to the one we hold would be lost.
        else if (fileId(path) !== file) opened.close();
        else return { connection: new Connection(opened, path), setAside: aside };
      } catch (error) {
        // Whatever it is, it may come of that alone.
        if (fileId(path) === file) throw error;
      }
    }
    throw new LedgerError(
      `the ledger ${path} could not be opened: it is replaced again and again, or its disk is broken`,
    );
  } catch (error) {
    throw asLedgerError(error, path);
  }
}

/** @returns where it is now; null where another process was quicker. */
function removeCorrupt(path: string, file: number, corrupt: Corruption, context: LedgerContext): string | null {
  let aside: string | null;
  try {
    aside = setAside(path, file, context.clock.now());
  } finally {
    // Not before: closing would copy the log into the corrupt file and delete it. SQLite leaves a moved one alone.
    corrupt.database.close();
  }
  if (aside !== null) {
    context.log.error(
      'ledger-set-aside',
      'The ledger is corrupt; it was set aside, and is rebuilt from the issuers and the vaults',
      { path, setAside: aside, problem: corrupt.problem },
    );
  }
  return aside;
}

/**
 * Opens a ledger to look at it: nothing is made, moved or migrated. One that is not there reads as empty.
 * @throws LedgerError where it cannot be read, or is not one of this very version.
 */
export function openForReading(path: string): Opened {
  try {
    if (!existsSync(path) || statSync(path).size === 0) return { connection: emptyConnection(path), setAside: null };
    const database = new DatabaseSync(locationForReading(path), { readOnly: true, timeout: BUSY_TIMEOUT });
    let usable = false;
    try {
      const standing = standingOf(database);
      usable = standing === 'ours';
      if (standing === 'empty') return { connection: emptyConnection(path), setAside: null };
      if (standing !== 'ours') throw refusal(standing, path);
      return { connection: new Connection(database, path), setAside: null };
    } finally {
      if (!usable) database.close();
    }
  } catch (error) {
    throw asLedgerError(error, path);
  }
}

/**
 * Without a log beside it nobody has the ledger open: it is read as it stands, and SQLite makes no -wal and -shm, which a
 * reader could not remove again.
 */
function locationForReading(path: string): URL {
  const location = pathToFileURL(path);
  if (!existsSync(`${path}-wal`)) location.searchParams.set('immutable', '1');
  return location;
}

function emptyConnection(path: string): Connection {
  const database = new DatabaseSync(':memory:');
  migrate(database, path);
  database.exec('PRAGMA query_only = ON');
  return new Connection(database, path);
}

/** The file is no database, or does not hold together. It is still open. */
class Corruption {
  readonly problem: string;
  readonly database: DatabaseSync;

  constructor(problem: string, database: DatabaseSync) {
    this.problem = problem;
    this.database = database;
  }
}

/** Opens, checks, migrates. Throws what is not corruption: LedgerError, and node:sqlite's errors. */
function openSound(path: string): DatabaseSync | Corruption {
  const database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT, enableForeignKeyConstraints: true });
  try {
    const standing = standingOf(database);
    // Before anything is judged: what a newer rekeyd wrote is not ours to set aside.
    if (standing === 'newer') throw refusal(standing, path);
    const problem = database.prepare('PRAGMA quick_check(1)').get()?.['quick_check'];
    if (problem !== 'ok') return new Corruption(String(problem), database);
    if (standing === 'foreign') throw refusal(standing, path);
    useWriteAheadLog(database, path);
    // full: a commit is on the disk when it returns. fullfsync: on macOS nothing less is.
    database.exec('PRAGMA synchronous = FULL; PRAGMA fullfsync = ON; PRAGMA cell_size_check = ON');
    if (standing !== 'ours') migrate(database, path);
    return database;
  } catch (error) {
    if (isCorruption(error)) return new Corruption('the file is not a database, or a broken one', database);
    database.close();
    throw error;
  }
}

/** Two processes that make one ledger at the same moment: SQLite does not wait here, but says at once that it is locked. */
function useWriteAheadLog(database: DatabaseSync, path: string): void {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const mode = database.prepare('PRAGMA journal_mode = WAL').get()?.['journal_mode'];
      if (mode === 'wal') return;
      throw new LedgerError(
        `the ledger ${path} is on a file system that cannot hold it (no shared memory for SQLite's log): put it on a local disk`,
      );
    } catch (error) {
      if (!isBusy(error) || attempt === ATTEMPTS) throw error;
      // this one waits until the other is done
      database.exec('BEGIN IMMEDIATE; COMMIT');
    }
  }
}
