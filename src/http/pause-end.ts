import type { Duration, Instant } from '../domain/time.ts';
import { HttpProblem } from './problem.ts';

/** What `until` of a pause may be, as read by input.ts. */
export type PauseUntil = { readonly at: Instant } | { readonly after: Duration } | null | undefined;

/**
 * When a pause ends; null: not by itself.
 * @throws HttpProblem `invalid` for a time that is past.
 */
export function pauseEnd(until: PauseUntil, now: Instant): Instant | null {
  if (until === null || until === undefined) return null;
  if ('after' in until) return now + until.after;
  if (until.at > now) return until.at;
  throw new HttpProblem('invalid', 'See `errors` for each place that is not valid.', {
    errors: [{ in: 'body', key: 'until', message: 'must be in the future' }],
  });
}
