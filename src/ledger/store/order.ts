import type { Instant } from '../../domain/time.ts';
import type { CredentialKey } from '../records.ts';

/**
 * Orders texts by their code points, which is the order of their UTF-8 bytes and so the one that databases keep. `<`
 * compares UTF-16 units, and puts an emoji before U+FFFD.
 */
export function compareText(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at += 1) {
    const left = a.charCodeAt(at);
    const right = b.charCodeAt(at);
    if (left !== right) return codePointRank(left) - codePointRank(right);
  }
  return a.length - b.length;
}

/** Moves surrogates (they stand for code points above U+FFFF) behind all other units. */
function codePointRank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}

/** The order of credentials: (issuer, clientId). */
export function compareKeys(a: CredentialKey, b: CredentialKey): number {
  return compareText(a.issuer, b.issuer) || compareText(a.clientId, b.clientId);
}

/** The order of rotations: the last started first; those of one moment by id. */
export function compareNewestFirst(a: RotationPlace, b: RotationPlace): number {
  return b.startedAt - a.startedAt || compareText(b.id, a.id);
}

interface RotationPlace {
  readonly startedAt: Instant;
  readonly id: string;
}
