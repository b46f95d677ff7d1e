import type { Instant } from '../../domain/time.ts';

const TIMESTAMP =
  /^(\d{4})-(\d{2})-(\d{2})[Tt ](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,18}))?(?:([Zz])|([+-])(\d{2}):?(\d{2}))?$/;

/** The first time that is not written as a date: from here on it means never. */
const NEVER_FROM = Date.UTC(9999, 11, 31);

/** A timestamp as the API means it: an instant, never, or not a timestamp at all. */
export type ReadTimestamp =
  { readonly kind: 'instant'; readonly at: Instant } | { readonly kind: 'never' } | { readonly kind: 'malformed' };

const NEVER = { kind: 'never' } as const;
const MALFORMED = { kind: 'malformed' } as const;

/**
 * Reads a timestamp of the API. Null and missing mean never, and so do .NET's smallest and largest dates
 * (0001-01-01, 9999-12-31). No zone means UTC. Fractions have any number of digits; what is finer than a millisecond
 * is cut off. It does not throw.
 */
export function readTimestamp(value: unknown): ReadTimestamp {
  if (value === null || value === undefined) return NEVER;
  const match = typeof value === 'string' ? TIMESTAMP.exec(value) : null;
  if (match === null) return MALFORMED;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  if (hour > 23 || minute > 59 || second > 59) return MALFORMED;
  // Date.UTC takes the years 0 to 99 for 1900 to 1999, and lets 31 February be 3 March.
  const local = Date.UTC(year + 10_000, month - 1, day);
  if (new Date(local).getUTCMonth() !== month - 1 || new Date(local).getUTCDate() !== day) return MALFORMED;
  if (year <= 1 || (year === 9999 && month === 12 && day === 31)) return NEVER;
  if (year < 100) return MALFORMED;
  const offset = readOffset(match[9], match[10], match[11]);
  if (offset === null) return MALFORMED;
  const fraction = Number((match[7] ?? '').slice(0, 3).padEnd(3, '0'));
  return { kind: 'instant', at: Date.UTC(year, month - 1, day, hour, minute, second, fraction) - offset };
}

/** Minutes east of Greenwich, in milliseconds; null where there is no such zone. */
function readOffset(sign: string | undefined, hours = '0', minutes = '0'): number | null {
  if (Number(hours) > 14 || Number(minutes) > 59) return null;
  return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000;
}

/** Writes a timestamp as the API does: 7 fraction digits and `Z`; null is never. The inverse of {@link readTimestamp}. */
export function writeTimestamp(instant: Instant | null): string | null {
  if (instant === null || instant >= NEVER_FROM) return null;
  return new Date(instant).toISOString().replace('Z', '0000Z');
}
