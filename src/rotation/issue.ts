import { IssuerError } from '../domain/errors.ts';
import { formatInstantOrNull, MINUTE } from '../domain/time.ts';
import type { Duration, Instant } from '../domain/time.ts';
import { TenureLost, Tenure } from './tenure.ts';
import type { RotationRecord } from '../ledger/records.ts';
import { withStep } from './ending.ts';
import type { Control } from './control.ts';
import type { Decision, Situation } from './decision.ts';
import { issuerOf } from './observe.ts';
import { limitsMet } from './checks/limits.ts';
import { newRotation } from './new-rotation.ts';
import { goesAhead, isForced } from './queued.ts';
import { create } from './steps/create.ts';
import { deliverFresh } from './steps/deliver.ts';
import { extend } from './steps/extend.ts';
import { AttemptFailed, fieldsOf, recordFailure } from './steps/issuance.ts';
import type { Issuance } from './steps/issuance.ts';
import { refuseWherePaused, settleDown, verify } from './steps/verify.ts';
import { wantedStart } from './windows.ts';
import type { World } from './world.ts';

/** An observation takes seconds, or minutes where issuer and vaults are slow: what is older was made before a freeze. */
const OBSERVATION_LIFE: Duration = 10 * MINUTE;

/**
 * Makes a replacement and delivers it: intend, create, verify, extend, deliver. Each step is durable before the next one
 * begins; whatever ends it early, the ledger and the markers are enough to go on from (conclude.ts).
 */
export async function issue(
  world: World,
  situation: Situation,
  decision: Extract<Decision, { action: 'issue' }>,
  control: Control,
): Promise<void> {
  const { observation } = situation;
  if (observation.terms.kind !== 'managed' || !control.mayBegin()) return;
  // a process that was frozen since it looked: what it saw may not hold now, and the window may have shut (P7)
  const now = world.clock.now();
  if (isOutdated(observation, now) || (wantedStart(situation, now)?.at ?? now) > now) return;
  // checked without an await in between, so that visits side by side cannot all take the last place
  const ahead = decision.urgent || goesAhead(decision.queued);
  if (!control.reserveStart(observation.key, ahead)) return;
  const issuer = issuerOf(world, observation.key);
  const heldSince = world.clock.monotonic();
  const intent = intentOf(world, situation, decision, control);
  // on the very record that was planned on: a second process that planned the same cannot intend it too
  const intending = { ...situation.record, generation: intent.generation };
  const stored = await world.ledger.commit({ credentials: [intending], rotations: [intent] });
  if (!stored) return;
  const tenure = new Tenure(world, control, { ...intent, version: intent.version + 1 }, heldSince);
  const issuance: Issuance = {
    world,
    control,
    issuer,
    terms: observation.terms,
    situation,
    tenure,
    urgent: decision.urgent,
  };
  try {
    world.events.tell({ type: 'rotation-intended', ...fieldsOf(issuance), trigger: intent.trigger });
    tellForced(world, situation, decision.queued);
    if (decision.outsideWindows) {
      const expires = formatInstantOrNull(situation.record.current?.expires ?? null);
      world.events.tell({ type: 'window-missed', ...fieldsOf(issuance), expires });
    }
    if (await isLetGo(issuance, decision.queued)) return;
    const created = await create(issuance);
    if (created === null) return;
    await verify(issuance, created);
    await settleDown(issuance);
    const extended = await extend(issuance, created);
    control.issuerWorked(observation.key);
    await refuseWherePaused(issuance);
    await deliverFresh(issuance, extended);
  } catch (error) {
    if (error instanceof AttemptFailed) {
      // verify and create told it themselves
      if (error.step === 'extend') control.issuerFailed(observation.key, issuerFault(issuance, error));
      await recordFailure(issuance, error);
    } else if (error instanceof TenureLost) {
      world.events.tell({ type: 'rotation-lost', ...fieldsOf(issuance) });
    } else throw error;
  }
}

function isOutdated({ readSince }: Situation['observation'], now: Instant): boolean {
  return Math.abs(now - readSince) > OBSERVATION_LIFE;
}

/** What a person forced is told for each limit that would have held it back: whoever audits sees by whom, and past what. */
function tellForced(world: World, situation: Situation, queued: RotationRecord | null): void {
  if (!isForced(queued)) return;
  const limits = limitsMet(situation);
  if (limits.length === 0) return;
  const { id: rotationId, issuer, clientId, name, actor, bulkId = null } = queued;
  world.events.tell({ type: 'limits-forced', issuer, clientId, name, actor, rotationId, bulkId, limits });
}

function issuerFault({ issuer }: Issuance, { message }: AttemptFailed): IssuerError {
  return new IssuerError('unavailable', message, { issuer: issuer.name, operation: 'updateSecret' });
}

/** Told to stop, or frozen, while the intent was being stored: no new create (P2, P7). A person's request stays queued. */
async function isLetGo(
  { world, control, tenure, situation }: Issuance,
  queued: RotationRecord | null,
): Promise<boolean> {
  const stopped = control.stopping.aborted;
  if (!stopped && !tenure.isLapsed && !isOutdated(situation.observation, world.clock.now())) return false;
  if (queued === null) {
    const what = stopped ? 'was stopped' : 'stood still for too long';
    throw new AttemptFailed('create', 'interrupted', `rekeyd ${what} before it asked for a secret`);
  }
  await tenure.advance({ ...tenure.rotation, sentAt: null, owner: null, leaseUntil: null });
  return true;
}

/** The durable intent: a new rotation, or a manual request that was stored before. */
function intentOf(
  world: World,
  { observation, record }: Situation,
  { queued, reason }: Extract<Decision, { action: 'issue' }>,
  control: Control,
): RotationRecord {
  const now = world.clock.now();
  const wanted =
    queued ??
    newRotation({
      ...observation.key,
      name: record.name,
      generation: 0,
      trigger: control.trigger,
      reason,
      actor: 'rekeyd',
      note: null,
      grace: null,
      id: world.ids.rotationId(now + (observation.skew ?? 0)),
      startedAt: now,
      owner: null,
    });
  return withStep(
    {
      ...wanted,
      generation: record.generation + 1,
      sentAt: now,
      owner: world.processId,
      leaseUntil: now + control.lease,
    },
    'intend',
    now,
    'ok',
  );
}
