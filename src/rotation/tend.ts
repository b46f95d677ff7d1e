import { MINUTE } from '../domain/time.ts';
import type { CredentialRecord, RotationRecord } from '../ledger/records.ts';
import { conclude } from './conclude.ts';
import type { Control } from './control.ts';
import type { Decision, Plan, Situation } from './decision.ts';
import { issue } from './issue.ts';
import type { Observation } from './observation.ts';
import { observe } from './observe.ts';
import type { Subject } from './observe.ts';
import { activePause, endPause } from './pauses.ts';
import { plan } from './plan.ts';
import { remember } from './remember.ts';
import { copy } from './repair.ts';
import { restore } from './restore.ts';
import type { NextId } from './retried.ts';
import { retire } from './retire.ts';
import { tellChanges } from './tell.ts';
import type { World } from './world.ts';

/** How often one visit may observe, plan and act before it is left to the next one: a bound, never met in good order. */
const ROUNDS = 25;

/** What a visit to a credential left behind. */
export interface Visit {
  readonly record: CredentialRecord;
  readonly acted: number;
}

/** Observe, plan and conclude, without writing anything anywhere: what `plan` and `explain` show. */
export async function consider(
  world: World,
  subject: Subject,
  signal?: AbortSignal,
): Promise<{ situation: Situation; plan: Plan }> {
  const observation = await observe(world, subject, signal);
  const remembered = withoutEndedPause(remember(observation), observation.now);
  const { record, rotations } = conclude(observation, remembered, 0, nextId(world, observation));
  const situation = { observation, record, rotations };
  return { situation, plan: plan(situation) };
}

/**
 * Brings one credential to rest: observe, plan, act, and again, until nothing is due now. Two calls for one credential
 * must not run at the same time in one process; in two processes they may.
 */
export async function tend(
  world: World,
  subject: Subject,
  control: Control,
  resyncAt: (now: number) => number,
): Promise<Visit> {
  let acted = 0;
  for (let round = 1; ; round += 1) {
    const observation = await observe(world, subject, control.giveUp);
    const remembered = withoutEndedPause(remember(observation), observation.now);
    const conclusion = conclude(observation, remembered, world.random.next(), nextId(world, observation));
    const situation: Situation = { observation, record: conclusion.record, rotations: conclusion.rotations };
    const planned = plan(situation);
    const { decision } = planned;
    const dropped = dropBlockedRequest(situation, decision);
    const isDropped = ({ id }: RotationRecord) => dropped.some((each) => each.id === id);
    const moved = [...conclusion.changed.filter((each) => !isDropped(each)), ...dropped];
    // a rotation that yielded leaves a secret whose grace begins with the next look: at once, also after a crash (P1)
    const looksOn = decision.action === 'none' && moved.some((each) => each.state === 'abandoned' && each.mayBeServed);
    const record: CredentialRecord = {
      ...conclusion.record,
      state: planned.state,
      reason: planned.reason,
      dueAt: looksOn ? observation.now : planned.dueAt,
      terms: subject.termsDigest,
      resyncAt: resyncAt(observation.now),
    };
    if (!(await world.ledger.commit({ credentials: [record], rotations: moved }))) {
      if (round >= ROUNDS) return { record, acted };
      continue;
    }
    const ended = new Map([...conclusion.ended, ...dropped.map(({ id }) => [id, decision.reason] as const)]);
    tellChanges(world, observation, record, moved, { ...planned, ended });
    const stored = { ...record, version: record.version + 1 };
    if (round >= ROUNDS) return { record: stored, acted };
    if (looksOn) continue;
    if (decision.action === 'none') return { record: stored, acted };
    // told to stop, or to make way for other terms: only what this visit began is brought to rest
    if (!control.mayBegin() && (acted === 0 || decision.action === 'issue')) return { record: stored, acted };
    const rotations = situation.rotations.map((each) =>
      moved.some((other) => other.id === each.id) ? { ...each, version: each.version + 1 } : each,
    );
    const whole = await act(world, { ...situation, record: stored, rotations }, bumped(decision, rotations), control);
    acted += 1;
    // what failed is left for a while: never a tight loop
    if (!whole) return { record: { ...stored, dueAt: observation.now + MINUTE }, acted };
  }
}

/** Rotation ids carry the issuer's time. */
function nextId({ clock, ids }: World, { skew }: Observation): NextId {
  return () => ids.rotationId(clock.now() + (skew ?? 0));
}

/** @returns false where it failed in a way that another round at once would not mend. */
async function act(world: World, situation: Situation, decision: Decision, control: Control): Promise<boolean> {
  switch (decision.action) {
    case 'issue':
      await issue(world, situation, decision, control);
      return true;
    case 'deliver':
      return copy(world, situation, decision, control);
    case 'restore':
      await restore(world, situation, decision, control);
      return true;
    case 'retire':
    case 'reap':
      await retire(world, situation, decision, control);
      return true;
    case 'none':
      return true;
  }
}

/** The decision with the rotation as it is stored now, for compare-and-set. */
function bumped(decision: Decision, rotations: readonly RotationRecord[]): Decision {
  const stored = (old: RotationRecord | null) => rotations.find((each) => each.id === old?.id) ?? old;
  if (decision.action === 'issue') return { ...decision, queued: stored(decision.queued) };
  if (decision.action === 'deliver') return { ...decision, rotation: stored(decision.rotation) };
  return decision;
}

/** A manual request that a limit or a person holds back ends with that reason: whoever waits for it is told. */
function dropBlockedRequest({ observation, rotations }: Situation, decision: Decision): RotationRecord[] {
  if (decision.action !== 'none' || (decision.held !== 'blocked' && decision.reason !== 'paused')) return [];
  return rotations
    .filter((each) => each.state === 'intended' && each.sentAt === null)
    .map((each) => ({
      ...each,
      state: 'abandoned',
      finishedAt: observation.now,
      error: `held back: ${decision.reason}`,
      owner: null,
      leaseUntil: null,
    }));
}

function withoutEndedPause(record: CredentialRecord, now: number): CredentialRecord {
  return record.pause !== null && activePause(record.pause, now) === null ? endPause(record, now) : record;
}
