import { DAY, MINUTE } from '../domain/time.ts';
import type { Duration } from '../domain/time.ts';
import type { Policy } from './settings.ts';

/** How long before its end a served secret is urgent: 24 h, or a quarter of `renewBefore`, whichever is less. */
export function urgentLead({ renewBefore }: Pick<Policy, 'renewBefore'>): Duration {
  return Math.min(DAY, renewBefore / 4);
}

/** What a rotation needs of a maintenance window to be delivered in it: time to be verified, and to settle. */
export function rotationRoom({ verify }: Pick<Policy, 'verify'>): Duration {
  return Math.max(MINUTE, verify.method === 'none' ? 0 : verify.timeout + verify.settle);
}
