import { HOUR, SECOND } from '../domain/time.ts';
import type { Duration } from '../domain/time.ts';

const FIRST: Duration = 5 * SECOND;
export const LONGEST_BACKOFF: Duration = HOUR;

/**
 * How long to wait after so many failures in a row: 5 s, doubling, at most an hour; the upper half of it is jitter.
 * @param jitter in [0, 1): drawn once by the caller, who stores the result, so that a restart does not draw again (I4).
 */
export function backoff(failures: number, jitter: number): Duration {
  const full = Math.min(LONGEST_BACKOFF, FIRST * 2 ** Math.min(20, Math.max(0, failures - 1)));
  return Math.round(full / 2 + (full / 2) * jitter);
}
