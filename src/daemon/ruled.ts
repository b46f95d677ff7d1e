import { termsDigest } from '../config/match.ts';
import type { CredentialRecord } from '../ledger/records.ts';

const NO_RULE = termsDigest({ kind: 'unmanaged' }, { mode: 'active', vaults: new Map() });

/**
 * Whether a rule speaks of it, as of its last look. A policy that is written in its rule has no name, and our own client may be
 * failing though no rule matches it: neither `policy` nor `state` alone tells.
 */
export function isRuled({ state, terms }: Pick<CredentialRecord, 'state' | 'terms'>): boolean {
  return state !== 'unmanaged' && terms !== NO_RULE;
}
