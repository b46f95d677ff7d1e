import { access, constants, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { safeMessage } from '../domain/errors.ts';
import type { RightReport } from '../domain/rights.ts';
import { isThere, openingError } from './private-files.ts';
import { isNotFound, systemCode } from './system-error.ts';

/** Stands in the vault's folder, so that an empty mount point is not taken for a vault without entries. */
export const SIGN = '.rekeyd-vault';

/**
 * Whether a daemon has used it: then opening it makes nothing. Entries without their key are an error all the same.
 * @throws ConfigError where that cannot be told, VaultError for a fault of the machine.
 */
export async function isInUse(
  vault: string,
  { path, key }: { readonly path: string; readonly key: string },
): Promise<boolean> {
  const option = { vault, option: 'path', path };
  const isSigned = await isThere({ ...option, path: join(path, SIGN) });
  if (isSigned && (await isThere({ vault, option: 'key', path: key }))) return true;
  if (!(await isThere(option))) return false;
  try {
    return await hasEntries(path);
  } catch (error) {
    throw openingError(option, 'look at', error);
  }
}

/** Whether there is the folder of any entry. @throws the error of node:fs where the vault's folder cannot be listed. */
export async function hasEntries(path: string): Promise<boolean> {
  const found = await readdir(path, { withFileTypes: true });
  return found.some((item) => item.isDirectory() && !item.name.startsWith('.'));
}

/**
 * Leaves {@link SIGN}, only where it is missing, so that a vault on a read-only file system can be read.
 * @throws the error of node:fs where it is missing and cannot be made.
 */
export async function leaveSign(path: string): Promise<void> {
  try {
    await writeFile(join(path, SIGN), '', { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return;
    await stat(join(path, SIGN)).catch(() => {
      throw error;
    });
  }
}

/** Whether {@link SIGN} is there. @throws the error of node:fs where that cannot be told. */
export async function hasSign(path: string): Promise<boolean> {
  try {
    await stat(join(path, SIGN));
    return true;
  } catch (error) {
    if (!isNotFound(error)) throw error;
    return false;
  }
}

/** What the process may do in the folder, found out without writing. It does not throw. */
export async function folderRights(path: string): Promise<readonly RightReport[]> {
  const { R_OK, W_OK, X_OK } = constants;
  return [
    await can('reached', path, X_OK),
    await can('read entries', path, R_OK | X_OK),
    await can('write entries', path, W_OK | X_OK),
  ];
}

async function can(right: string, path: string, mode: number): Promise<RightReport> {
  try {
    await access(path, mode);
    return { right, status: 'ok', hint: '' };
  } catch (error) {
    return { right, status: 'missing', hint: `'${path}': ${safeMessage(error)}` };
  }
}
