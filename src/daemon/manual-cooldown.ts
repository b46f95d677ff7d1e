import { formatDuration, SECOND } from '../domain/time.ts';
import type { Duration, Instant } from '../domain/time.ts';
import type { RotationRecord } from '../ledger/records.ts';
import { Refusal } from './api.ts';

/**
 * Bounds how often people and pipelines may rotate one credential, by the ledger's own records, so that a restart does not
 * forget it. Whatever became of the last manual rotation, it counts.
 * @param rotations of the credential, those of the last `cooldown` among them. @param cooldown 0: nothing is refused.
 * @throws Refusal `too-soon`
 */
export function refuseWhereTooSoon(rotations: readonly RotationRecord[], cooldown: Duration, now: Instant): void {
  const starts = rotations.filter(({ trigger }) => trigger === 'manual').map(({ startedAt }) => startedAt);
  // a clock that was put back must not make it longer than it is
  const wait = Math.min(Math.max(...starts) + cooldown - now, cooldown);
  if (wait <= 0) return;
  throw new Refusal(
    'too-soon',
    `it was rotated by hand less than ${formatDuration(cooldown)} ago (limits.manualCooldown)`,
    { reason: 'manual-cooldown', retryAfter: Math.ceil(wait / SECOND) },
  );
}
