import type { Reason } from '../domain/reason.ts';
import { isInFlight } from '../domain/rotation-state.ts';
import { formatDuration } from '../domain/time.ts';
import type { CredentialKey, CredentialRecord, RotationRecord } from '../ledger/records.ts';
import { isMoved } from '../rotation/observe.ts';
import { activePause, endPause } from '../rotation/pauses.ts';
import { isWaiting } from '../rotation/queued.ts';
import { retryTime } from '../rotation/redate.ts';
import { Refusal } from './api.ts';
import type { PauseRequest, RotateAnswer, RotateRequest } from './api.ts';
import type { Engine } from './engine.ts';
import { refuseWhereAllHeld } from './held.ts';
import { refuseWhereTooSoon } from './manual-cooldown.ts';
import { REMEMBERED, repeated, withRequest } from './repeats.ts';
import { graceOf, isStuck, requestFor } from './requests.ts';

/** Acts of people on single credentials. Each is stored by compare-and-set, then the credential is visited. */

/** @throws Refusal, LedgerError */
export async function rotateNow(engine: Engine, key: CredentialKey, request: RotateRequest): Promise<RotateAnswer> {
  const { ledger, clock, events, settings } = engine.world;
  const cooldown = settings.limits.manualCooldown ?? 0;
  for (;;) {
    const record = await recordOf(engine, key);
    const now = clock.now();
    const rotations = await ledger.relevantRotations(key, now - Math.max(REMEMBERED, cooldown));
    // before anything is refused: what was promised once is not taken back
    const before = repeated(rotations, request, now);
    if (before !== null) return before;
    refuseWhereHeld(engine, record);
    const running = rotations.find((each) => isInFlight(each.state) && !isStuck(each));
    if (running !== undefined) {
      const joined = await join(engine, record, running, request);
      if (joined !== null) return joined;
      continue;
    }
    refuseWhereTooSoon(rotations, cooldown, now);
    // what waits for its next try at a vault is passed by; what failed at the issuer is waited for
    const retryAt = retryTime(record, { now, skew: engine.skewOf(key.issuer) });
    if (retryAt !== null && retryAt > now && !rotations.some(isStuck)) {
      throw new Refusal(
        'too-soon',
        `the last attempt failed: ${record.lastError ?? 'unknown'}. Ask again after the wait; what is due is tried again by itself`,
        {
          reason: 'backoff',
          retryAfter: Math.ceil((retryAt - now) / 1000),
        },
      );
    }
    const wanted = requestFor(engine, record, request);
    const grace = graceOf(engine, record, wanted);
    const queued = withRequest(wanted, request, grace, now);
    // with the credential's record, so that two triggers at once cannot both queue one, and a crash cannot hide it
    const due = { ...record, dueAt: now };
    if (!(await ledger.commit({ credentials: [due], rotations: [queued] }))) continue;
    events.tell({
      type: 'rotation-requested',
      ...key,
      name: record.name,
      rotationId: queued.id,
      actor: request.actor,
    });
    await engine.visitNow(key);
    return { rotationId: queued.id, grace: formatDuration(grace) };
  }
}

/** The rotation that is under way, with a shorter grace where one was asked for; null: try again. */
async function join(
  engine: Engine,
  record: CredentialRecord,
  running: RotationRecord,
  request: RotateRequest,
): Promise<RotateAnswer | null> {
  const present = graceOf(engine, record, running);
  const shorter = request.grace !== null && request.grace < present;
  const grace = shorter ? request.grace : present;
  // one of a bulk that waits for its turn is now asked for by itself, too
  const raised = running.passes === 'nothing' && isWaiting(running);
  const more = { joinedBy: request.actor, ...(shorter && { grace }), ...(raised && { passes: 'pace' as const }) };
  const joined = withRequest({ ...running, ...more }, request, grace, engine.world.clock.now());
  if (!(await engine.world.ledger.commit({ rotations: [joined] }))) return null;
  if (raised) await engine.visitNow(record);
  return { rotationId: running.id, grace: formatDuration(grace) };
}

function refuseWhereHeld(engine: Engine, record: CredentialRecord): void {
  refuseWhereAllHeld(engine);
  const no = (reason: Reason, message: string): never => {
    throw new Refusal('conflict', message, { reason });
  };
  if (activePause(record.pause, engine.world.clock.now()) !== null) no('paused', 'it is paused: resume it first');
  // by the rules, not by the stored state: that one is as old as the last look, before a resume for instance
  const terms = engine.termsOf(record);
  if (terms.kind !== 'managed') no(terms.kind, `no rule manages it (${terms.kind})`);
  else if (terms.suspended) no('suspended', 'its rule says suspend');
  if (record.state === 'blocked') no(record.reason, `it is blocked: ${record.reason}`);
}

/** @throws Refusal `not-found` */
export async function pauseOne(engine: Engine, key: CredentialKey, request: PauseRequest): Promise<CredentialRecord> {
  const { until, note, actor } = request;
  const record = await change(engine, key, (found) => {
    const since = found.pause?.since ?? engine.world.clock.now();
    const free = found.state === 'ignored' || found.state === 'unmanaged';
    return {
      ...found,
      pause: { since, until, note },
      ...(free ? {} : { state: 'paused' as const, reason: 'paused' as const }),
    };
  });
  engine.world.events.tell({ type: 'paused', ...key, name: record.name, actor });
  await engine.visitNow(key);
  return record;
}

/** @throws Refusal `not-found` */
export async function resumeOne(engine: Engine, key: CredentialKey, actor: string): Promise<CredentialRecord> {
  const record = await change(engine, key, (found) => endPause(found, engine.world.clock.now()));
  engine.world.events.tell({ type: 'resumed', ...key, name: record.name, actor });
  await engine.visitNow(key);
  return record;
}

/** Ends the grace of what a rotation superseded. The proof is still asked for. @throws Refusal */
export async function retireNow(engine: Engine, rotationId: string, actor: string): Promise<RotationRecord> {
  const { ledger, clock, events } = engine.world;
  const rotation = await ledger.rotation(rotationId);
  if (rotation === null) throw new Refusal('not-found', `there is no rotation ${rotationId}`);
  if (rotation.state !== 'grace') {
    throw new Refusal(
      'conflict',
      `rotation ${rotationId} is ${rotation.state}: only one in grace can be retired early`,
    );
  }
  const now = clock.now();
  const record = await change(engine, rotation, (found) => ({
    ...found,
    dueAt: now,
    secrets: found.secrets.map((each) =>
      rotation.supersedes.includes(each.secretId) && each.role === 'superseded'
        ? {
            ...each,
            retireRequested: true,
            deleteAfter: each.deleteAfter === null ? null : Math.min(each.deleteAfter, now),
          }
        : each,
    ),
  }));
  const { issuer, clientId } = rotation;
  events.tell({
    type: 'retirement-requested',
    issuer,
    clientId,
    name: record.name,
    rotationId,
    actor,
  });
  await engine.visitNow(rotation);
  const stored = (await ledger.rotation(rotationId)) ?? rotation;
  // its own date follows with the look that has just begun
  return stored.deleteAfter === null ? stored : { ...stored, deleteAfter: Math.min(stored.deleteAfter, now) };
}

/** A former destination no longer holds deletions back; a moved one's new name is confirmed. @throws Refusal */
export async function forgetDestination(
  engine: Engine,
  key: CredentialKey,
  place: { readonly vault: string; readonly entry: string },
  actor: string,
): Promise<CredentialRecord> {
  const isPlace = (each: { vault: string; entry: string }) => each.vault === place.vault && each.entry === place.entry;
  const record = await change(engine, key, (found) => {
    const destination = found.destinations.find(isPlace);
    if (destination === undefined)
      throw new Refusal('not-found', `it has no destination ${place.vault} ${place.entry}`);
    // a pause, or a failure, may be told instead
    const pinned = { ...found, description: found.pinnedDescription ?? found.description };
    const moved =
      found.reason === 'destination-moved' ||
      (!destination.former && isMoved(engine.termsOf(pinned), engine.termsOf(found)));
    if (!destination.former && !moved) {
      throw new Refusal('conflict', 'a rule names this destination: only a former one can be forgotten');
    }
    return {
      ...found,
      destinations: found.destinations.filter((each) => !isPlace(each)),
      pinnedDescription: moved ? found.description : found.pinnedDescription,
    };
  });
  const { vault, entry } = place;
  engine.world.events.tell({
    type: 'destination-forgotten',
    ...key,
    name: record.name,
    vault,
    entry,
    actor,
  });
  await engine.visitNow(key);
  return record;
}

async function recordOf({ world: { ledger } }: Engine, key: CredentialKey): Promise<CredentialRecord> {
  const record = await ledger.credential(key);
  if (record === null) throw new Refusal('not-found', `there is no credential ${key.issuer}/${key.clientId}`);
  return record;
}

async function change(
  engine: Engine,
  key: CredentialKey,
  edit: (record: CredentialRecord) => CredentialRecord,
): Promise<CredentialRecord> {
  for (;;) {
    const next = edit(await recordOf(engine, key));
    if (await engine.world.ledger.commit({ credentials: [next] })) return { ...next, version: next.version + 1 };
  }
}
