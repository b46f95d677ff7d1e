import type { Duration, Instant } from '../domain/time.ts';
import { HttpProblem } from './problem.ts';

/** What `until` may be, as read by input.ts: of a pause, or of another level of the log. */
export type Until = { readonly at: Instant } | { readonly after: Duration } | null | undefined;

/**
 * When what was asked for ends; null: not by itself, or nobody says.
 * @throws HttpProblem `invalid` for a time that is past.
 */
export function endOf(until: Until, now: Instant): Instant | null {
  if (until === null || until === undefined) return null;
  if ('after' in until) return now + until.after;
  if (until.at > now) return until.at;
  throw new HttpProblem('invalid', 'See `errors` for each place that is not valid.', {
    errors: [{ in: 'body', key: 'until', message: 'must be in the future' }],
  });
}
