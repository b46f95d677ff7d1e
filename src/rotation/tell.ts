import { formatInstantOrNull } from '../domain/time.ts';
import type { CredentialRecord, RotationRecord } from '../ledger/records.ts';
import type { Observation } from './observation.ts';
import type { World } from './world.ts';

/** Logs and counts what a look changed: states of the credential and its destinations, rotations that moved on. */
export function tellChanges(
  world: World,
  observation: Observation,
  record: CredentialRecord,
  moved: readonly RotationRecord[],
): void {
  const before = observation.record;
  const fields = { issuer: record.issuer, clientId: record.clientId, name: record.name };
  const unwell = record.state === 'blocked' || record.state === 'failing';
  if (before.version === 0 || before.state !== record.state || (unwell && before.reason !== record.reason)) {
    const level = unwell ? 'warn' : 'info';
    world.log[level]('credential-state', 'The credential is in another state', {
      ...fields,
      reason: record.reason,
      state: record.state,
      was: before.version === 0 ? null : before.state,
    });
  }
  for (const destination of record.destinations) {
    const old = observation.destinations.find(
      (each) => each.identity === destination.identity && each.entry === destination.entry,
    )?.known;
    if (old?.state === destination.state || destination.state === 'served' || destination.state === 'absent') continue;
    world.log.warn('destination-state', 'A destination does not serve what it should', {
      ...fields,
      vault: destination.vault,
      entry: destination.entry,
      state: destination.state,
      error: destination.error,
    });
  }
  const highest = before.generation;
  if (before.version > 0 && record.generation > highest) {
    world.log.warn('generation-unknown', 'A higher generation than this ledger knows was seen: treated as rebuilt', {
      ...fields,
      generation: record.generation,
      known: highest,
    });
  }
  for (const rotation of moved) {
    tellRotation(world, rotation, observation.rotations.find((each) => each.id === rotation.id) ?? null);
  }
}

function tellRotation(world: World, rotation: RotationRecord, old: RotationRecord | null): void {
  const { issuer, clientId, name, reason, generation, error } = rotation;
  const fields = { issuer, clientId, name, reason, rotationId: rotation.id, generation };
  if (old?.deliveredAt == null && rotation.deliveredAt !== null) {
    world.meter.rotation(issuer, reason, 'ok');
    world.meter.rotationDuration(issuer, rotation.deliveredAt - rotation.startedAt);
    world.log.info('rotation-settled', 'All destinations serve the new secret; the grace of the old one runs', {
      ...fields,
      supersedes: rotation.supersedes,
      deleteAfter: formatInstantOrNull(rotation.deleteAfter),
    });
  }
  if (rotation.state === 'done') {
    world.log.info('rotation-done', 'The rotation is over: nothing of what it replaced is left', fields);
  } else if (rotation.state === 'abandoned') {
    world.meter.rotation(issuer, reason, rotation.mayBeServed ? 'skipped' : 'lost');
    world.log.warn('rotation-abandoned', 'The rotation ended without settling', { ...fields, error });
  }
}
