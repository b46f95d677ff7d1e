import { rotationRoom, urgentLead } from '../config/policy-times.ts';
import type { Policy } from '../config/settings.ts';
import type { Terms } from '../config/terms.ts';
import type { Reason } from '../domain/reason.ts';
import type { Duration, Instant } from '../domain/time.ts';
import type { IssuerTiming } from '../issuers/contract.ts';
import type { Situation } from './decision.ts';
import { needOf } from './need.ts';
import type { Observation } from './observation.ts';
import { queuedOf } from './queued.ts';

/** When a rotation that nobody asked for begins. */
export interface Start {
  readonly at: Instant;
  /** False: outside of every window, because none comes in time. */
  readonly inWindow: boolean;
}

/** What comes by the calendar waits for a window. What mends a destination that lacks its secret does not. */
const BY_CALENDAR: ReadonlySet<Reason> = new Set(['expiring', 'max-age', 'initial']);

/** When the rotation that is wanted now begins; null: none is, a person asked for it, or it has no windows. */
export function wantedStart(situation: Situation, now = situation.observation.now): Start | null {
  const { observation, record } = situation;
  const { terms, skew } = observation;
  const need = needOf(situation);
  if (need === null || queuedOf(situation) !== null) return null;
  if (terms.kind !== 'managed' || terms.policy.windows === null) return null;
  if (!BY_CALENDAR.has(need.reason)) {
    return { at: now, inWindow: terms.policy.windows.opening(now, rotationRoom(terms.policy)) === now };
  }
  const expires = record.current?.expires ?? null;
  return startOf(terms.policy, now, expires === null ? null : expires - (skew ?? 0));
}

/**
 * When a renewal that is due at `due` begins: in the first window that has room for a rotation, if the served secret is not
 * urgent before it opens. If it is, then; and where no window comes before it ends, at once.
 * @param expires the served secret's end, by the same clock as `due`; null: never.
 */
export function startOf(policy: Policy, due: Instant, expires: Instant | null): Start {
  if (policy.windows === null) return { at: due, inWindow: true };
  const room = rotationRoom(policy);
  const opening = policy.windows.opening(due, room);
  if (opening === null) return { at: due, inWindow: false };
  if (expires === null) return { at: opening, inWindow: true };
  const urgent = Math.max(due, expires - urgentLead(policy));
  if (opening <= urgent) return { at: opening, inWindow: true };
  return { at: opening > expires - room ? due : urgent, inWindow: false };
}

/**
 * From when a superseded secret that may go at `at` is deleted: in the first window that has room for it. Null: its windows
 * never have. Where no rule says otherwise, at once.
 */
export function retirementOpening(terms: Terms, timing: IssuerTiming, at: Instant, more: Duration = 0): Instant | null {
  if (terms.kind !== 'managed' || terms.policy.windows === null) return at;
  return terms.policy.windows.opening(at, retirementRoom(timing) + more);
}

/** As {@link retirementOpening}, from now on, and by our clock as well as the issuer's: it is told by the earlier one. */
export function nextRetirement(observation: Observation, now: Instant): { at: Instant | null; isNow: boolean } {
  const { terms, timing, skew } = observation;
  const ahead = skew ?? 0;
  const earlier = now + Math.min(0, ahead);
  const at = retirementOpening(terms, timing, earlier, Math.min(Math.abs(ahead), timing.maxClockSkew));
  return { at, isNow: at === earlier };
}

/** What a deletion needs of its window: time for the call, and as much again in which one that was given up may land. */
function retirementRoom({ requestLifetime }: IssuerTiming): Duration {
  return 2 * requestLifetime;
}

/** When a DELETE that goes out now is given up at the latest, so that it lands while its window is open; null: never. */
export function deletionDeadline({ terms, timing, skew }: Observation, now: Instant): Instant | null {
  if (terms.kind !== 'managed' || terms.policy.windows === null) return null;
  const later = Math.max(0, skew ?? 0);
  const stretch = terms.policy.windows.stretch(now + later, 2 * retirementRoom(timing));
  const closes = stretch === null || stretch.opens > now + later ? now + later : stretch.closes;
  return closes - later - timing.requestLifetime;
}
