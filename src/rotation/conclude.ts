import { hasAnyMarker } from '../domain/marker.ts';
import { compareMarks } from '../domain/mark.ts';
import type { Reason } from '../domain/reason.ts';
import { isInFlight } from '../domain/rotation-state.ts';
import type { Outcome, Step } from '../domain/rotation-state.ts';
import type { CredentialRecord, RotationRecord, SecretRecord } from '../ledger/records.ts';
import { backoff } from './backoff.ts';
import { issuerTime } from './observation.ts';
import type { Observation } from './observation.ts';
import { isAlive } from './proof.ts';
import { servedBy, topServed } from './remember-destinations.ts';
import { birthOrNull, renewalOf } from './renewal.ts';
import { rememberList } from './unlisted.ts';

/** The remembered credential, and the rotations that what was seen moves on. */
export interface Conclusion {
  readonly record: CredentialRecord;
  /** All relevant rotations, the changed ones in their new state. */
  readonly rotations: readonly RotationRecord[];
  readonly changed: readonly RotationRecord[];
}

/**
 * What follows from the observation for rotations that nobody works on: recovered, settled, done. Pure: it only moves
 * the ledger; what must be deleted or delivered is left to the plan. `jitter` as in {@link backoff}.
 */
export function conclude(observation: Observation, remembered: CredentialRecord, jitter: number): Conclusion {
  let record = rememberList(observation, remembered, jitter);
  const changed: RotationRecord[] = [];
  const rotations = observation.rotations.map((rotation) => {
    const moved = isHeldByAnother(rotation, observation) ? null : move(observation, record, rotation, jitter);
    if (moved === null) return rotation;
    record = moved.record;
    changed.push(moved.rotation);
    return moved.rotation;
  });
  return { record, rotations, changed };
}

/** Another process acts only after the owner's lease and the longest request lifetime have passed. */
export function isHeldByAnother(rotation: RotationRecord, observation: Observation): boolean {
  if (!isInFlight(rotation.state) || rotation.owner === null || rotation.owner === observation.processId) return false;
  return observation.now < heldUntil(rotation, observation);
}

export function heldUntil(rotation: RotationRecord, observation: Observation): number {
  return (rotation.leaseUntil ?? 0) + observation.timing.requestLifetime;
}

interface Moved {
  readonly record: CredentialRecord;
  readonly rotation: RotationRecord;
}

function move(
  observation: Observation,
  record: CredentialRecord,
  rotation: RotationRecord,
  jitter: number,
): Moved | null {
  switch (rotation.state) {
    case 'intended':
      return moveIntended(observation, record, rotation, jitter);
    case 'created':
    case 'verified':
      if (isServed(observation, rotation)) return moveServed(record, rotation);
      return abandon(observation, record, rotation, endingOf(rotation, 'interrupted'), jitter);
    case 'delivering':
      return moveDelivering(observation, record, rotation);
    case 'grace':
      return moveGrace(observation, record, rotation);
    case 'done':
    case 'abandoned':
      return null;
  }
}

function moveIntended(
  observation: Observation,
  record: CredentialRecord,
  rotation: RotationRecord,
  jitter: number,
): Moved | null {
  const { now, timing, secrets } = observation;
  if (rotation.sentAt === null) {
    // a manual request that nobody sent yet is still wanted: the plan takes it up
    return rotation.trigger === 'manual'
      ? null
      : abandon(observation, record, rotation, endingOf(rotation, 'interrupted'), jitter);
  }
  if (secrets === null) return null;
  const found = secrets.find((each) => each.marker?.rotationId === rotation.id);
  if (found !== undefined) {
    const known = { ...rotation, secretId: found.secretId, expires: found.expires };
    if (isServed(observation, known)) return moveServed(record, known);
    const moved = abandon(observation, record, known, endingOf(rotation, 'response-lost'), jitter);
    return { ...moved, record: withRole(moved.record, found.secretId, 'orphan') };
  }
  const landed = rotation.sentAt + timing.requestLifetime + timing.listLag;
  return now > landed ? abandon(observation, record, rotation, endingOf(rotation, 'response-lost'), jitter) : null;
}

/** An entry holds its secret: this ledger is an old copy of one that knew of the delivery (P5). */
function isServed({ destinations, owner }: Observation, { secretId }: RotationRecord): boolean {
  return destinations.some((each) => secretId !== null && servedBy(each, owner)?.secretId === secretId);
}

function moveServed(record: CredentialRecord, rotation: RotationRecord): Moved {
  return { record, rotation: { ...rotation, state: 'delivering', mayBeServed: true, owner: null, leaseUntil: null } };
}

function moveDelivering(observation: Observation, record: CredentialRecord, rotation: RotationRecord): Moved | null {
  const { owner, secrets, destinations, terms } = observation;
  const own = { generation: rotation.generation, secretId: rotation.secretId ?? '' };
  const top = topServed(observation);
  if (top !== null && compareMarks(top, own) > 0) return yieldTo(observation, record, rotation, 'superseded');
  const asked = observation.rotations.some((each) => each.state === 'intended' && each.trigger === 'manual');
  const present = destinations.filter((each) => each.format !== null);
  const serving = present.filter((each) => servedBy(each, owner)?.secretId === rotation.secretId);
  const listed = secrets?.find((each) => each.secretId === rotation.secretId);
  if (present.length > 0 && serving.length === present.length) return settle(observation, record, rotation);
  if (secrets === null || terms.kind !== 'managed') return null;
  if (asked && rotation.owner === null) return yieldTo(observation, record, rotation, 'manual');
  // from here on the rotation cannot settle by itself now: does it yield to a successor?
  const alive = listed !== undefined && isAlive(listed, issuerTime(observation));
  const known = record.secrets.find((each) => each.secretId === rotation.secretId);
  const lag = observation.timing.listLag;
  if (listed === undefined && observation.now - (known?.missingSince ?? 0) >= lag)
    return yieldTo(observation, record, rotation, 'secret-gone');
  const life = { expires: listed?.expires ?? null, birth: birthOrNull(rotation.id), since: birthOrNull(rotation.id) };
  const due = renewalOf(life, terms.policy);
  if (listed !== undefined && (!alive || (due !== null && issuerTime(observation) >= due.at))) {
    return yieldTo(observation, record, rotation, 'expiring');
  }
  const holders = destinations.filter((each) => servedBy(each, owner)?.secretId === rotation.secretId);
  const unread = destinations.some((each) => each.sight.state === 'unreachable');
  // the value is nowhere to be read any more: a new generation goes everywhere
  if (!unread && !holders.some((each) => each.readable)) return yieldTo(observation, record, rotation, 'interrupted');
  return null;
}

function moveGrace(observation: Observation, record: CredentialRecord, rotation: RotationRecord): Moved | null {
  // one that is served again after a roll-back is not superseded now, and will be: the rotation is not over (V14)
  const left = record.secrets.filter(
    (each) => rotation.supersedes.includes(each.secretId) && each.role !== 'unmanaged',
  );
  if (left.length === 0) {
    if (observation.secrets === null) return null;
    const { now } = observation;
    return { record, rotation: { ...withStep(rotation, 'retire', now, 'ok'), state: 'done', finishedAt: now } };
  }
  const dates = left.map((each) => (each.role === 'superseded' ? each.deleteAfter : null));
  const deleteAfter = dates.includes(null) ? null : Math.max(...dates.filter((each) => each !== null));
  return deleteAfter === rotation.deleteAfter ? null : { record, rotation: { ...rotation, deleteAfter } };
}

/** All destinations serve it: the grace of what it replaces is fixed now. */
export function settle(observation: Observation, record: CredentialRecord, rotation: RotationRecord): Moved {
  const { now, terms, rotations } = observation;
  const elsewhere = new Set(
    rotations.filter((each) => each.state === 'grace' && each.id !== rotation.id).flatMap((each) => each.supersedes),
  );
  const grace = rotation.grace ?? (terms.kind === 'managed' ? terms.policy.grace : 0);
  const unmanaged =
    terms.kind === 'managed' && terms.policy.unmanaged === 'delete' ? strangers(observation, record) : [];
  const secrets = record.secrets.map((each): SecretRecord => {
    if (!unmanaged.includes(each.secretId)) return each;
    return { ...each, role: 'superseded', grace, deleteAfter: Math.max(now, each.firstSeen) + grace };
  });
  const replaced = secrets.filter((each) => each.role === 'superseded' && !elsewhere.has(each.secretId));
  const dates = replaced.map((each) => each.deleteAfter ?? now + grace);
  return {
    record: { ...record, secrets, failures: 0, interruptions: 0, retryAt: null, lastError: null, lastReason: null },
    rotation: {
      ...rotation,
      // where nothing was replaced there is no grace to wait for
      state: replaced.length === 0 ? 'done' : 'grace',
      finishedAt: replaced.length === 0 ? now : null,
      supersedes: [...new Set([...rotation.supersedes, ...replaced.map((each) => each.secretId)])],
      deliveredAt: now,
      deleteAfter: dates.length === 0 ? null : Math.max(...dates),
      error: null,
      owner: null,
      leaseUntil: null,
      steps: withStep(withStep(rotation, 'deliver', now, 'ok'), 'settle', now, 'ok').steps,
    },
  };
}

/** Secrets made by hand, for `unmanaged: delete`: none with any rekeyd's mark, none that an entry names. */
function strangers(observation: Observation, record: CredentialRecord): string[] {
  const named = new Set(record.destinations.flatMap((each) => [each.secretId, each.adopted?.secretId ?? null]));
  return (observation.secrets ?? [])
    .filter((each) => !hasAnyMarker(each.description) && !named.has(each.secretId))
    .filter((each) => record.secrets.some((known) => known.secretId === each.secretId && known.role === 'unmanaged'))
    .map((each) => each.secretId);
}

/** How a rotation ended that its process did not end itself. */
function endingOf(rotation: RotationRecord, reason: 'interrupted' | 'response-lost'): Ending {
  const message = rotation.error ?? REASON_TEXT[reason] ?? reason;
  if (rotation.state === 'intended') return { step: 'create', outcome: 'lost', reason, message };
  return { step: rotation.state === 'created' ? 'verify' : 'extend', outcome: 'failed', reason, message };
}

/** How a rotation ended. */
export interface Ending {
  readonly step: Step;
  readonly outcome: Outcome;
  readonly reason: Reason;
  readonly message: string;
}

/** Ends a rotation that surely served nothing: its secret, if there is one, is a leftover to be reaped. */
export function abandon(
  { now, timing }: Pick<Observation, 'now' | 'timing'>,
  record: CredentialRecord,
  rotation: RotationRecord,
  { step, outcome, reason, message }: Ending,
  jitter: number,
): Moved {
  const failures = record.failures + 1;
  return {
    record: {
      ...(rotation.secretId === null ? record : withRole(record, rotation.secretId, 'orphan')),
      failures,
      retryAt: now + backoff(failures, jitter),
      lastError: message,
      lastReason: reason,
    },
    rotation: {
      ...withStep(rotation, step, now, outcome),
      state: 'abandoned',
      finishedAt: now,
      watchUntil: rotation.sentAt === null ? null : rotation.sentAt + timing.requestLifetime + timing.listLag,
      error: message,
      owner: null,
      leaseUntil: null,
    },
  };
}

/** Ends a rotation that something may serve: its secret goes through Retire once a successor has settled. */
function yieldTo(observation: Observation, record: CredentialRecord, rotation: RotationRecord, reason: Reason): Moved {
  return {
    record,
    rotation: {
      ...withStep(rotation, 'deliver', observation.now, reason === 'superseded' ? 'skipped' : 'failed'),
      state: 'abandoned',
      finishedAt: observation.now,
      error: rotation.error ?? REASON_TEXT[reason] ?? reason,
      owner: null,
      leaseUntil: null,
    },
  };
}

const REASON_TEXT: Partial<Record<Reason, string>> = {
  interrupted: 'the process that worked on it ended before its value was delivered',
  'response-lost': 'the answer to the creation was lost',
  superseded: 'a newer generation is served',
  'secret-gone': 'its secret was deleted at the issuer before all destinations served it',
  manual: 'a manual request asked for a newer one',
  expiring: 'its secret became due before all destinations served it',
};

function withRole(record: CredentialRecord, secretId: string, role: SecretRecord['role']): CredentialRecord {
  return {
    ...record,
    secrets: record.secrets.map((each) => (each.secretId === secretId ? { ...each, role } : each)),
  };
}

/** Adds a step, once: a repeated outcome of the same step keeps its first time. */
export function withStep(rotation: RotationRecord, step: Step, at: number, outcome: Outcome): RotationRecord {
  const last = rotation.steps.at(-1);
  if (last?.step === step && last.outcome === outcome) return rotation;
  return { ...rotation, steps: [...rotation.steps, { step, at, outcome }] };
}
