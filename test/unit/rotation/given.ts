import type { Policy } from '../../../src/config/settings.ts';
import type { ManagedTerms, Terms } from '../../../src/config/terms.ts';
import { formatMarker, parseMarker } from '../../../src/domain/marker.ts';
import { DEFAULT_FORMAT } from '../../../src/domain/payload.ts';
import { DAY, HOUR, MINUTE } from '../../../src/domain/time.ts';
import type { Instant } from '../../../src/domain/time.ts';
import type { CredentialRecord, DestinationRecord, RotationRecord, SecretRecord } from '../../../src/ledger/records.ts';
import { conclude } from '../../../src/rotation/conclude.ts';
import type { Situation } from '../../../src/rotation/decision.ts';
import { freshRecord } from '../../../src/rotation/fresh-record.ts';
import { newRotation } from '../../../src/rotation/new-rotation.ts';
import type { Observation, SeenDestination, SeenSecret, Sight } from '../../../src/rotation/observation.ts';
import { remember } from '../../../src/rotation/remember.ts';

/** The moment at which all tables look. */
export const NOW: Instant = Date.UTC(2030, 0, 1);

export const POLICY: Policy = {
  name: 'default',
  lifetime: 90 * DAY,
  renewBefore: 30 * DAY,
  grace: 14 * DAY,
  maxAge: null,
  provisional: DAY,
  verify: { method: 'token', timeout: 20 * MINUTE, settle: 15 * MINUTE },
  initial: 'adopt',
  retire: 'delete',
  unmanaged: 'keep',
  windows: null,
};

export function managed(policy: Partial<Policy> = {}, more: Partial<ManagedTerms> = {}): Terms {
  return {
    kind: 'managed',
    suspended: false,
    name: 'shop',
    policy: { ...POLICY, ...policy },
    destinations: [],
    names: { clientId: 'shop' },
    problems: [],
    ...more,
  };
}

/** A rotation id born at `at`; `n` tells several of one moment apart. */
export function idAt(at: Instant, n = 1): string {
  const time = at.toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-${n.toString(16).padStart(12, '0')}`;
}

/** A listed secret; with a generation it carries our marker. Expires in days from now. */
export function secret(
  secretId: string,
  days: number | null,
  made: { generation?: number; born?: Instant; instance?: string; digest?: string } = {},
): SeenSecret {
  const born = made.born ?? NOW - 10 * DAY;
  const { generation, instance = 'test', digest = '00000000' } = made;
  const description =
    generation === undefined
      ? 'by hand'
      : `shop ${formatMarker({ instance, generation, rotationId: idAt(born, generation), destinations: digest })}`;
  return {
    secretId,
    expires: days === null ? null : NOW + days * DAY,
    description,
    marker: parseMarker(description),
  };
}

export const OWNER = { instance: 'test', issuer: 'data8', credential: 'shop' };

/** A present entry of ours. */
export function serving(
  generation: number,
  secretId: string,
  more: Partial<Extract<Sight, { state: 'present' }>> = {},
): Sight {
  return {
    state: 'present',
    version: `v${generation}`,
    mark: { ...OWNER, generation, secretId, deliveredAt: NOW - 5 * DAY },
    binding: 'bound',
    ...more,
  };
}

export const foreign: Sight = { state: 'present', version: 'f1', mark: null, binding: 'broken' };
export const absent: Sight = { state: 'absent' };
export const down: Sight = { state: 'unreachable', error: 'denied' };

export function destination(vault: string, sight: Sight, more: Partial<SeenDestination> = {}): SeenDestination {
  return {
    vault,
    identity: `memory:${vault}`,
    entry: 'shop',
    options: {},
    format: DEFAULT_FORMAT,
    readable: true,
    known: null,
    sight,
    proven: null,
    ...more,
  };
}

/** One that serves what the ledger knows it to serve, delivered five days ago. */
export function settled(vault: string, generation: number, secretId: string): SeenDestination {
  const sight = serving(generation, secretId);
  const known = { generation, secretId, deliveredAt: NOW - 5 * DAY, version: `v${generation}` };
  return destination(vault, sight, { known: knownDestination(vault, known) });
}

export function knownDestination(vault: string, more: Partial<DestinationRecord> = {}): DestinationRecord {
  return {
    vault,
    identity: `memory:${vault}`,
    entry: 'shop',
    options: {},
    format: DEFAULT_FORMAT,
    former: false,
    state: 'served',
    generation: null,
    secretId: null,
    deliveredAt: null,
    version: null,
    adopted: null,
    seenAt: null,
    error: null,
    ...more,
  };
}

export function knownSecret(secretId: string, more: Partial<SecretRecord> = {}): SecretRecord {
  return {
    secretId,
    expires: NOW + 20 * DAY,
    role: 'superseded',
    rotationId: null,
    generation: null,
    firstSeen: NOW - 100 * DAY,
    deleteAfter: null,
    grace: null,
    missingSince: null,
    deletingSince: null,
    deleteFailures: 0,
    retireRequested: false,
    ...more,
  };
}

export function record(more: Partial<CredentialRecord> = {}): CredentialRecord {
  return { ...freshRecord({ issuer: 'data8', clientId: 'shop' }, 'shop'), version: 3, lookedAt: NOW - HOUR, ...more };
}

export function rotation(generation: number, more: Partial<RotationRecord> = {}): RotationRecord {
  const born = more.startedAt ?? NOW - 10 * DAY;
  return {
    ...newRotation({
      id: idAt(born, generation),
      issuer: 'data8',
      clientId: 'shop',
      name: 'shop',
      generation,
      trigger: 'schedule',
      reason: 'expiring',
      note: null,
      actor: 'rekeyd',
      grace: null,
      startedAt: born,
      owner: null,
    }),
    version: 5,
    ...more,
  };
}

export function observation(more: Partial<Observation> = {}): Observation {
  return {
    key: { issuer: 'data8', clientId: 'shop' },
    owner: OWNER,
    processId: 'me',
    now: NOW,
    readSince: NOW,
    skew: 0,
    timing: { requestLifetime: 5 * MINUTE, listLag: MINUTE, maxClockSkew: 5 * MINUTE },
    mode: 'active',
    limits: {
      concurrency: 8,
      rotationsPerHour: 60,
      maxLiveSecrets: 5,
      createsPerDay: 4,
      breaker: { failures: 5, cooldown: 15 * MINUTE },
    },
    isOwnClient: false,
    isOwnStatic: false,
    listed: { clientId: 'shop', description: 'shop' },
    terms: managed(),
    moved: false,
    record: record(),
    rotations: [],
    secrets: [],
    issuerError: null,
    destinations: [],
    refused: new Set(),
    unasked: new Set(),
    sharedWith: [],
    circumstances: { pause: null, pastPauses: [], breakerUntil: null, pacedUntil: null, issuerSilent: false },
    ...more,
  };
}

/** Everything up to the plan: what tend.ts makes of an observation. */
export function situationOf(seen: Observation): Situation {
  const { record: remembered, rotations } = conclude(seen, remember(seen), 0.5, () => 'retry');
  return { observation: seen, record: remembered, rotations };
}
