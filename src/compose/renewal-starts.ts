import { createMatcher } from '../config/match.ts';
import type { Instant } from '../domain/time.ts';
import type { CredentialRecord } from '../ledger/records.ts';
import { startOf } from '../rotation/windows.ts';
import type { World } from '../rotation/world.ts';

/**
 * From when the maintenance windows of these settings let the renewal of a credential begin: the first time since it was
 * due. Null: it has no windows, or is never due.
 */
export function renewalStarts({
  settings,
  vaultTypes,
}: Pick<World, 'settings' | 'vaultTypes'>): (record: CredentialRecord) => Instant | null {
  // matching each credential at each scrape is for those alone who have windows
  if (settings.rules.every(({ policy }) => policy.windows === null)) return () => null;
  const match = createMatcher(settings, vaultTypes);
  return (record) => {
    const terms = match(record.issuer, record);
    if (record.renewAt === null || terms.kind !== 'managed' || terms.policy.windows === null) return null;
    return startOf(terms.policy, record.renewAt, record.current?.expires ?? null).at;
  };
}
