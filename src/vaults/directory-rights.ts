import { access as probe, constants } from 'node:fs/promises';
import { join } from 'node:path';
import { safeMessage } from '../domain/errors.ts';
import type { RightReport } from '../domain/rights.ts';
import type { Access } from './directory-access.ts';
import { SIDECAR_FOLDER } from './directory-sidecar.ts';

/** What the process may do in the folder `path` with files of `access`, found out without writing. It does not throw. */
export async function directoryRights(path: string, access: Access): Promise<readonly RightReport[]> {
  const { R_OK, W_OK, X_OK } = constants;
  return [
    await can('reached', path, X_OK),
    await can('write files', path, W_OK | X_OK),
    await can('keep marks', join(path, SIDECAR_FOLDER), R_OK | W_OK | X_OK),
    canGive(access),
  ];
}

async function can(right: string, path: string, mode: number): Promise<RightReport> {
  try {
    await probe(path, mode);
    return { right, status: 'ok', hint: '' };
  } catch (error) {
    return { right, status: 'missing', hint: `'${path}': ${safeMessage(error)}` };
  }
}

function canGive({ uid, gid }: Access): RightReport {
  const right = 'give files to owner and group';
  const me = process.getuid?.();
  const groups = process.getgroups?.() ?? [];
  const free = me === 0 || ((uid === null || uid === me) && (gid === null || groups.includes(gid)));
  if (free) return { right, status: 'ok', hint: '' };
  return {
    right,
    status: 'unknown',
    hint: 'run rekeyd as a member of the group, leave uid out, or give it CAP_CHOWN',
  };
}
