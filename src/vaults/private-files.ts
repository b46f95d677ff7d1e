import { mkdir, stat } from 'node:fs/promises';
import type { Stats } from 'node:fs';
import { ConfigError, safeMessage, VaultError } from '../domain/errors.ts';
import { isNotFound, systemCode } from './system-error.ts';

/** An option of a vault that names a file or folder, for messages. */
export interface PathOption {
  readonly vault: string;
  /** The option's name: `path`. */
  readonly option: string;
  readonly path: string;
}

/** A configuration error that names the vault's option. */
export function optionError(option: Pick<PathOption, 'vault' | 'option'>, message: string): ConfigError {
  const key = `vaults.${option.vault}.${option.option}`;
  return new ConfigError([{ file: null, line: null, column: null, key, message }]);
}

/** What the machine may get over without anybody changing the configuration. */
const PASSING: ReadonlySet<string> = new Set(
  'EAGAIN EBUSY EDQUOT EHOSTDOWN EIO EMFILE ENFILE ENODEV ENOMEM ENOSPC ENXIO EROFS ESTALE ETIMEDOUT'.split(' '),
);

/**
 * What a failure on the file system means for a vault that is opened: one of the machine is worth another start (exit code 1),
 * any other is one of the configuration (2).
 */
export function openingError(option: PathOption, doing: string, error: unknown): ConfigError | VaultError {
  const message = `cannot ${doing} '${option.path}': ${safeMessage(error)}`;
  if (!PASSING.has(systemCode(error) ?? '')) return optionError(option, message);
  const { vault } = option;
  return new VaultError('unavailable', `Vault '${vault}' cannot be opened: ${message}.`, { vault, entry: null });
}

/**
 * Makes a folder with `mode` where it is missing, its parents too, and refuses one in which others than its owner have
 * any of the rights in `refused`.
 * @returns whether it was made.
 * @throws ConfigError that says what to do, VaultError for a fault of the machine.
 */
export async function prepareFolder(option: PathOption, mode: number, refused: number): Promise<boolean> {
  const found = await look(option);
  if (found === null) {
    try {
      await mkdir(option.path, { recursive: true, mode });
    } catch (error) {
      throw openingError(option, 'make the folder', error);
    }
    return true;
  }
  if (!found.isDirectory()) throw optionError(option, `'${option.path}' is not a folder`);
  refuseWide(option, found, refused, mode);
  return false;
}

/**
 * Looks at a file that only its owner may read or write.
 * @returns whether it is there.
 * @throws ConfigError for one that others may use, or that is no file; VaultError for a fault of the machine.
 */
export async function checkPrivateFile(option: PathOption): Promise<boolean> {
  const found = await look(option);
  if (found === null) return false;
  if (!found.isFile()) throw optionError(option, `'${option.path}' is not a file`);
  refuseWide(option, found, 0o077, 0o600);
  return true;
}

/** Whether there is a file or folder. @throws ConfigError where that cannot be told, VaultError for a fault of the machine. */
export async function isThere(option: PathOption): Promise<boolean> {
  return (await look(option)) !== null;
}

async function look(option: PathOption): Promise<Stats | null> {
  try {
    return await stat(option.path);
  } catch (error) {
    if (isNotFound(error)) return null;
    throw openingError(option, 'look at', error);
  }
}

function refuseWide(option: PathOption, found: Stats, refused: number, wanted: number): void {
  if ((found.mode & refused) === 0) return;
  const octal = (mode: number): string => (mode & 0o777).toString(8).padStart(4, '0');
  throw optionError(
    option,
    `'${option.path}' has mode ${octal(found.mode)}, which lets others in: chmod ${octal(wanted)} '${option.path}'`,
  );
}
