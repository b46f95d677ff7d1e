import { compareMarks } from '../domain/mark.ts';
import type { Reason } from '../domain/reason.ts';
import { isInFlight } from '../domain/rotation-state.ts';
import type { Instant } from '../domain/time.ts';
import type { CredentialRecord, RotationRecord } from '../ledger/records.ts';
import { abandon, endingOf, withRole, withStep, yieldTo } from './ending.ts';
import type { Moved } from './ending.ts';
import { rememberMarks } from './marks.ts';
import { issuerTime, laterTime } from './observation.ts';
import type { Observation } from './observation.ts';
import { isAlive } from './proof.ts';
import { redateRotation } from './redate.ts';
import { servedBy, topServed } from './remember-destinations.ts';
import { isProvisional } from './remember-secrets.ts';
import { birthOrNull, renewalOf } from './renewal.ts';
import { withRetry } from './retried.ts';
import type { NextId } from './retried.ts';
import { settle } from './settle.ts';
import { rememberList } from './unlisted.ts';

/** The remembered credential, and the rotations that what was seen moves on. */
export interface Conclusion {
  readonly record: CredentialRecord;
  /** All relevant rotations, the changed ones in their new state. */
  readonly rotations: readonly RotationRecord[];
  readonly changed: readonly RotationRecord[];
  /** Why each of those that were given up was, by its id. */
  readonly ended: ReadonlyMap<string, Reason>;
}

/**
 * What follows from the observation for rotations that nobody works on: recovered, settled, done. Pure: it only moves
 * the ledger; what must be deleted or delivered is left to the plan. `jitter` as in {@link backoff}.
 */
export function conclude(
  observation: Observation,
  remembered: CredentialRecord,
  jitter: number,
  nextId: NextId,
): Conclusion {
  let record = rememberMarks(observation, rememberList(observation, remembered, jitter));
  const changed: RotationRecord[] = [];
  const ended = new Map<string, Reason>();
  const rotations = observation.rotations.flatMap((stored) => {
    const rotation = redateRotation(stored, laterTime(observation));
    const moved = isHeldByAnother(rotation, observation) ? null : move(observation, record, rotation, jitter);
    if (moved === null) {
      if (rotation !== stored) changed.push(rotation);
      return [rotation];
    }
    record = moved.record;
    if (moved.ended !== undefined) ended.set(rotation.id, moved.ended);
    const isWanted = moved.ended !== undefined && observation.terms.kind === 'managed';
    const now = isWanted
      ? withRetry(moved.rotation, moved.ended, [...observation.rotations, ...changed], nextId, {
          now: observation.now,
          generation: record.generation,
        })
      : [moved.rotation];
    changed.push(...now);
    return now;
  });
  return { record, rotations, changed, ended };
}

/** Another process acts only after the owner's lease and the longest request lifetime have passed. */
export function isHeldByAnother(rotation: RotationRecord, beholder: Beholder): boolean {
  if (!isInFlight(rotation.state) || rotation.owner === null || rotation.owner === beholder.processId) return false;
  return beholder.now < heldUntil(rotation, beholder);
}

export function heldUntil(rotation: RotationRecord, { timing }: Pick<Beholder, 'timing'>): Instant {
  return (rotation.leaseUntil ?? 0) + timing.requestLifetime;
}

/** Who asks whether a rotation is held. */
type Beholder = Pick<Observation, 'processId' | 'now' | 'timing'>;

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
      if (isOldNews(observation, rotation)) return yieldTo(observation, record, maybeServed(rotation), 'superseded');
      if (isUnseen(observation, rotation)) return yieldUnseen(observation, record, rotation, 'interrupted');
      return abandon(observation, record, rotation, endingOf(rotation, 'interrupted'), jitter);
    case 'delivering': {
      // whoever began it is gone: from now on a manual trigger passes it by, see isStuck in daemon/requests.ts
      const free = { ...rotation, owner: null, leaseUntil: null };
      const moved = moveDelivering(observation, record, free);
      return moved ?? (rotation.owner === null ? null : { record, rotation: free });
    }
    case 'grace':
      return moveGrace(observation, record, rotation);
    case 'abandoned':
      return moveAbandoned(observation, record, rotation);
    case 'done':
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
  // a manual request that nobody sent yet is still wanted: the plan takes it up
  const isRequest = rotation.sentAt === null && rotation.trigger === 'manual';
  if (rotation.sentAt === null && !isRequest)
    return abandon(observation, record, rotation, endingOf(rotation, 'interrupted'), jitter);
  if (secrets === null) return null;
  // also of a request: this ledger may be an old copy of one that carried it out (P5)
  const found = secrets.find((each) => each.marker?.rotationId === rotation.id);
  if (found !== undefined) {
    const known = { ...rotation, secretId: found.secretId, expires: found.expires };
    if (isServed(observation, known)) return moveServed(record, known);
    if (isOldNews(observation, known)) return yieldTo(observation, record, maybeServed(known), 'superseded');
    if (isUnseen(observation, known)) return yieldUnseen(observation, record, known, 'response-lost');
    const moved = abandon(observation, record, known, endingOf(rotation, 'response-lost'), jitter);
    return { ...moved, record: withRole(moved.record, found.secretId, 'orphan') };
  }
  if (rotation.sentAt === null) return isOutrun(observation, rotation) ? giveUpRequest(now, record, rotation) : null;
  const landed = rotation.sentAt + timing.requestLifetime + timing.listLag;
  return now > landed ? abandon(observation, record, rotation, endingOf(rotation, 'response-lost'), jitter) : null;
}

/** What is served is as new as what the request would have made: it may have been carried out, and its id is not used twice. */
function isOutrun(observation: Observation, { generation }: RotationRecord): boolean {
  return (topServed(observation)?.generation ?? 0) >= generation;
}

function giveUpRequest(now: Instant, record: CredentialRecord, rotation: RotationRecord): Moved {
  const error = 'this ledger is older than the world: it may have been carried out before';
  return { record, rotation: { ...rotation, state: 'abandoned', finishedAt: now, error }, ended: 'interrupted' };
}

/** An entry holds its secret: this ledger is an old copy of one that knew of the delivery (P5). */
function isServed({ destinations, owner }: Observation, { secretId }: RotationRecord): boolean {
  return destinations.some((each) => secretId !== null && servedBy(each, owner)?.secretId === secretId);
}

/**
 * The world went further than this ledger remembers: something newer is served, or a secret that was only created here
 * was extended. Whether its secret was delivered is not known then: it goes through Retire, with a full grace (P5).
 */
function isOldNews(observation: Observation, rotation: RotationRecord): boolean {
  const top = topServed(observation);
  if (top !== null && top.generation > rotation.generation) return true;
  const listed = observation.secrets?.find((each) => each.secretId === rotation.secretId);
  const { terms } = observation;
  if (rotation.state === 'verified' || listed === undefined || terms.kind !== 'managed') return false;
  const { provisional, lifetime } = terms.policy;
  const begunShort = provisional !== null && provisional < lifetime;
  return begunShort && !isProvisional(observation, { expires: listed.expires, rotationId: rotation.id });
}

/**
 * Its secret has its full life, and not all destinations can be read: whether this ledger is an old copy of one that
 * delivered it cannot be told, and once something newer is served it never will be (P5).
 */
function isUnseen(observation: Observation, { id, secretId }: RotationRecord): boolean {
  const listed = observation.secrets?.find((each) => each.secretId === secretId);
  if (listed === undefined || isProvisional(observation, { expires: listed.expires, rotationId: id })) return false;
  return observation.destinations.some((each) => each.sight.state === 'unreachable');
}

function yieldUnseen(
  observation: Observation,
  record: CredentialRecord,
  rotation: RotationRecord,
  reason: 'interrupted' | 'response-lost',
): Moved {
  return yieldTo(observation, record, { ...rotation, mayBeServed: true }, reason);
}

function maybeServed(rotation: RotationRecord): RotationRecord {
  const error = 'this ledger is older than the world: something newer is served, or its secret was extended';
  return { ...rotation, mayBeServed: true, error };
}

/**
 * Given up by an old copy of the ledger while its destinations could not be read. Seen served after all, its secret has a
 * grace once it is replaced (P5).
 */
function moveAbandoned(observation: Observation, record: CredentialRecord, rotation: RotationRecord): Moved | null {
  if (rotation.mayBeServed) return null;
  const found = observation.secrets?.find((each) => each.marker?.rotationId === rotation.id)?.secretId ?? null;
  const known = { ...rotation, secretId: rotation.secretId ?? found };
  return isServed(observation, known) ? { record, rotation: { ...known, mayBeServed: true } } : null;
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
  const holders = destinations.filter((each) => servedBy(each, owner)?.secretId === rotation.secretId);
  // no rule names a destination any more: what was begun rests with those that have it (C3)
  if (serving.length === present.length && holders.length > 0) return settle(observation, record, rotation);
  if (secrets === null) return null;
  if (terms.kind !== 'managed') return yieldTo(observation, record, rotation, 'interrupted');
  if (asked) return yieldTo(observation, record, rotation, 'manual');
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
