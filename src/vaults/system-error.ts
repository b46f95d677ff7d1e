import { VaultError, safeMessage } from '../domain/errors.ts';
import type { VaultFault } from '../domain/errors.ts';

const FAULTS: Readonly<Record<string, VaultFault>> = {
  EACCES: 'denied',
  EPERM: 'denied',
  EROFS: 'denied',
  ENAMETOOLONG: 'rejected',
  EISDIR: 'rejected',
  ENOTDIR: 'rejected',
  ELOOP: 'rejected',
};

const ADVICE: Readonly<Record<string, string>> = {
  EACCES: 'give the user that rekeyd runs as the right to it',
  EPERM: 'give the user that rekeyd runs as the right to it',
  EROFS: 'mount the file system for writing',
  ENOSPC: 'make room on the file system',
  EDQUOT: 'raise the quota',
  EISDIR: 'a folder stands where a file should be: use another name',
  ENOTDIR: 'a file stands where a folder should be: use another name, or move the file away',
};

/** The operating system's code of an error (`ENOENT`); null where it has none. */
export function systemCode(error: unknown): string | null {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : null;
}

/** Whether the operating system says that there is no such file. */
export function isNotFound(error: unknown): boolean {
  return systemCode(error) === 'ENOENT';
}

/**
 * Runs work on files for a vault. Its RangeErrors are ours: they say what is wrong with a file, and quote nothing of it.
 * @throws VaultError for every failure but the abort reason of `signal`, which goes through.
 */
export async function onFiles<T>(
  place: { readonly vault: string; readonly entry: string | null; readonly doing: string },
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted();
  try {
    return await work();
  } catch (error) {
    if (error instanceof VaultError || (signal?.aborted === true && error === signal.reason)) throw error;
    const code = systemCode(error) ?? '';
    const why = error instanceof RangeError ? `${error.message}, which rekeyd did not write` : safeMessage(error);
    const entry = place.entry === null ? '' : `, entry '${place.entry}'`;
    const advice = ADVICE[code] === undefined ? '' : `; ${ADVICE[code]}`;
    throw new VaultError(
      error instanceof RangeError ? 'malformed' : (FAULTS[code] ?? 'unavailable'),
      `Vault '${place.vault}'${entry}: ${place.doing} failed: ${why}${advice}.`,
      { vault: place.vault, entry: place.entry },
    );
  }
}
