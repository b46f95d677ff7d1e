/** Milliseconds since the Unix epoch, UTC. All times inside rekeyd are of this type. */
export type Instant = number;

/** A length of time in milliseconds. */
export type Duration = number;

export const SECOND: Duration = 1_000;
export const MINUTE: Duration = 60 * SECOND;
export const HOUR: Duration = 60 * MINUTE;
export const DAY: Duration = 24 * HOUR;

const UNITS: Readonly<Record<string, Duration>> = { ms: 1, s: SECOND, m: MINUTE, h: HOUR, d: DAY };

/**
 * Reads a duration such as `45s`, `15m`, `36h`, `90d` (also `250ms`, for tests and demos).
 * @returns milliseconds, or null where the text is not a duration; it does not throw.
 */
export function parseDuration(text: string): Duration | null {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text);
  if (match === null) return null;
  const milliseconds = Number(match[1]) * (UNITS[match[2] ?? ''] ?? Number.NaN);
  return Number.isSafeInteger(Math.round(milliseconds)) ? Math.round(milliseconds) : null;
}

/** Writes a duration in the largest unit that divides it: 5400000 is `90m`. The inverse of {@link parseDuration}. */
export function formatDuration(duration: Duration): string {
  if (duration === 0) return '0s';
  for (const unit of ['d', 'h', 'm', 's'] as const) {
    const size = UNITS[unit] ?? 1;
    if (duration >= size && duration % size === 0) return `${duration / size}${unit}`;
  }
  return `${duration}ms`;
}

/** Writes a time as RFC 3339, UTC, with milliseconds. */
export function formatInstant(instant: Instant): string {
  return new Date(instant).toISOString();
}

/** As {@link formatInstant}; null stays null (never). */
export function formatInstantOrNull(instant: Instant | null): string | null {
  return instant === null ? null : formatInstant(instant);
}
