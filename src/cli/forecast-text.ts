import type { ForecastView } from '../daemon/overview.ts';
import type { Instant } from '../domain/time.ts';
import { table } from './table.ts';
import { relativeTo } from './when.ts';

/** A forecast as tables: what comes, soonest first; how much on each day; hours that are too full; the totals. */
export function forecastText({ items, days, bunched, totals }: ForecastView, now: Instant): string {
  const rows = items.map((item) => [
    `${item.issuer}/${item.clientId}`,
    item.name,
    item.action,
    relativeTo(now, item.at, ''),
    item.held ?? '',
    item.outsideWindows ? 'none fits' : '',
    item.secretId ?? '',
    item.destinations.map(({ vault, entry }) => `${vault}:${entry}`).join(' '),
  ]);
  const parts = [table(['CREDENTIAL', 'NAME', 'ACTION', 'WHEN', 'HELD', 'WINDOW', 'SECRET', 'DESTINATIONS'], rows)];
  if (days.length > 0) {
    const counts = days.map((day) => [day.date, String(day.rotations), String(day.deletions)]);
    parts.push(table(['DAY', 'ROTATIONS', 'DELETIONS'], counts));
  }
  if (bunched.length > 0) {
    const full = bunched.map((each) => [each.hour, String(each.rotations)]);
    parts.push(table(['TOO MANY FOR AN HOUR', 'ROTATIONS'], full));
  }
  const counts = `rotations ${totals.rotations}, deletions ${totals.deletions}, held ${totals.held}`;
  return `${parts.join('\n')}\ntotals: ${counts}, outside of windows ${totals.outsideWindows}\n`;
}
