import { compareMarks, isOurs } from '../domain/mark.ts';
import type { Instant } from '../domain/time.ts';
import type { CredentialRecord, DestinationRecord, SecretRecord } from '../ledger/records.ts';
import { earliest } from './decision.ts';
import { isFailingDelivery } from './failed-delivery.ts';
import { isLookedAt, issuerTime, knownSecret, UNNAMED } from './observation.ts';
import type { Observation } from './observation.ts';
import { isAlive } from './proof.ts';
import { mayHold, rememberDestinations, servedBy, topServed } from './remember-destinations.ts';
import type { Served } from './remember-destinations.ts';
import { coverageOf, rememberSecrets } from './remember-secrets.ts';
import { birthOrNull, renewalOf } from './renewal.ts';
import type { Life } from './renewal.ts';

/**
 * Folds what was seen into what the ledger remembers. Pure. What is decided from it (state, reason, dueAt) is not set
 * here: see plan.ts.
 */
export function remember(observation: Observation): CredentialRecord {
  const { record, rotations, terms, listed, now } = observation;
  const current = currentOf(observation);
  const coverage = coverageOf(observation, current, adoptedCurrent(observation)?.secretId ?? null);
  const secrets = rememberSecrets(observation, coverage);
  const shown = describeCurrent(observation, current);
  return {
    ...record,
    name: terms.kind === 'managed' ? terms.name : (listed?.description ?? record.name) || record.clientId,
    description: listed?.description ?? record.description,
    policy: terms.kind === 'managed' ? terms.policy.name : null,
    generation: highestGeneration(observation),
    current: shown,
    secrets,
    destinations: placesAfter(observation, secrets),
    pinnedDescription: pinOf(observation, current),
    renewAt: renewAtOf(observation, shown),
    goneSince: listed === null ? (record.goneSince ?? now) : null,
    lookedAt: now,
    ...(record.failures > 0 || secrets.some((each) => each.deleteFailures > 0) || rotations.some(isFailingDelivery)
      ? {}
      : { lastError: null, lastReason: null }),
  };
}

/** Where nothing was looked at, nothing was seen to be empty: its places go on holding back deletions (C2). */
function placesAfter(observation: Observation, secrets: readonly SecretRecord[]): DestinationRecord[] {
  if (!isLookedAt(observation)) return observation.record.destinations.map((each) => ({ ...each, former: true }));
  return rememberDestinations(observation, topServed(observation)).filter(
    (each) => !each.former || each.state !== 'absent' || mayBeFilledAgain(each, secrets),
  );
}

/** A former place that is surely empty is forgotten once nothing that it may have held lives any more. */
function mayBeFilledAgain(place: DestinationRecord, secrets: readonly SecretRecord[]): boolean {
  return secrets.some(
    (each) => each.role === 'superseded' || (each.generation !== null && each.generation <= mayHold(place)),
  );
}

/** Names are pinned once something is served, and stay so while an edited description would move them, or gives none (C6). */
function pinOf({ record, moved, listed, terms }: Observation, current: Served | null): string | null {
  if (moved || listed === null || terms.kind !== 'managed') return record.pinnedDescription;
  return current === null && record.pinnedDescription === null ? null : listed.description;
}

/** The highest (generation, secret id) that is bound and listed alive; else the highest that is bound at all. */
function currentOf(observation: Observation): Served | null {
  const list = observation.secrets;
  const now = issuerTime(observation);
  let alive: Served | null = null;
  for (const destination of observation.destinations) {
    const served = servedBy(destination, observation.owner);
    if (served === null || list === null) continue;
    const listed = list.find((each) => each.secretId === served.secretId);
    if (listed === undefined || !isAlive(listed, now)) continue;
    if (alive === null || compareMarks(served, alive) > 0) alive = served;
  }
  return alive ?? topServed(observation);
}

function describeCurrent(observation: Observation, current: Served | null): CredentialRecord['current'] {
  const { record, secrets } = observation;
  if (current !== null) {
    const listed = secrets?.find((each) => each.secretId === current.secretId);
    const known = record.current?.secretId === current.secretId ? record.current.expires : null;
    return {
      secretId: current.secretId,
      generation: current.generation,
      expires: listed === undefined ? known : listed.expires,
    };
  }
  const adopted = adoptedCurrent(observation);
  if (adopted !== null) return adopted;
  // nothing was seen that serves: what the ledger last knew holds as long as a destination did not say
  return observation.destinations.some((each) => each.sight.state === 'unreachable') ? record.current : null;
}

/**
 * Adopted entries are generation 0. Each may hold another secret: the one that ends first counts, so that none ends unseen;
 * before it one whose value is refused.
 */
function adoptedCurrent(observation: Observation): CredentialRecord['current'] {
  const known = rememberDestinations(observation, null).filter((each) => !each.former);
  const held = known.flatMap(({ adopted }) => (adopted === null ? [] : [adoptedSecret(observation, adopted.secretId)]));
  const end = ({ secretId, expires }: (typeof held)[number]): number =>
    observation.refused.has(secretId ?? UNNAMED) ? Number.NEGATIVE_INFINITY : (expires ?? Number.POSITIVE_INFINITY);
  return held.reduce<(typeof held)[number] | null>(
    (first, each) => (first === null || end(each) < end(first) ? each : first),
    null,
  );
}

/** Where an entry names no secret that is known, the earliest unexpired one that is not ours is meant. */
function adoptedSecret(observation: Observation, named: string | null): NonNullable<CredentialRecord['current']> {
  // also one that is not listed any more: whether it is gone is for its value to say
  const known = knownSecret(observation, named);
  if (known !== null) return { secretId: known.secretId, generation: 0, expires: known.expires };
  const list = observation.secrets ?? [];
  const now = issuerTime(observation);
  const ends = list.filter((each) => each.marker === null && isAlive(each, now)).map((each) => each.expires);
  return { secretId: null, generation: 0, expires: earliest(ends) };
}

/** One source for the next generation: the ledger, the listed markers, all entries. */
function highestGeneration(observation: Observation): number {
  const { owner, record } = observation;
  const markers = (observation.secrets ?? [])
    .filter((each) => each.marker?.instance === owner.instance)
    .map((each) => each.marker?.generation ?? 0);
  const entries = observation.destinations.map(({ sight }) =>
    sight.state === 'present' && sight.mark !== null && isOurs(sight.mark, owner) ? sight.mark.generation : 0,
  );
  return Math.max(record.generation, ...markers, ...entries);
}

function renewAtOf(observation: Observation, current: CredentialRecord['current']): Instant | null {
  const { terms } = observation;
  if (terms.kind !== 'managed' || current === null) return null;
  return renewalOf(lifeOf(observation, current), terms.policy)?.at ?? null;
}

/** Age: the rotation id's time, else `delivered-at`, else first sight. */
export function lifeOf(observation: Observation, current: NonNullable<CredentialRecord['current']>): Life {
  const { secretId, expires } = current;
  const listed = observation.secrets?.find((each) => each.secretId === secretId);
  const known = observation.record.secrets.find((each) => each.secretId === secretId);
  const birth = birthOrNull(listed?.marker?.rotationId ?? known?.rotationId ?? null);
  const delivered = observation.destinations
    .map((each) => servedBy(each, observation.owner))
    .find((each) => each?.secretId === secretId)?.deliveredAt;
  // an adopted entry that names no secret: since it was first seen
  const adopted = observation.record.destinations.filter((each) => each.adopted !== null && secretId === null);
  const seen = earliest(adopted.map((each) => each.deliveredAt));
  return { expires, birth, since: birth ?? delivered ?? known?.firstSeen ?? seen };
}
