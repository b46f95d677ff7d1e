import { DAY, HOUR, MINUTE, SECOND } from '../domain/time.ts';
import type { Instant } from '../domain/time.ts';

const UNITS = [
  ['d', DAY],
  ['h', HOUR],
  ['m', MINUTE],
  ['s', SECOND],
] as const;

/** A time as people say it: `in 29d`, `3h ago`, `now`. Under three of a unit, the next smaller one is told as well: `in 1d 4h`. */
export function relative(at: Instant, now: Instant): string {
  const distance = Math.abs(at - now);
  if (distance < SECOND) return 'now';
  const text = span(distance);
  return at > now ? `in ${text}` : `${text} ago`;
}

/** {@link relative} of a time as the API writes it; `none` (default `never`) for null. */
export function relativeTo(now: Instant, at: string | null, none = 'never'): string {
  return at === null ? none : relative(Date.parse(at), now);
}

function span(distance: number): string {
  for (const [index, [unit, size]] of UNITS.entries()) {
    if (distance < size) continue;
    const count = Math.floor(distance / size);
    const [smaller, smallerSize] = UNITS[index + 1] ?? ['', 0];
    const rest = smallerSize === 0 ? 0 : Math.floor((distance % size) / smallerSize);
    return count < 3 && rest > 0 ? `${count}${unit} ${rest}${smaller}` : `${count}${unit}`;
  }
  return '0s';
}
