import { formatInstantOrNull } from '../domain/time.ts';
import type { Instant } from '../domain/time.ts';
import type { CredentialRecord, SecretRecord } from '../ledger/records.ts';
import { COVERAGE_LISTS, LONGEST_LIST } from './overview.ts';
import type { CoverageList, CoverageView } from './overview.ts';

type Lists = { -readonly [List in CoverageList]: CoverageView[List][number][] };

/** What nobody cares for, among these records. Ignored credentials are left out: that is what `ignore` is for. */
export async function coverageOf(records: AsyncIterable<CredentialRecord>, now: Instant): Promise<CoverageView> {
  const lists: Lists = { unmanaged: [], withoutDestination: [], expired: [], unknown: [], formerDestinations: [] };
  const totals = Object.fromEntries(COVERAGE_LISTS.map((list) => [list, 0])) as Record<CoverageList, number>;
  const add = <List extends CoverageList>(list: List, entry: Lists[List][number]): void => {
    totals[list] += 1;
    const entries: Lists[List][number][] = lists[list];
    if (entries.length < LONGEST_LIST) entries.push(entry);
  };
  for await (const record of records) {
    if (record.state === 'ignored') continue;
    const { issuer, clientId, name } = record;
    const named = { issuer, clientId, name };
    const isGone = record.goneSince !== null;
    if (!isGone && record.state === 'unmanaged') add('unmanaged', named);
    const present = record.destinations.filter((each) => !each.former);
    if (!isGone && record.state !== 'unmanaged' && present.length === 0) add('withoutDestination', named);
    for (const secret of record.secrets) {
      if (isGone || secret.missingSince !== null) continue;
      const { secretId, role, expires } = secret;
      const view = { ...named, secretId, role, expires: formatInstantOrNull(expires) };
      if (expires !== null && expires <= now) add('expired', view);
      else if (isUnknown(secret, record)) add('unknown', view);
    }
    for (const { vault, entry, state, former } of record.destinations) {
      if (former || isGone) add('formerDestinations', { ...named, vault, entry, state });
    }
  }
  return { totals, ...lists };
}

/** Made by hand or by a stranger, and nothing that rekeyd knows of serves it. Where no rule manages, all are by hand. */
function isUnknown({ secretId, role }: SecretRecord, { destinations, state }: CredentialRecord): boolean {
  if (state === 'unmanaged' || (role !== 'unmanaged' && role !== 'orphan')) return false;
  return !destinations.some((each) => each.secretId === secretId || each.adopted?.secretId === secretId);
}
