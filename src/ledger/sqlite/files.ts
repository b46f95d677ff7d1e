import { chmodSync, closeSync, existsSync, fsyncSync, mkdirSync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { LedgerError } from '../../domain/errors.ts';
import type { Log } from '../../telemetry/log.ts';

const OWNER_ONLY = 0o600;

/**
 * Makes sure that the file and its folder are there, and that nobody but the owner may read or write the file (SQLite
 * gives its -wal and -shm the same rights). Throws LedgerError where it is no file, else the system's errors.
 */
export function prepareFile(path: string, log: Log): void {
  const folder = dirname(path);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (!existsSync(path)) {
    closeSync(openSync(path, 'a', OWNER_ONLY));
    syncFolder(folder);
  }
  const status = statSync(path);
  if (!status.isFile())
    throw new LedgerError(`${path} is not a file: ledger.path must name one, or a name that is free`);
  const { mode } = status;
  if ((mode & 0o077) !== 0) tighten(path, mode & 0o777, log);
  const folderMode = statSync(folder).mode;
  // a sticky folder such as /tmp lets everybody make files, but replace only their own
  if ((folderMode & 0o002) !== 0 && (folderMode & 0o1000) === 0) {
    log.warn('ledger-folder-open', 'Anybody can replace the ledger: its folder is writable for all', { path: folder });
  }
}

function tighten(path: string, mode: number, log: Log): void {
  const fields = { path, mode: mode.toString(8).padStart(4, '0') };
  try {
    chmodSync(path, OWNER_ONLY);
    log.warn('ledger-file-open', 'Others could open the ledger; its mode is now 0600', fields);
  } catch (error) {
    // the file of another owner that our group may write: usable, but not ours to close
    if (!(error instanceof Error && 'code' in error && error.code === 'EPERM')) throw error;
    log.warn(
      'ledger-file-open',
      'Others can open the ledger, and its owner is another user: set its mode to 0600',
      fields,
    );
  }
}

/** Names the file behind a path: another number, another file. Null: there is none. */
export function fileId(path: string): number | null {
  return statSync(path, { throwIfNoEntry: false })?.ino ?? null;
}

/** Makes the creation or renaming of a file in the folder survive a crash of the machine. */
export function syncFolder(folder: string): void {
  const handle = openSync(folder, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
