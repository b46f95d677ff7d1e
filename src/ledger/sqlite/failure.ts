import { LedgerError, RekeydError } from '../../domain/errors.ts';

/** Primary result codes of SQLite, https://www.sqlite.org/rescode.html */
const PERM = 3;
const BUSY = 5;
const LOCKED = 6;
const READONLY = 8;
const IOERR = 10;
const CORRUPT = 11;
const FULL = 13;
const CANTOPEN = 14;
const NOTADB = 26;

/** How long a statement waits for another process that is writing, in milliseconds. */
export const BUSY_TIMEOUT = 5_000;

/** The primary result code of an error of node:sqlite; null for any other. */
function resultCode(error: unknown): number | null {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return null;
  // the low byte of an extended code is its primary one
  return error.errcode & 0xff;
}

/** Whether the file is no database, or a broken one. */
export function isCorruption(error: unknown): boolean {
  const code = resultCode(error);
  return code === CORRUPT || code === NOTADB;
}

/** Whether another process is writing. */
export function isBusy(error: unknown): boolean {
  const code = resultCode(error);
  return code === BUSY || code === LOCKED;
}

/** Says what happened to the ledger, where, and what to do. Text of the database itself (it may quote data) is left out. */
export function asLedgerError(error: unknown, path: string): LedgerError {
  if (error instanceof LedgerError) return error;
  if (error instanceof RekeydError) return new LedgerError(error.message);
  const code = resultCode(error);
  if (code !== null) return new LedgerError(`the ledger ${path} ${adviceFor(code)}`);
  return new LedgerError(`the ledger ${path} ${systemAdvice(error)}`);
}

function adviceFor(code: number): string {
  switch (code) {
    case BUSY:
    case LOCKED:
      return (
        `was locked by another process for longer than ${BUSY_TIMEOUT / 1_000} s: ` +
        'see which one has it open (fuser, lsof), and end it if it hangs'
      );
    case READONLY:
    case PERM:
      return 'cannot be written: make the file, its -wal and -shm and their folder writable for the user that rekeyd runs as';
    case FULL:
      return 'cannot be written because the disk is full: free some space; rekeyd goes on by itself then';
    case IOERR:
      return 'could not be read or written (input/output error): check disk, quota and file size limits; rekeyd tries again';
    case CANTOPEN:
      return 'cannot be opened: its folder must exist and be writable for the user that rekeyd runs as';
    case CORRUPT:
    case NOTADB:
      return 'is corrupt: restart the daemon, which sets it aside and rebuilds it from the issuers and the vaults';
    default:
      return `failed (SQLite result code ${code}): this is not expected, please report it`;
  }
}

function systemAdvice(error: unknown): string {
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown';
  switch (code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return adviceFor(FULL);
    case 'EROFS':
    case 'EACCES':
    case 'EPERM':
      return adviceFor(READONLY);
    case 'ENOTDIR':
      return 'cannot be made: a part of its path is a file, not a folder';
    default:
      return `failed (${code}): this is not expected, please report it`;
  }
}
