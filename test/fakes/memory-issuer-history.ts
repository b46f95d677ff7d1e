import type { Instant } from '../../src/domain/time.ts';
import type { ListedSecret } from '../../src/issuers/contract.ts';

export interface Version {
  /** By our clock; `skew` moves only what the issuer means by now. */
  readonly from: Instant;
  readonly expires: Instant | null;
  readonly description: string;
}

export interface StoredSecret {
  readonly secretId: string;
  readonly value: string;
  readonly createdAt: Instant;
  readonly versions: Version[];
  deletedAt: Instant | null;
}

export interface StoredCredential {
  readonly clientId: string;
  readonly createdAt: Instant;
  readonly descriptions: { from: Instant; description: string }[];
  readonly secrets: Map<string, StoredSecret>;
  deletedAt: Instant | null;
}

export function existed(thing: { createdAt: Instant; deletedAt: Instant | null }, at: Instant): boolean {
  return thing.createdAt <= at && (thing.deletedAt === null || thing.deletedAt > at);
}

export function asOf<T extends { from: Instant }>(versions: readonly T[], at: Instant): T {
  return versions.findLast((version) => version.from <= at) ?? latest(versions);
}

export function latest<T>(versions: readonly T[]): T {
  const last = versions.at(-1);
  if (last === undefined) throw new Error('a history is never empty');
  return last;
}

export function listed(secretId: string, version: Version): ListedSecret {
  return { secretId, expires: version.expires, description: version.description };
}

export function shown(secret: StoredSecret): ListedSecret {
  return listed(secret.secretId, latest(secret.versions));
}
