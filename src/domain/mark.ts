import type { Instant } from './time.ts';

/**
 * What rekeyd writes beside every entry, in the vault's own metadata. The binding to the value is the vault's matter:
 * see `EntryDescription.bound` in vaults/contract.ts.
 */
export interface Mark {
  readonly instance: string;
  readonly issuer: string;
  /** The clientId. */
  readonly credential: string;
  readonly generation: number;
  readonly secretId: string;
  readonly deliveredAt: Instant;
}

/** Who owns an entry: instance, issuer and credential. */
export type Owner = Pick<Mark, 'instance' | 'issuer' | 'credential'>;

/** 'Ours' means instance, issuer and credential all equal. */
export function isOurs(mark: Mark, owner: Owner): boolean {
  return mark.instance === owner.instance && mark.issuer === owner.issuer && mark.credential === owner.credential;
}

/** The order of what an entry may hold: (generation, secret id). Negative where `a` is older than `b`. */
export function compareMarks(
  a: Pick<Mark, 'generation' | 'secretId'>,
  b: Pick<Mark, 'generation' | 'secretId'>,
): number {
  if (a.generation !== b.generation) return a.generation - b.generation;
  return compareSecretIds(a.secretId, b.secretId);
}

/** Numeric ids are compared as numbers (Data8's are int32), others as text. */
export function compareSecretIds(a: string, b: string): number {
  if (a === b) return 0;
  if (/^\d+$/.test(a) && /^\d+$/.test(b)) return Number(BigInt(a) - BigInt(b));
  return a < b ? -1 : 1;
}
