import { open, readdir, rm, stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { Ids } from '../domain/ports.ts';
import { HOUR } from '../domain/time.ts';
import { isNotFound, systemCode } from './system-error.ts';

const PREFIX = '.rekeyd-tmp-';
const ATTEMPTS = 10;

/**
 * Writes a new file of a name that nobody else has into `folder` (0600) and brings it to the disk. Whoever made it puts it
 * in its place with link or rename, and removes it.
 * @param finish what is to be done to it (owner, mode) before it is brought to the disk.
 * @returns its path.
 */
export async function writeTemporary(
  folder: string,
  data: string,
  ids: Ids,
  finish: (file: FileHandle) => Promise<void> = () => Promise.resolve(),
): Promise<string> {
  for (let attempt = 1; ; attempt++) {
    const path = join(folder, `${PREFIX}${ids.unique()}`);
    try {
      await using file = await open(path, 'wx', 0o600);
      await file.writeFile(data);
      await finish(file);
      await file.sync();
      return path;
    } catch (error) {
      if (systemCode(error) === 'EEXIST' && attempt < ATTEMPTS) continue;
      if (systemCode(error) !== 'EEXIST') await rm(path, { force: true });
      throw error;
    }
  }
}

/** Brings to the disk what was linked, renamed or removed in a folder. */
export async function syncFolder(folder: string): Promise<void> {
  await using handle = await open(folder, 'r');
  await handle.sync();
}

/**
 * Removes what writers that died left behind in `folder`: temporary files more than an hour older than `mine`, so that
 * the file system's own clock decides, and a jump of ours removes nothing that is still being written.
 */
export async function tidyTemporaries(folder: string, mine: { readonly mtimeMs: number }): Promise<void> {
  for (const name of (await readdir(folder)).filter(isTemporary)) {
    const path = join(folder, name);
    try {
      if (mine.mtimeMs - (await stat(path)).mtimeMs > HOUR) await rm(path, { force: true });
    } catch (error) {
      if (!isNotFound(error)) throw error; // its writer came to its end in between
    }
  }
}

/** Most of what is read fits, so that one read is enough. */
const READ_AT_ONCE = 16_384;

/** Whether a file of that name is one that {@link writeTemporary} made. */
export function isTemporary(name: string): boolean {
  return name.startsWith(PREFIX);
}

/** Reads a whole file of at most `most` bytes. @throws the system's error, or RangeError for a larger file. */
export async function readBounded(path: string, most: number): Promise<string> {
  await using file = await open(path, 'r');
  return await readWhole(file, path, most);
}

/**
 * As {@link readBounded}, with what changes at every write, also at one that leaves the file as it was: its time of change,
 * which nobody can set. It is asked first: what is written in between shows at the next look.
 */
export async function readRevision(path: string, most: number): Promise<{ text: string; revision: string }> {
  await using file = await open(path, 'r');
  const { ctimeNs } = await file.stat({ bigint: true });
  return { revision: String(ctimeNs), text: await readWhole(file, path, most) };
}

async function readWhole(file: FileHandle, path: string, most: number): Promise<string> {
  const parts: Buffer[] = [];
  for (let size = 0; ;) {
    const room = Buffer.allocUnsafe(READ_AT_ONCE);
    const { bytesRead } = await file.read(room, 0, room.length, size);
    size += bytesRead;
    if (size > most) throw new RangeError(`'${path}' has more than ${most} bytes`);
    parts.push(room.subarray(0, bytesRead));
    // a file gives less than it is asked for only at its end
    if (bytesRead < room.length) return Buffer.concat(parts, size).toString('utf8');
  }
}
