import { createHash } from 'node:crypto';
import type { z } from 'zod';
import type { tokenShape } from './schema.ts';
import type { Role, TokenSettings } from './settings.ts';
import type { TreeReport } from './report.ts';
import type { Path } from './tree.ts';

type WrittenToken = z.output<z.ZodObject<typeof tokenShape>>;

/** Names of actors that are no token: see RotationRecord.actor. */
const TAKEN = ['socket', 'rekeyd'];
/** Shorter tokens work, and are warned of. */
const SHORTEST_SAFE = 16;

/** Turns tokens into their digests: the tokens themselves are not kept. */
export function readTokens(written: readonly WrittenToken[], path: Path, report: TreeReport): TokenSettings[] {
  const names = new Map<string, Role[]>();
  const digests = new Set<string>();
  return written.map((token, index) => {
    const at = [...path, index];
    if (TAKEN.includes(token.name)) report.value([...at, 'name'], `the name ${token.name} is taken by rekeyd itself`);
    const roles = names.get(token.name) ?? [];
    // two, so that one can be exchanged: the new one is added, callers change over, the old one is taken out
    if (roles.length === 2) report.value([...at, 'name'], 'two other tokens have this name, which is the most');
    if (roles[0] !== undefined && roles[0] !== token.role)
      report.value([...at, 'role'], `another token named ${token.name} has the role ${roles[0]}`);
    if (token.token !== undefined && token.sha256 !== undefined)
      report.key([...at, 'sha256'], 'token and sha256 exclude each other');
    if (token.token === undefined && token.sha256 === undefined) report.value(at, 'either token or sha256 is required');
    const sha256 =
      token.sha256?.toLowerCase() ??
      createHash('sha256')
        .update(token.token ?? '')
        .digest('hex');
    if (digests.has(sha256)) report.value(at, 'another entry has the same token');
    names.set(token.name, [...roles, token.role]);
    digests.add(sha256);
    const isShort = token.token !== undefined && token.token.length < SHORTEST_SAFE;
    return { name: token.name, role: token.role, sha256, ...(isShort && { isShort }) };
  });
}
