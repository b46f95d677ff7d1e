import { urgentLead } from '../config/policy-times.ts';
import type { Policy } from '../config/settings.ts';
import { birthOf } from '../domain/marker.ts';
import { HOUR } from '../domain/time.ts';
import type { Duration, Instant } from '../domain/time.ts';

/** What is known of the life of a served secret. */
export interface Life {
  /** Null: it never expires. */
  readonly expires: Instant | null;
  /** Null: unknown; then the window is not shrunk. */
  readonly birth: Instant | null;
  /** Since when it is surely there: its birth, else its delivery, else first sight. Its age is counted from it. */
  readonly since: Instant | null;
}

/**
 * When a secret is to be replaced: `renewBefore` ahead of its end, the window shrunk in proportion where the issuer gave
 * less than `lifetime` (I13), and no later than `maxAge` after its birth. Null: never.
 */
export function renewalOf(life: Life, policy: Policy): { at: Instant; reason: 'expiring' | 'max-age' } | null {
  const byExpiry = life.expires === null ? null : life.expires - windowOf(life.expires, life.birth, policy);
  const byAge = policy.maxAge === null || life.since === null ? null : life.since + policy.maxAge;
  if (byAge !== null && (byExpiry === null || byAge < byExpiry)) return { at: byAge, reason: 'max-age' };
  return byExpiry === null ? null : { at: byExpiry, reason: 'expiring' };
}

function windowOf(expires: Instant, birth: Instant | null, policy: Policy): Duration {
  if (birth === null) return policy.renewBefore;
  const share = Math.min(1, Math.max(0, expires - birth) / policy.lifetime);
  return Math.round(policy.renewBefore * share);
}

/** Urgent: the served secret is dead, or ends within 24 h or a quarter of `renewBefore`, whichever is less. */
export function isUrgent(expires: Instant | null, issuerNow: Instant, policy: Policy): boolean {
  return expires !== null && expires - issuerNow <= urgentLead(policy);
}

/** How much longer a served secret must live so that another may be deleted: an hour, or a tenth of `renewBefore`. */
export function lastingLife(policy: Pick<Policy, 'renewBefore'> | null): Duration {
  return policy === null ? HOUR : Math.min(HOUR, Math.round(policy.renewBefore / 10));
}

/** How long a rotation may take at the most: a younger unknown secret of ours may be another replica's, in flight. */
export function longestRotation(policy: Policy, requestLifetime: Duration): Duration {
  return policy.verify.timeout + policy.verify.settle + 2 * requestLifetime;
}

/** The birth of a secret: the time in its rotation id. */
export function birthOrNull(rotationId: string | null): Instant | null {
  return rotationId === null ? null : birthOf(rotationId);
}
