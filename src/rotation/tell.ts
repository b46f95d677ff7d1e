import type { Reason } from '../domain/reason.ts';
import type { Outcome, Step } from '../domain/rotation-state.ts';
import { formatInstantOrNull, SECOND } from '../domain/time.ts';
import type { CredentialRecord, RotationRecord, SecretRecord } from '../ledger/records.ts';
import type { Conclusion } from './conclude.ts';
import type { Plan } from './decision.ts';
import type { Observation } from './observation.ts';
import { endPause } from './pauses.ts';
import type { World } from './world.ts';

/**
 * Tells what a look changed: states of the credential and its destinations, graces that start anew, deletions that wait,
 * rotations that moved on.
 */
export function tellChanges(
  world: World,
  observation: Observation,
  record: CredentialRecord,
  moved: readonly RotationRecord[],
  { retirements, ended }: Pick<Plan, 'retirements'> & Pick<Conclusion, 'ended'>,
): void {
  const before = observation.record;
  const fields = { issuer: record.issuer, clientId: record.clientId, name: record.name };
  const unwell = record.state === 'blocked' || record.state === 'failing';
  if (before.version === 0 || before.state !== record.state || (unwell && before.reason !== record.reason)) {
    world.events.tell({
      type: 'credential-state',
      ...fields,
      reason: record.reason,
      state: record.state,
      was: before.version === 0 ? null : before.state,
    });
  }
  for (const destination of record.destinations) {
    const seen = observation.destinations.find(
      (each) => each.identity === destination.identity && each.entry === destination.entry,
    );
    // of one that was not looked at there is no news
    if (seen === undefined || seen.known?.state === destination.state) continue;
    if (destination.state === 'served' || destination.state === 'absent') continue;
    world.events.tell({
      type: 'destination-state',
      ...fields,
      vault: destination.vault,
      entry: destination.entry,
      state: destination.state,
      error: destination.error,
    });
  }
  const highest = before.generation;
  if (before.version > 0 && record.generation > highest) {
    world.events.tell({ type: 'generation-unknown', ...fields, generation: record.generation, known: highest });
  }
  for (const { secretId, deleteAfter } of restartedGraces(observation, record)) {
    world.events.tell({ type: 'grace-restarted', ...fields, secretId, deleteAfter: formatInstantOrNull(deleteAfter) });
  }
  for (const { secretId, at, reason } of retirements) {
    if (at === null && !EXPECTED.has(reason))
      world.events.tell({ type: 'deletion-waiting', ...fields, reason, secretId });
  }
  for (const rotation of moved) {
    const old = observation.rotations.find((each) => each.id === rotation.id) ?? null;
    tellRotation(world, rotation, old, ended.get(rotation.id) ?? rotation.reason);
  }
}

/** Old secrets that had a date, and have none now or a later one; and those that have one again. */
function restartedGraces({ record, now }: Observation, after: CredentialRecord): SecretRecord[] {
  // the end of a pause puts dates off, too
  const before = after.pause === null ? endPause(record, now) : record;
  return after.secrets.filter((each) => {
    const old = before.secrets.find(({ secretId }) => secretId === each.secretId);
    // without a grace it never had a date: its rotation tells of its first one
    if (old?.role !== 'superseded' || each.role !== 'superseded' || old.grace === null) return false;
    if (each.deleteAfter === null) return old.deleteAfter !== null;
    return each.deleteAfter > (old.deleteAfter ?? 0);
  });
}

/** Why a deletion waits as it should: by rule, or because its call is under way. */
const EXPECTED: ReadonlySet<Reason> = new Set([
  'paused',
  'suspended',
  'retire-manual',
  'unmanaged',
  'mode-observe',
  'mode-no-delete',
  'confirming-deletion',
]);

/** @param ended why it ended, where it was given up. */
function tellRotation(world: World, rotation: RotationRecord, old: RotationRecord | null, ended: Reason): void {
  const { issuer, clientId, name, reason, generation, error } = rotation;
  const fields = { issuer, clientId, name, reason, rotationId: rotation.id, generation };
  if (old?.deliveredAt == null && rotation.deliveredAt !== null) {
    world.events.tell({
      type: 'rotation-settled',
      ...fields,
      seconds: (rotation.deliveredAt - rotation.startedAt) / SECOND,
      supersedes: rotation.supersedes,
      deleteAfter: formatInstantOrNull(rotation.deleteAfter),
    });
  }
  if (rotation.state === 'done' && old?.state !== 'done') {
    world.events.tell({ type: 'rotation-done', ...fields });
  } else if (rotation.state === 'abandoned' && old?.state !== 'abandoned') {
    const { retriedAs = null } = rotation;
    const how = { reason: ended, wanted: reason, ...lastOf(rotation), error, retriedAs };
    world.events.tell({ type: 'rotation-abandoned', ...fields, ...how });
  }
}

/** The step in which it ended, and how. A request that ends before anything was sent is skipped. */
function lastOf({ steps, mayBeServed }: RotationRecord): { readonly step: Step | null; readonly outcome: Outcome } {
  const last = steps.at(-1);
  if (last === undefined || last.outcome === 'ok') return { step: null, outcome: 'skipped' };
  // a newer one takes over from what may be served
  return { step: last.step, outcome: mayBeServed ? 'skipped' : last.outcome };
}
