import type { Mode } from '../config/settings.ts';
import type { ManagedTerms } from '../config/terms.ts';
import { DAY, formatInstant, HOUR } from '../domain/time.ts';
import type { Instant } from '../domain/time.ts';
import type { CredentialRecord } from '../ledger/records.ts';
import type { IssuerTiming } from '../issuers/contract.ts';
import { activePause } from '../rotation/pauses.ts';
import { retirementOpening, startOf } from '../rotation/windows.ts';
import type { ForecastItem, ForecastView } from './overview.ts';

export interface ForecastTerms {
  readonly now: Instant;
  readonly days: number;
  /** Of the items that are given back. */
  readonly limit: number;
  readonly rotationsPerHour: number;
  /** The rule that manages a credential; null: none does. */
  termsOf(record: CredentialRecord): ManagedTerms | null;
  timingOf(issuer: string): IssuerTiming;
  /** `no-delete` holds deletions; `observe` is forecast as if it were `active`, as the plan is. */
  readonly mode: Mode;
  /** The end of a pause is not foreseen. */
  readonly pausedAll: boolean;
}

type Dated = Omit<ForecastItem, 'at'> & { readonly at: Instant };

/**
 * What comes due by itself: of each credential the next rotation, the deletion of what it replaces, and deletions whose
 * grace runs, each at the first time that its maintenance windows allow. What is overdue counts as due now. Later rotations, and what people or failures will change, are not in it.
 */
export async function forecastOf(
  records: AsyncIterable<CredentialRecord>,
  terms: ForecastTerms,
): Promise<ForecastView> {
  const { now, limit, rotationsPerHour } = terms;
  const until = now + terms.days * DAY;
  const items: Dated[] = [];
  for await (const record of records) {
    for (const item of itemsOf(record, terms)) if (item.at <= until) items.push(item);
  }
  items.sort((a, b) => a.at - b.at);
  const rotations = items.filter((each) => each.action === 'issue');
  const hours = countBy(rotations, (each) => formatInstant(each.at - (each.at % HOUR)));
  const rotationDays = countBy(rotations, dateOf);
  const allDays = countBy(items, dateOf);
  return {
    from: formatInstant(now),
    to: formatInstant(until),
    totals: {
      rotations: rotations.length,
      deletions: items.length - rotations.length,
      held: items.filter((each) => each.held !== null).length,
      outsideWindows: items.filter((each) => each.outsideWindows).length,
    },
    days: [...allDays].map(([date, count]) => {
      const starting = rotationDays.get(date) ?? 0;
      return { date, rotations: starting, deletions: count - starting };
    }),
    bunched: [...hours].filter(([, count]) => count > rotationsPerHour).map(([hour, n]) => ({ hour, rotations: n })),
    items: items.slice(0, limit).map((each) => ({ ...each, at: formatInstant(each.at) })),
  };
}

function itemsOf(record: CredentialRecord, terms: ForecastTerms): Dated[] {
  const rule = terms.termsOf(record);
  if (rule === null || record.goneSince !== null) return [];
  const { now } = terms;
  const { policy } = rule;
  const deletion = (from: Instant) => {
    const at = retirementOpening(rule, terms.timingOf(record.issuer), from);
    return { action: 'retire' as const, at: at ?? from, outsideWindows: at === null };
  };
  const { issuer, clientId, name } = record;
  const destinations = record.destinations.filter((each) => !each.former).map(({ vault, entry }) => ({ vault, entry }));
  const base = { issuer, clientId, name, destinations };
  const paused = terms.pausedAll || activePause(record.pause, now) !== null ? 'paused' : null;
  const held = paused ?? (record.state === 'blocked' || record.state === 'paused' ? record.reason : null);
  const kept = paused ?? (terms.mode === 'no-delete' ? 'mode-no-delete' : null);
  const byRule = policy.retire === 'manual' ? 'retire-manual' : null;
  const items: Dated[] = record.secrets
    .filter((each) => each.role === 'superseded' && each.missingSince === null)
    .map((each) => ({
      ...base,
      ...deletion(Math.max(now, each.deleteAfter ?? now)),
      held: each.deleteAfter === null ? 'still-served' : (kept ?? (each.retireRequested ? null : byRule)),
      secretId: each.secretId,
    }));
  if (record.renewAt === null) return items;
  const start = startOf(policy, Math.max(now, record.renewAt), record.current?.expires ?? null);
  const secretId = record.current?.secretId ?? null;
  return [
    ...items,
    { ...base, action: 'issue', at: start.at, outsideWindows: !start.inWindow, held, secretId: null },
    { ...base, ...deletion(start.at + policy.grace), held: held ?? kept ?? byRule, secretId },
  ];
}

function dateOf({ at }: Dated): string {
  return formatInstant(at).slice(0, 10);
}

function countBy(items: readonly Dated[], key: (item: Dated) => string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(key(item), (counts.get(key(item)) ?? 0) + 1);
  return counts;
}
