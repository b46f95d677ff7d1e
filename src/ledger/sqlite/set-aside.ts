import { existsSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { formatInstant } from '../../domain/time.ts';
import type { Instant } from '../../domain/time.ts';
import { BUSY_TIMEOUT } from './failure.ts';
import { fileId, syncFolder } from './files.ts';

/**
 * Moves a corrupt database away, with its -wal and -shm, under a name of its own. Of several processes that found the same
 * file corrupt one does it; without that, a slower one would move the new file that the quicker one has begun.
 * @param file the number of the corrupt file.
 * @returns the new path; null where another process was quicker. Throws errors of the system and of node:sqlite.
 */
export function setAside(path: string, file: number, at: Instant): string | null {
  // A lock of SQLite ends with its process; the file's number in the name makes it safe to remove: who comes later finds
  // another file at the path, whichever lock it holds.
  const lockPath = `${path}.setting-aside-${file}`;
  const lock = new DatabaseSync(lockPath, { timeout: BUSY_TIMEOUT });
  try {
    lock.exec('BEGIN EXCLUSIVE');
    return fileId(path) === file ? moveAway(path, at) : null;
  } finally {
    rmSync(lockPath, { force: true });
    lock.close();
  }
}

function moveAway(path: string, at: Instant): string {
  const base = `${path}.corrupt-${formatInstant(at).replace(/[-:.]/g, '')}`;
  let target = base;
  for (let copy = 2; existsSync(target); copy += 1) target = `${base}-${copy}`;
  // The log first: left behind beside a new database it would be taken for that one's.
  for (const part of ['-wal', '-shm', '']) {
    if (existsSync(path + part)) renameSync(path + part, target + part);
  }
  syncFolder(dirname(path));
  return target;
}
