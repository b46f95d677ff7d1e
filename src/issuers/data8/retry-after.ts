import type { Duration, Instant } from '../../domain/time.ts';
import { SECOND } from '../../domain/time.ts';

const HTTP_DATE = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;

/** Reads a date as HTTP writes it (RFC 9110, IMF-fixdate); null where it is none. Its resolution is a second. */
export function readHttpDate(text: string | null): Instant | null {
  if (text === null || !HTTP_DATE.test(text)) return null;
  const instant = Date.parse(text);
  return Number.isNaN(instant) ? null : instant;
}

/**
 * Reads `Retry-After`: seconds, or a date, which counts from the answer's own `Date` where it has one.
 * @returns milliseconds within [1 s, cap]: 0, the past and garbage give 1 s; null where the header is missing.
 */
export function readRetryAfter(header: string | null, answeredAt: Instant, cap: Duration): Duration | null {
  if (header === null) return null;
  const text = header.trim();
  const date = readHttpDate(text);
  const wanted = /^\d+(\.\d+)?$/.test(text) ? Number(text) * SECOND : date === null ? 0 : date - answeredAt;
  return Math.min(Math.max(wanted, SECOND), cap);
}
