import type { RotationRecord, SecretRecord } from '../../ledger/records.ts';
import { DAY, formatInstant } from '../../domain/time.ts';
import type { Duration, Instant } from '../../domain/time.ts';
import { backoff } from '../backoff.ts';
import { pass } from '../decision.ts';
import type { Check, PlannedRetirement, Situation } from '../decision.ts';
import { issuerTime } from '../observation.ts';
import { graceEnd, pauseOf } from '../pauses.ts';
import { isAlive, proveDeletion } from '../proof.ts';
import type { DeletionProof } from '../proof.ts';
import type { Reason } from '../../domain/reason.ts';
import { servedBy } from '../remember-destinations.ts';
import { birthOrNull, lastingLife } from '../renewal.ts';
import { nextRetirement, retirementOpening } from '../windows.ts';
import { clockProblem } from './clock.ts';

/** A secret that could go, and what stands in its way. */
interface Goer {
  readonly secret: SecretRecord;
  readonly reason: Reason;
  readonly verdict: { readonly proof: DeletionProof } | { readonly held: Reason; readonly why: string };
}

/** Deletions. Each needs its proof on this very observation; what cannot go now is noted and passed over. */
export const tidyingChecks: readonly Check[] = [
  {
    name: 'leftovers',
    look(situation) {
      return firstGone(situation, 'reap', leftovers(situation));
    },
  },
  {
    name: 'retirements',
    look(situation) {
      return firstGone(situation, 'retire', retirements(situation));
    },
  },
];

function firstGone(_situation: Situation, action: 'reap' | 'retire', goers: readonly Goer[]) {
  const ready = goers.find((each) => 'proof' in each.verdict);
  if (ready !== undefined && 'proof' in ready.verdict) {
    const { secret, reason, verdict } = ready;
    return { saw: `secret ${secret.secretId} may go`, decision: { action, reason, secret, proof: verdict.proof } };
  }
  const [first] = goers;
  if (first === undefined || 'proof' in first.verdict) return pass('nothing to delete');
  return pass(`secret ${first.secret.secretId} waits: ${first.verdict.why}`);
}

/** Secrets of ours that surely serve nobody, and expired ones. */
function leftovers(situation: Situation): Goer[] {
  const { record, rotations, observation } = situation;
  const now = issuerTime(observation);
  return record.secrets.flatMap((secret): Goer[] => {
    if (secret.rotationId === null || secret.missingSince !== null) return [];
    if (secret.role === 'current') return [];
    const rotation = rotations.find((each) => each.id === secret.rotationId) ?? null;
    if (!isAlive(secret, now) && secret.role !== 'superseded') {
      if (leftoverFrom(secret, rotations) > now) return [];
      return [goer(situation, secret, 'leftover-expired', neverDelivered(rotation), rotation)];
    }
    // a stranger's orphan (another replica's, a lost ledger's) is reported and kept to its expiry
    if (secret.role !== 'orphan' || rotation === null) return [];
    return [goer(situation, secret, 'orphan', neverDelivered(rotation), rotation)];
  });
}

/**
 * From when an expired secret of ours is tidied away, in the issuer's time. One that this ledger does not know is kept for
 * a day from its birth: its marker is what the day's budget is counted from (P12).
 */
export function leftoverFrom(secret: SecretRecord, rotations: readonly RotationRecord[]): Instant {
  const end = secret.expires ?? Number.POSITIVE_INFINITY;
  const birth = birthOrNull(secret.rotationId);
  const known = rotations.some((each) => each.id === secret.rotationId);
  return known || birth === null ? end : Math.max(end, birth + DAY);
}

function neverDelivered(rotation: RotationRecord | null): boolean {
  return rotation !== null && !rotation.mayBeServed;
}

/** Superseded secrets whose grace is over. */
function retirements(situation: Situation): Goer[] {
  return situation.record.secrets.flatMap((secret): Goer[] => {
    const due = dueToRetire(situation, secret);
    if (due !== 'now') return [];
    const held = retirementHold(situation, secret) ?? windowHold(situation);
    if (held !== null) return [{ secret, reason: 'grace-over', verdict: held }];
    return [goer(situation, secret, 'grace-over', false, null)];
  });
}

/** All retirements of a credential with their dates, for the plan command, the state and metrics. */
export function plannedRetirements(situation: Situation): PlannedRetirement[] {
  return situation.record.secrets.flatMap((secret): PlannedRetirement[] => {
    if (secret.role !== 'superseded' || secret.missingSince !== null) return [];
    const { secretId } = secret;
    const at = graceEnd(secret, situation.observation.circumstances);
    if (at === null)
      return [{ secretId, at: null, reason: isServed(situation, secretId) ? 'still-served' : 'destination-unproven' }];
    const { terms, timing } = situation.observation;
    if (dueToRetire(situation, secret) === 'later') {
      return [{ secretId, at: retirementOpening(terms, timing, at) ?? at, reason: 'grace-running' }];
    }
    const held = retirementHold(situation, secret);
    if (held !== null) return [{ secretId, at: null, reason: held.held }];
    const shut = windowHold(situation);
    if (shut !== null) return [{ secretId, at: shut.opens, reason: shut.held }];
    const { verdict } = goer(situation, secret, 'grace-over', false, null);
    return 'proof' in verdict
      ? [{ secretId, at, reason: 'grace-over' }]
      : [{ secretId, at: null, reason: verdict.held }];
  });
}

function isServed({ observation }: Situation, secretId: string): boolean {
  return observation.destinations.some((each) => servedBy(each, observation.owner)?.secretId === secretId);
}

function dueToRetire(situation: Situation, secret: SecretRecord): 'now' | 'later' | 'never' {
  if (secret.role !== 'superseded' || secret.missingSince !== null) return 'never';
  const { observation } = situation;
  // against the earlier of the local clock and the issuer's
  const now = Math.min(observation.now, issuerTime(observation));
  const date = graceEnd(secret, observation.circumstances);
  const dead = !isAlive(secret, now);
  return dead || (date !== null && date <= now) ? 'now' : date === null ? 'never' : 'later';
}

function retirementHold(situation: Situation, secret: SecretRecord): { held: Reason; why: string } | null {
  const { observation } = situation;
  const { terms } = observation;
  if (pauseOf(situation) !== null) return { held: 'paused', why: 'paused' };
  if (terms.kind !== 'managed') return null;
  if (terms.suspended) return { held: 'suspended', why: 'its rule says suspend' };
  if (terms.policy.retire === 'manual' && !secret.retireRequested) {
    return { held: 'retire-manual', why: 'its policy retires only on request' };
  }
  // a stranger's secret of which the rule says keep again; one that an entry named has a generation
  if (terms.policy.unmanaged === 'keep' && secret.rotationId === null && secret.generation === null) {
    return { held: 'unmanaged', why: 'it was made by hand, and its policy keeps such secrets' };
  }
  return null;
}

/** Its maintenance windows are shut: a retirement never leaves them, not at a person's word either. */
function windowHold({ observation }: Situation): { held: Reason; why: string; opens: Instant | null } | null {
  const { at, isNow } = nextRetirement(observation, observation.now);
  if (isNow) return null;
  const why = at === null ? 'no window is long enough for it' : `its next window opens at ${formatInstant(at)}`;
  return { held: 'outside-window', why, opens: at };
}

function goer(
  situation: Situation,
  secret: SecretRecord,
  reason: Reason,
  neverDelivered: boolean,
  rotation: RotationRecord | null,
): Goer {
  const { observation } = situation;
  const { mode, terms, now, timing } = observation;
  const no = (held: Reason, why: string): Goer => ({ secret, reason, verdict: { held, why } });
  if (mode === 'observe') return no('mode-observe', 'mode is observe');
  if (mode === 'no-delete') return no('mode-no-delete', 'mode is no-delete');
  const clock = clockProblem(observation);
  if (clock !== null) return no('clock-skew', clock);
  if (secret.deletingSince !== null && now < deletionCheckedAt(secret, timing.listLag)) {
    const failed = secret.deleteFailures > 0;
    return failed
      ? no('backoff', 'its deletion failed and is tried again later')
      : no('confirming-deletion', 'it was deleted, a list past the lag is awaited');
  }
  const result = proveDeletion(observation, {
    secret,
    neverDelivered,
    lasting: lastingLife(terms.kind === 'managed' ? terms.policy : null),
    createdByUs: rotation?.secretId === secret.secretId,
  });
  return result.proven ? { secret, reason, verdict: { proof: result.proof } } : no(result.reason, result.why);
}

/** When a deletion that was sent is looked into again: past the lag, later after failures. */
export function deletionCheckedAt({ deletingSince, deleteFailures }: SecretRecord, listLag: Duration): Instant {
  const wait = deleteFailures === 0 ? listLag : Math.max(listLag, backoff(deleteFailures, 1));
  return (deletingSince ?? 0) + wait;
}
