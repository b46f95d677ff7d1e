import { link, mkdir, readdir, stat, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Ids } from '../domain/ports.ts';
import { isTemporary, readRevision, syncFolder, tidyTemporaries, writeTemporary } from './durable-file.ts';
import { isNotFound, systemCode } from './system-error.ts';

const VERSION_FILE = /^\d{10}\.json$/;
/** A value of the most bytes, encrypted, in base64, with its mark. */
const MOST_BYTES = 4_194_304;
/** How often a reader looks again when writers overtake it. */
const ATTEMPTS = 50;

/** A version of an entry as it lies on the disk. */
export interface StoredVersion {
  readonly number: number;
  /** As {@link readRevision} says. */
  readonly revision: string;
  readonly text: string;
}

/**
 * Reads the newest version in an entry's folder; null where there is none.
 * @throws the system's error.
 */
export async function readNewest(folder: string): Promise<StoredVersion | null> {
  let lost: unknown;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const number = newestIn(await list(folder));
    if (number === 0) return null;
    try {
      return { number, ...(await readRevision(join(folder, fileName(number)), MOST_BYTES)) };
    } catch (error) {
      if (!isNotFound(error)) throw error;
      lost = error; // two newer ones were published since the listing
    }
  }
  throw lost;
}

/**
 * Publishes version `number`. The link fails where somebody else published it first: that is the compare-and-set, and it
 * leaves a whole version or none at whatever instant the process dies.
 * @param onLeftover told what could not be tidied; the version is published all the same.
 * @returns false where another version got in first.
 * @throws the system's error; then the version may be published or not.
 */
export async function publish(
  folder: string,
  number: number,
  text: string,
  ids: Ids,
  onLeftover: (error: unknown) => void,
): Promise<boolean> {
  if (number === 1) await makeFolder(folder);
  const target = join(folder, fileName(number));
  const temporary = await writeTemporary(folder, text, ids);
  let names: readonly string[];
  try {
    if (!(await linkNew(temporary, target))) return false;
    // The number was free, but perhaps only because it had been tidied away: then ours came too late. That takes two
    // versions beyond it; whoever wrote a single one saw ours. Asked before the sync, which gives others time to go on.
    names = await list(folder);
    if (newestIn(names) > number + 1) {
      await removeIfThere(target);
      return false;
    }
    await syncFolder(folder);
  } finally {
    await removeIfThere(temporary);
  }
  if (newestIn(names) > number) return true;
  try {
    await tidyOlder(folder, names, number);
    if (names.some(isTemporary)) await tidyTemporaries(folder, await stat(target));
  } catch (error) {
    onLeftover(error);
  }
  return true;
}

/** As `rm` with `force`, without its look at what kind of thing it is. */
async function removeIfThere(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

/** The parent is synced even where the folder is there: whoever made it may have died before doing so. */
async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { mode: 0o700 });
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error;
  }
  await syncFolder(dirname(folder));
}

async function linkNew(temporary: string, target: string): Promise<boolean> {
  try {
    await link(temporary, target);
    return true;
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false;
    throw error;
  }
}

/** Keeps the version before, for a reader that is at it, and for a person who wants to go back. */
async function tidyOlder(folder: string, names: readonly string[], number: number): Promise<void> {
  for (const older of numbersIn(names)) {
    if (older < number - 1) await removeIfThere(join(folder, fileName(older)));
  }
}

/** An answer without a version is asked again: a listing made while versions come and go need not show any of them. */
async function list(folder: string): Promise<readonly string[]> {
  try {
    for (let attempt = 1; ; attempt++) {
      const names = await readdir(folder);
      if (newestIn(names) > 0 || attempt === 3) return names;
    }
  } catch (error) {
    if (isNotFound(error)) return [];
    throw error;
  }
}

/** 0: none. */
function newestIn(names: readonly string[]): number {
  return Math.max(0, ...numbersIn(names));
}

function numbersIn(names: readonly string[]): number[] {
  return names.filter((name) => VERSION_FILE.test(name)).map((name) => Number.parseInt(name, 10));
}

function fileName(number: number): string {
  return `${String(number).padStart(10, '0')}.json`;
}
