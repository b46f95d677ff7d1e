import type { Terms } from '../config/terms.ts';
import type { CredentialRecord } from '../ledger/records.ts';

/** The digest of its terms is their kind, where that is all that there is to them. */
const NO_RULE: Terms['kind'] = 'unmanaged';

/**
 * Whether a rule speaks of it, as of its last look. A policy that is written in its rule has no name, and our own client may be
 * failing though no rule matches it: neither `policy` nor `state` alone tells.
 */
export function isRuled({ state, terms }: Pick<CredentialRecord, 'state' | 'terms'>): boolean {
  return state !== 'unmanaged' && terms !== NO_RULE;
}
