import { VaultError } from '../../domain/errors.ts';
import type { RightReport } from '../../domain/rights.ts';
import { CREATE_PERMISSION, PERMISSIONS } from './api.ts';
import type { SecretManagerApi } from './api.ts';

/** A name that need not be there: a call about it shows whether the service answers us. */
const ANY = 'rekeyd-check';

/**
 * What `rekeyd check` prints, by `testIamPermissions`, which needs no right of its own. It says nothing of secrets that are
 * not there: what is needed to make one stays `unknown`. @throws VaultError but where nothing is reached
 */
export async function rightsOn(
  api: SecretManagerApi,
  entries: readonly string[],
  signal: AbortSignal | undefined,
): Promise<readonly RightReport[]> {
  try {
    await api.permissions(entries[0] ?? ANY, signal);
  } catch (error) {
    if (!(error instanceof VaultError)) throw error;
    return [{ right: 'reached', status: 'missing', hint: error.message }];
  }
  const granted = new Map<string, readonly string[]>();
  const unseen: string[] = [];
  for (const entry of entries) {
    const found = await api.permissions(entry, signal);
    if (found.length > 0) granted.set(entry, found);
    else unseen.push(entry);
  }
  const reached: RightReport = { right: 'reached', status: 'ok', hint: '' };
  return [reached, ...PERMISSIONS.map((permission) => report(permission, granted)), creation(unseen)];
}

function report(permission: string, granted: ReadonlyMap<string, readonly string[]>): RightReport {
  const without = [...granted].find(([, permissions]) => !permissions.includes(permission))?.[0];
  if (without !== undefined) {
    return { right: permission, status: 'missing', hint: `grant it on the secret '${without}'` };
  }
  if (granted.size > 0) return { right: permission, status: 'ok', hint: '' };
  return { right: permission, status: 'unknown', hint: 'no entry is there, or none may be seen, to ask about it' };
}

function creation(unseen: readonly string[]): RightReport {
  const [first] = unseen;
  if (first === undefined) return { right: CREATE_PERMISSION, status: 'ok', hint: '' };
  const hint = `'${first}' is not there, or not to be seen: grant it on the project, or make the secret beforehand`;
  return { right: CREATE_PERMISSION, status: 'unknown', hint };
}
