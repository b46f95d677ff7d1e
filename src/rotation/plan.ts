import type { CredentialState } from '../domain/credential-state.ts';
import type { Reason } from '../domain/reason.ts';
import { isInFlight } from '../domain/rotation-state.ts';
import { HOUR, MINUTE, SECOND } from '../domain/time.ts';
import type { Duration, Instant } from '../domain/time.ts';
import type { CredentialRecord } from '../ledger/records.ts';
import { claimChecks } from './checks/claims.ts';
import { issuingChecks } from './checks/issuing.ts';
import { repairChecks, runningDeliveryCheck } from './checks/repair.ts';
import { holdChecks, standingChecks } from './checks/standing.ts';
import { deletionCheckedAt, leftoverFrom, plannedRetirements, tidyingChecks } from './checks/tidying.ts';
import { earliest } from './decision.ts';
import type { Check, Decision, Plan, Situation, Verdict } from './decision.ts';
import { isFailingDelivery } from './failed-delivery.ts';
import { needOf } from './need.ts';
import { issuerTime } from './observation.ts';
import type { Observation } from './observation.ts';
import { pauseOf } from './pauses.ts';

/** The plan: the checks in their order, first match wins. A test holds this order to docs/architecture.md. */
export const CHECKS: readonly Check[] = [
  ...standingChecks,
  ...tidyingChecks,
  runningDeliveryCheck,
  ...holdChecks,
  ...claimChecks,
  ...repairChecks,
  ...issuingChecks,
];

/** What to do now. Pure: the same situation gives the same plan. */
export function plan(situation: Situation): Plan {
  const decision = decide(situation);
  const state = stateOf(situation, decision);
  return {
    decision,
    state,
    reason: reasonOf(situation, decision, state),
    urgent: needOf(situation)?.urgent ?? false,
    dueAt: nextDue(situation, decision),
    retirements: plannedRetirements(situation),
  };
}

/** Every check in order with what it saw, up to the one that decided. */
export function trace(situation: Situation): { check: string; verdict: Verdict | null }[] {
  let decided = false;
  return CHECKS.map((check) => {
    if (decided) return { check: check.name, verdict: null };
    const verdict = underMode(situation, check.look(situation));
    decided = verdict.decision !== null;
    return { check: check.name, verdict };
  });
}

function decide(situation: Situation): Decision {
  for (const check of CHECKS) {
    const { decision } = underMode(situation, check.look(situation));
    if (decision !== null) return decision;
  }
  return { action: 'none', reason: 'up-to-date', held: null, dueAt: null, wanted: null };
}

/** Mode `observe`: whatever was decided is told, and not done. */
function underMode({ observation }: Situation, verdict: Verdict): Verdict {
  const { decision } = verdict;
  if (observation.mode !== 'observe' || decision === null || decision.action === 'none') return verdict;
  const saw = `${verdict.saw}; mode is observe, nothing is changed`;
  const held: Decision = { action: 'none', reason: 'mode-observe', held: null, dueAt: null, wanted: decision.reason };
  return { saw, decision: held, unblock: 'set `mode: active`' };
}

/** The first state that holds, in the order of the closed list. */
function stateOf(situation: Situation, decision: Decision): CredentialState {
  const { observation, record, rotations } = situation;
  const held = decision.action === 'none' ? decision.held : null;
  if (observation.terms.kind === 'ignored') return 'ignored';
  if (observation.terms.kind === 'unmanaged') {
    return held === 'failing' && decision.reason === 'expiring' ? 'failing' : 'unmanaged';
  }
  if (observation.terms.suspended || pauseOf(situation) !== null) return 'paused';
  if (held === 'blocked') return 'blocked';
  if (held === 'failing' || (record.failures > 0 && !isAtRest(observation, record, decision))) return 'failing';
  if (rotations.some(isFailingDelivery) || record.secrets.some((each) => each.deleteFailures > 0)) return 'failing';
  if (record.unmarked !== null && (record.unmarked.attempts > 1 || record.unmarked.error !== null)) return 'failing';
  if (decision.action === 'issue' || rotations.some((each) => isInFlight(each.state))) return 'rotating';
  if (record.secrets.some((each) => each.role === 'superseded')) return 'grace';
  if (decision.action !== 'none' || decision.wanted !== null || needOf(situation) !== null) return 'due';
  return 'ok';
}

/**
 * Nothing is wanted any more, by a rule that was changed or a person's hand: what failed before is not tried again. It is
 * told until it may be asked for again, though: whoever asked for it looks just then. Nor is anything tried again where
 * something else waits for its window since.
 */
function isAtRest({ now, record: before }: Observation, { retryAt }: CredentialRecord, decision: Decision): boolean {
  if (decision.action !== 'none') return false;
  if (decision.reason === 'up-to-date') return retryAt === null || retryAt <= now;
  return decision.reason === 'outside-window' && before.state !== 'failing';
}

/**
 * Why it is in that state: one that is failing says what the last attempt failed of, not that it waits; one in grace what its
 * old secret waits for, first of all one that does not go by itself.
 */
function reasonOf(situation: Situation, decision: Decision, state: CredentialState): Reason {
  const { record } = situation;
  const { reason } = decision;
  if (state === 'grace' && reason === 'up-to-date') {
    const retirements = plannedRetirements(situation);
    const shown = retirements.find(({ at }) => at === null) ?? retirements[0];
    // of none that is listed still
    return shown?.reason ?? 'confirming-deletion';
  }
  const told = decision.action === 'none' && decision.held === 'failing' && reason !== 'backoff';
  return state === 'failing' && !told ? (record.lastReason ?? reason) : reason;
}

/** When to look again, besides the full look: everything that has a date. */
function nextDue(situation: Situation, decision: Decision): Instant | null {
  const { observation, record, rotations } = situation;
  const { now, skew, timing } = observation;
  if (decision.action !== 'none') return now;
  // of one that is ignored or gone nothing can be done: a full look sees whether that has changed
  if (decision.reason === 'ignored' || decision.reason === 'credential-gone') return null;
  const own = record.secrets.filter((each) => each.rotationId !== null && each.role !== 'current');
  const dates = [
    decision.dueAt,
    record.renewAt === null ? null : record.renewAt - (skew ?? 0),
    record.pause?.until,
    record.retryAt,
    record.unmarked?.retryAt,
    // by the later of the two clocks: see dueToRetire
    ...plannedRetirements(situation).map(({ at }) => (at === null ? null : at - Math.min(0, skew ?? 0))),
    ...own.map((each) => (each.expires === null ? null : each.expires - (skew ?? 0) + SECOND)),
    ...own.map((each) => leftoverFrom(each, rotations) - (skew ?? 0) + SECOND).filter(Number.isFinite),
    ...record.secrets.map((each) => (each.missingSince === null ? null : each.missingSince + timing.listLag)),
    ...record.secrets.map((each) => (each.deletingSince === null ? null : deletionCheckedAt(each, timing.listLag))),
    ...rotations.map((each) => each.watchUntil),
  ];
  const ahead = earliest(dates.filter((each) => each != null && each > now));
  const again = waitsForOthers(situation, decision) ? now + retrySoon(situation) : null;
  return earliest([ahead, again]);
}

/** Something failed or a proof does not hold yet, and no date says when to try again. */
function waitsForOthers(situation: Situation, decision: Decision): boolean {
  // what is blocked waits for a person or a limit: the full look sees when it is freed
  if (decision.action === 'none' && decision.held === 'failing' && decision.dueAt === null) return true;
  const retirable = plannedRetirements(situation);
  return retirable.some((each) => each.at === null && WAITING_REASONS.has(each.reason)) || hasLateWork(situation);
}

const WAITING_REASONS: ReadonlySet<string> = new Set(['destination-unproven', 'still-served', 'issuer-failed']);

/** A date that has passed while something held the work back. */
function hasLateWork({ observation, record, rotations }: Situation): boolean {
  const now = issuerTime(observation);
  return record.secrets.some(
    (each) =>
      each.role === 'orphan' &&
      (rotations.some((rotation) => rotation.id === each.rotationId) || leftoverFrom(each, rotations) <= now),
  );
}

/** Vaults that do not answer are asked at growing intervals; what else must change is looked for now and then. */
function retrySoon({ observation: { terms, destinations, now } }: Situation): Duration {
  const grace = terms.kind === 'managed' ? terms.policy.grace : Number.POSITIVE_INFINITY;
  const least = Math.min(5 * MINUTE, Math.max(2 * SECOND, grace / 20));
  const unread = destinations.filter((each) => each.sight.state === 'unreachable');
  if (unread.length === 0) return Math.round(Math.max(least, Math.min(HOUR / 2, grace / 20)));
  const silence = now - Math.max(...unread.map((each) => each.known?.seenAt ?? now));
  return Math.round(Math.max(least, Math.min(HOUR, silence / 4)));
}
