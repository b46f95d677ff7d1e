import { MINUTE } from '../domain/time.ts';
import type { Duration, Instant } from '../domain/time.ts';
import type { CredentialRecord, RotationRecord } from '../ledger/records.ts';
import { backoff } from './backoff.ts';
import { laterTime } from './observation.ts';
import type { Observation } from './observation.ts';
import { LONGEST_LEASE } from './tenure.ts';

/** So far may the clock be ahead of ours of another process that works on the same ledger. */
const PEER_AHEAD: Duration = 10 * MINUTE;

/**
 * Everywhere here `now` is the later of our clock and the issuer's, see laterTime: where ours is the one that is wrong, and
 * behind, what others dated is right.
 */

/** Whether a time that was set at most `longest` ahead is further away than that: by a clock that was ahead itself (P8). */
export function isDatedAhead(at: Instant, now: Instant, longest: Duration): boolean {
  return at > now + longest + PEER_AHEAD;
}

/**
 * Until when a person's request waits for what failed before. Null: it need not; nor for a time of a clock that was ahead,
 * which no request but only a look puts right.
 */
export function retryTime(
  { failures, retryAt }: Pick<CredentialRecord, 'failures' | 'retryAt'>,
  clocks: Pick<Observation, 'now' | 'skew'>,
): Instant | null {
  const now = laterTime(clocks);
  return retryAt !== null && isDatedAhead(retryAt, now, backoff(failures, 1)) ? null : retryAt;
}

/**
 * A record without the times of a clock that was ahead. What was noted happened by now, and each wait begins anew, in full;
 * dates of deletions, and first sights, which they are counted from, stay as they are. The look that uses it stores it. Pure.
 */
export function redateRecord(record: CredentialRecord, now: Instant, listLag: Duration): CredentialRecord {
  const { unmarked } = record;
  const restored = Math.max(listLag, backoff(unmarked?.attempts ?? 0, 1));
  return {
    ...record,
    retryAt: pulledBack(record.retryAt, now, backoff(record.failures, 1)),
    unmarked: unmarked === null ? null : { ...unmarked, retryAt: pulledBack(unmarked.retryAt, now, restored) },
    secrets: record.secrets.map((each) => ({
      ...each,
      missingSince: pulledBack(each.missingSince, now, 0),
      deletingSince: pulledBack(each.deletingSince, now, 0),
    })),
  };
}

/**
 * A rotation without the times of a clock that was ahead: its creation was sent, and its lease taken, by now. It is to be
 * stored as soon as it is seen, or both waits would begin anew with each look. Pure.
 * @returns the very same one where it has none
 */
export function redateRotation(rotation: RotationRecord, now: Instant): RotationRecord {
  const leaseUntil = pulledBack(rotation.leaseUntil, now, LONGEST_LEASE);
  const sentAt = pulledBack(rotation.sentAt, now, 0);
  const isSame = leaseUntil === rotation.leaseUntil && sentAt === rotation.sentAt;
  return isSame ? rotation : { ...rotation, leaseUntil, sentAt };
}

function pulledBack<At extends Instant | null>(at: At, now: Instant, longest: Duration): At | Instant {
  return at !== null && isDatedAhead(at, now, longest) ? now + longest : at;
}
