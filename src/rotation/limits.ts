import { birthOf } from '../domain/marker.ts';
import { DAY } from '../domain/time.ts';
import type { Instant } from '../domain/time.ts';
import type { RotationRecord } from '../ledger/records.ts';
import { issuerTime } from './observation.ts';
import type { Observation } from './observation.ts';
import { isAlive } from './proof.ts';

/** All unexpired secrets at the issuer, whoever made them. */
export function liveSecrets(observation: Observation): number {
  const now = issuerTime(observation);
  return (observation.secrets ?? []).filter((each) => isAlive(each, now)).length;
}

/**
 * When secrets were made for this credential within the last 24 h, oldest first: by the markers at the issuer, so that a
 * lost ledger does not renew the budget (P12), and by the ledger, for those that are deleted already.
 */
export function creations(observation: Observation, rotations: readonly RotationRecord[]): Instant[] {
  const made = new Map<string, Instant>();
  for (const { marker } of observation.secrets ?? []) {
    if (marker?.instance === observation.owner.instance) made.set(marker.rotationId, birthOf(marker.rotationId));
  }
  for (const rotation of rotations) {
    if (rotation.sentAt !== null) made.set(rotation.id, rotation.sentAt);
  }
  const since = issuerTime(observation) - DAY;
  return [...made.values()].filter((each) => each > since).sort((a, b) => a - b);
}
