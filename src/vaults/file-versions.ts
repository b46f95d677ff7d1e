import { link, mkdir, readdir, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Ids } from '../domain/ports.ts';
import { readBounded, syncFolder, tidyTemporaries, writeTemporary } from './durable-file.ts';
import { isNotFound, systemCode } from './system-error.ts';

const VERSION_FILE = /^\d{10}\.json$/;
/** A value of the most bytes, encrypted, in base64, with its mark. */
const MOST_BYTES = 4_194_304;
/** How often a reader looks again when writers overtake it. */
const ATTEMPTS = 50;

/** A version of an entry as it lies on the disk. */
export interface StoredVersion {
  readonly number: number;
  readonly text: string;
}

/**
 * Reads the newest version in an entry's folder; null where there is none.
 * @throws the system's error.
 */
export async function readNewest(folder: string): Promise<StoredVersion | null> {
  let lost: unknown;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const number = await newestNumber(folder);
    if (number === 0) return null;
    try {
      return { number, text: await readBounded(join(folder, fileName(number)), MOST_BYTES) };
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
  try {
    const mine = await stat(temporary);
    if (!(await linkNew(temporary, target))) return false;
    await syncFolder(folder);
    // The number was free, but perhaps only because versions beyond it made it be tidied away: then ours came too late.
    if ((await newestNumber(folder)) !== number) {
      await rm(target, { force: true });
      return false;
    }
    try {
      await tidyOlder(folder, number);
      await tidyTemporaries(folder, mine);
    } catch (error) {
      onLeftover(error);
    }
    return true;
  } finally {
    await rm(temporary, { force: true });
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
async function tidyOlder(folder: string, number: number): Promise<void> {
  for (const older of await numbers(folder)) {
    if (older < number - 1) await rm(join(folder, fileName(older)), { force: true });
  }
}

/** 0: none. An empty answer is asked again: a listing made while versions come and go need not show any of them. */
async function newestNumber(folder: string): Promise<number> {
  for (let attempt = 1; ; attempt++) {
    const newest = Math.max(0, ...(await numbers(folder)));
    if (newest > 0 || attempt === 3) return newest;
  }
}

async function numbers(folder: string): Promise<number[]> {
  try {
    const names = await readdir(folder);
    return names.filter((name) => VERSION_FILE.test(name)).map((name) => Number.parseInt(name, 10));
  } catch (error) {
    if (isNotFound(error)) return [];
    throw error;
  }
}

function fileName(number: number): string {
  return `${String(number).padStart(10, '0')}.json`;
}
