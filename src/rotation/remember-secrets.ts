import { destinationsDigest } from '../domain/marker.ts';
import { compareMarks } from '../domain/mark.ts';
import { isInFlight } from '../domain/rotation-state.ts';
import type { SecretRole } from '../domain/secret-role.ts';
import { DAY } from '../domain/time.ts';
import type { Duration, Instant } from '../domain/time.ts';
import type { RotationRecord, SecretRecord } from '../ledger/records.ts';
import { graceStart, issuerTime } from './observation.ts';
import type { Observation, SeenSecret } from './observation.ts';
import { startGrace } from './pauses.ts';
import { isAlive } from './proof.ts';
import { mayServeAnything, newestAhead, servedBy, wasTouched } from './remember-destinations.ts';
import type { Served } from './remember-destinations.ts';
import { birthOrNull } from './renewal.ts';

/** The contract's default. */
const GRACE_WITHOUT_RULE: Duration = 14 * DAY;

/** What a look says of the destinations as a whole, for the graces of superseded secrets. */
export interface Coverage {
  readonly current: Served | null;
  /** The secret that an adopted entry names, where nothing of ours is served; null: none. */
  readonly adoptedId: string | null;
  /** Secret ids that some destination, present or former, surely serves. */
  readonly served: ReadonlySet<string>;
  /** All destinations were read, each present one serves something of ours, bound, and there is one at all. */
  readonly whole: boolean;
  /** The lowest generation that a present destination serves (without one, a former); null unless `whole`. */
  readonly lowest: number | null;
  readonly latestDelivery: Instant | null;
  /** Some entry is not bound to a mark of ours: it may serve anything, superseded secrets too. */
  readonly doubtful: boolean;
  /** Somebody wrote to a destination since the last look. */
  readonly touched: boolean;
  /**
   * When the last of those destinations was delivered to that this ledger did not know to hold anything: before, they may
   * have served anything. Null: there is none.
   */
  readonly arrived: Instant | null;
  readonly digest: string;
}

export function coverageOf(observation: Observation, current: Served | null, adoptedId: string | null): Coverage {
  const present = observation.destinations.filter((each) => each.format !== null);
  const serving = present.map((each) => servedBy(each, observation.owner));
  const bound = serving.filter((each) => each !== null);
  const readable = observation.destinations.every((each) => each.sight.state !== 'unreachable');
  const every = observation.destinations
    .map((each) => servedBy(each, observation.owner))
    .filter((each) => each !== null);
  const whole = readable && every.length > 0 && bound.length === present.length;
  return {
    current,
    adoptedId: current === null ? adoptedId : null,
    served: new Set(every.map((each) => each.secretId)),
    whole,
    lowest: whole ? Math.min(...(bound.length > 0 ? bound : every).map((each) => each.generation)) : null,
    latestDelivery: bound.length === 0 ? null : Math.max(...bound.map((each) => each.deliveredAt)),
    doubtful: observation.destinations.some((each) => mayServeAnything(each, observation.owner)),
    touched: observation.destinations.some(wasTouched),
    arrived: arrivedAt(observation),
    digest: destinationsDigest(present),
  };
}

function arrivedAt({ destinations, owner }: Observation): Instant | null {
  const unknown = destinations.filter(({ known }) => known === null || known.version === null);
  const deliveries = unknown.map((each) => servedBy(each, owner)?.deliveredAt ?? null).filter((at) => at !== null);
  return deliveries.length === 0 ? null : Math.max(...deliveries);
}

/** What the ledger remembers of the secrets after this look. */
export function rememberSecrets(observation: Observation, coverage: Coverage): SecretRecord[] {
  const { secrets: list, record, now, timing } = observation;
  // what was seen at the destinations is told by this look alone: the next one has their new versions for known
  if (list === null) return record.secrets.map((each) => withGrace(observation, coverage, each));
  const listed = list.map((secret) => {
    const known = record.secrets.find((each) => each.secretId === secret.secretId) ?? null;
    return withGrace(observation, coverage, classify(observation, coverage, secret, known));
  });
  const currentId = coverage.current?.secretId ?? coverage.adoptedId;
  const aheadId = newestAhead(observation, coverage.current === null ? null : { ...coverage.current, expires: null });
  const unlisted = [currentId, aheadId].flatMap((secretId): SecretRecord[] => {
    if (secretId === null || record.secrets.some((each) => each.secretId === secretId)) return [];
    return [{ ...fresh(secretId, now), role: secretId === currentId ? 'current' : 'pending' }];
  });
  const isServed = (secretId: string): boolean => secretId === currentId || secretId === aheadId;
  const missing = [...record.secrets, ...unlisted]
    .filter((each) => !list.some((other) => other.secretId === each.secretId))
    .map((each) => ({ ...each, missingSince: each.missingSince ?? now }))
    // one list may be stale: a secret is forgotten only once a later list lacks it too (I10, I15); a served one never
    .filter(
      (each) => isServed(each.secretId) || now - Math.max(each.missingSince, each.deletingSince ?? 0) < timing.listLag,
    );
  return [...listed, ...missing];
}

function classify(
  observation: Observation,
  coverage: Coverage,
  secret: SeenSecret,
  known: SecretRecord | null,
): SecretRecord {
  const { now, owner } = observation;
  const marker = secret.marker?.instance === owner.instance ? secret.marker : null;
  // a marker that a person took off is remembered by the secret's id (C7)
  const rotationId = marker?.rotationId ?? known?.rotationId ?? rotationOf(observation, secret.secretId)?.id ?? null;
  const base: SecretRecord = {
    ...(known ?? fresh(secret.secretId, now)),
    expires: secret.expires,
    rotationId,
    generation: marker?.generation ?? known?.generation ?? null,
    missingSince: null,
  };
  const { current } = coverage;
  if (current?.secretId === secret.secretId) return { ...base, role: 'current', deleteAfter: null };
  if (coverage.adoptedId === secret.secretId) return { ...base, role: 'current', generation: 0, deleteAfter: null };
  if (known?.role === 'superseded') return asRecorded(base, known);
  const successor = current === null ? null : rotationOf(observation, current.secretId);
  if (successor?.supersedes.includes(secret.secretId) === true) {
    return { ...base, role: 'superseded', generation: base.generation ?? 0 };
  }
  if (rotationId === null) return { ...base, role: 'unmanaged' };
  const rotation = observation.rotations.find((each) => each.id === rotationId) ?? null;
  if (rotation === null) {
    const digest = marker?.destinations ?? null;
    return classifyUnknown(observation, coverage, base, { digest, isNew: known === null });
  }
  return { ...base, role: roleOfKnown(rotation, current) };
}

/** What the ledger recorded of a superseded secret stays, so that the proof sees a change whenever it was made. */
function asRecorded(listed: SecretRecord, { rotationId, expires }: SecretRecord): SecretRecord {
  return { ...listed, rotationId, expires: rotationId === null ? expires : listed.expires };
}

/** The role of a secret whose rotation this ledger has. */
function roleOfKnown(rotation: RotationRecord, current: Served | null): SecretRole {
  if (isInFlight(rotation.state)) return 'pending';
  if (rotation.state === 'abandoned' && !rotation.mayBeServed) return 'orphan';
  // it was delivered, or may have been: it goes once something newer is served
  const own = { generation: rotation.generation, secretId: rotation.secretId ?? '' };
  return current !== null && compareMarks(own, current) < 0 ? 'superseded' : 'pending';
}

/** Our mark, but not in this ledger: design, 'Secrets that carry our mark and that this ledger does not know'. */
function classifyUnknown(
  observation: Observation,
  coverage: Coverage,
  base: SecretRecord,
  { digest, isNew }: { readonly digest: string | null; readonly isNew: boolean },
): SecretRecord {
  if (!isAlive(base, issuerTime(observation))) return { ...base, role: 'orphan' };
  if (isProvisional(observation, base)) return { ...base, role: 'pending' };
  const { lowest, latestDelivery } = coverage;
  const older = lowest !== null && base.generation !== null && base.generation < lowest;
  if (older && digest === coverage.digest && !coverage.served.has(base.secretId)) {
    const grace = base.grace ?? graceOf(observation, coverage);
    // one that this ledger knew before may have been served until just now, whenever its successor set out
    const from = isNew ? (latestDelivery ?? graceStart(observation)) : graceStart(observation);
    return { ...startGrace(base, from, grace), role: 'superseded' };
  }
  return { ...base, role: coverage.served.has(base.secretId) ? 'pending' : 'orphan' };
}

/** Still on the short expiry that a secret is created with: its maker never finished, or is at it. */
export function isProvisional(observation: Observation, secret: Pick<SecretRecord, 'expires' | 'rotationId'>): boolean {
  const { terms } = observation;
  const birth = birthOrNull(secret.rotationId);
  if (terms.kind !== 'managed' || birth === null || secret.expires === null) return false;
  const { provisional, lifetime } = terms.policy;
  if (provisional === null || provisional >= lifetime) return false;
  // halfway between the two lives that rekeyd asks for: neither a slow POST nor rounding is mistaken for an extension
  return secret.expires - birth <= (provisional + lifetime) / 2;
}

/**
 * A superseded secret that is, or may be, served again loses its date; a full grace starts once nothing serves it (V14, V19),
 * and no sooner than the last delivery to a destination that others looked after until now.
 */
function withGrace(observation: Observation, coverage: Coverage, secret: SecretRecord): SecretRecord {
  if (secret.role !== 'superseded') return secret;
  if (coverage.doubtful || coverage.served.has(secret.secretId)) return { ...secret, deleteAfter: null };
  const grace = secret.grace ?? graceOf(observation, coverage);
  if (secret.deleteAfter === null) {
    return coverage.whole ? startGrace(secret, graceStart(observation), grace) : secret;
  }
  const from = coverage.touched ? graceStart(observation) : coverage.arrived;
  if (from === null) return secret;
  const again = startGrace(secret, from, grace);
  return again.deleteAfter <= secret.deleteAfter ? secret : again;
}

/** The grace that is fixed now: an explicit request's, the policy's, or without a rule the longest that was given. */
function graceOf({ terms, record, rotations }: Observation, { current }: Coverage): Duration {
  const asked = rotations.find((each) => current !== null && each.secretId === current.secretId)?.grace;
  if (asked !== undefined && asked !== null) return asked;
  if (terms.kind === 'managed') return terms.policy.grace;
  const given = record.secrets.map((each) => each.grace ?? 0);
  return Math.max(...given, 0) || GRACE_WITHOUT_RULE;
}

function rotationOf(observation: Observation, secretId: string): RotationRecord | null {
  return observation.rotations.find((each) => each.secretId === secretId) ?? null;
}

function fresh(secretId: string, now: Instant): SecretRecord {
  return {
    secretId,
    expires: null,
    role: 'unmanaged',
    rotationId: null,
    generation: null,
    firstSeen: now,
    deleteAfter: null,
    grace: null,
    missingSince: null,
    deletingSince: null,
    deleteFailures: 0,
    retireRequested: false,
  };
}
