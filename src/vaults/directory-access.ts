import { chmod, chown, mkdir } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { syncFolder } from './durable-file.ts';
import { systemCode } from './system-error.ts';

/** Who may use what a directory vault writes. */
export interface Access {
  /** Of the files. */
  readonly mode: number;
  /** Null: as rekeyd itself. */
  readonly uid: number | null;
  readonly gid: number | null;
}

/** Gives a new file its owner and mode, before anybody can see it under its name. */
export async function giveFile(file: FileHandle, access: Access): Promise<void> {
  if (access.uid !== null || access.gid !== null) await file.chown(access.uid ?? -1, access.gid ?? -1);
  await file.chmod(access.mode);
}

/**
 * The mode of folders that rekeyd makes: who may read the files may list and enter them; another owner of the files may
 * enter. Nobody but rekeyd may write in them.
 */
export function folderMode(access: Access): number {
  const group = (access.mode & 0o040) === 0 ? 0 : 0o050;
  const others = (access.mode & 0o004) === 0 ? 0 : 0o005;
  return 0o700 | group | others | (access.uid === null ? 0 : 0o001);
}

/** Gives a folder that was just made its mode and group. It stays rekeyd's own. */
export async function giveFolder(path: string, access: Access): Promise<void> {
  if (access.gid !== null) await chown(path, -1, access.gid);
  await chmod(path, folderMode(access)); // mkdir's own mode is cut by the umask
}

/** Makes the folders that an entry's name asks for below `root`. */
export async function makeParents(root: string, entry: string, access: Access): Promise<void> {
  const parts = dirname(entry) === '.' ? [] : dirname(entry).split('/');
  let path = root;
  for (const part of parts) {
    const parent = path;
    path = join(path, part);
    try {
      await mkdir(path, { mode: 0o700 });
    } catch (error) {
      if (systemCode(error) === 'EEXIST') continue;
      throw error;
    }
    await giveFolder(path, access);
    await syncFolder(parent);
  }
}
