import type { ManagedTerms } from '../../config/terms.ts';
import { destinationsDigest, markedDescription } from '../../domain/marker.ts';
import type { Reason } from '../../domain/reason.ts';
import type { Step } from '../../domain/rotation-state.ts';
import type { SecretValue } from '../../domain/secret-value.ts';
import type { Instant } from '../../domain/time.ts';
import type { Issuer } from '../../issuers/contract.ts';
import type { CredentialRecord } from '../../ledger/records.ts';
import { abandon } from '../ending.ts';
import { withRetry } from '../retried.ts';
import type { Control } from '../control.ts';
import type { Situation } from '../decision.ts';
import type { Tenure } from '../tenure.ts';
import type { World } from '../world.ts';

/** One replacement under way in this process: what its steps share. The value lives here, and nowhere else. */
export interface Issuance {
  readonly world: World;
  readonly control: Control;
  readonly issuer: Issuer;
  readonly terms: ManagedTerms;
  readonly situation: Situation;
  readonly tenure: Tenure;
  readonly urgent: boolean;
}

/** A secret that was created, with its value. */
export interface Fresh {
  readonly secretId: string;
  readonly value: SecretValue;
  /** As the issuer says. */
  readonly expires: Instant | null;
}

/** One that the issuer lists as it should be, and accepts where the policy asks for that. */
export interface Confirmed extends Fresh {
  /** When that was asked, by the local clock. */
  readonly knownAt: Instant;
}

/** Why an attempt ended before its secret was delivered; what was created is left to be reaped, with proof. */
export class AttemptFailed extends Error {
  override readonly name = 'AttemptFailed';
  readonly step: Step;
  readonly reason: Reason;

  constructor(step: Step, reason: Reason, message: string) {
    super(message);
    this.step = step;
    this.reason = reason;
  }
}

/** Now, by the issuer's clock. */
export function issuerNow({ world, issuer }: Pick<Issuance, 'world' | 'issuer'>): Instant {
  return world.clock.now() + (issuer.skew() ?? 0);
}

/** The description that marks the secret as this rotation's. */
export function descriptionOf({ world, issuer, terms, situation, tenure }: Issuance): string {
  const present = situation.observation.destinations.filter((each) => each.format !== null);
  const marker = {
    instance: world.settings.instance,
    generation: tenure.rotation.generation,
    rotationId: tenure.rotation.id,
    destinations: destinationsDigest(present),
  };
  return markedDescription(terms.name, marker, issuer.descriptionLimit);
}

/** What an event tells of a rotation. */
export function fieldsOf({ tenure, terms }: Pick<Issuance, 'tenure' | 'terms'>) {
  const { id, issuer, clientId, reason, generation } = tenure.rotation;
  return { reason, issuer, clientId, name: terms.name, rotationId: id, generation };
}

/** A shutdown is nobody's fault; so many in a row are a crash loop, and told as failing. */
const INTERRUPTIONS = 3;
/** Ends that say nothing of the next attempt: they count as no failure. */
const NOBODYS_FAULT: ReadonlySet<Reason> = new Set(['paused', 'interrupted']);

/** Stores that the attempt is over. Its secret becomes an orphan of ours: the plan deletes it, with proof. */
export async function recordFailure(issuance: Issuance, failure: AttemptFailed): Promise<void> {
  const { world, tenure, situation } = issuance;
  const { step, reason, message } = failure;
  // a creation that surely did not happen is not watched for, and spends no budget
  const rotation = step === 'create' ? { ...tenure.rotation, sentAt: null } : tenure.rotation;
  const scene = { now: world.clock.now(), timing: situation.observation.timing };
  const jitter = world.random.next();
  const end = (record: CredentialRecord) =>
    abandon(scene, record, rotation, { step, outcome: 'failed', reason, message }, jitter);
  const merge = (record: CredentialRecord): CredentialRecord => {
    const ended = end(withPending(record, rotation.secretId, rotation.id)).record;
    const { failures, retryAt, lastError, lastReason } = record;
    const before = { failures, retryAt, lastError, lastReason };
    if (NOBODYS_FAULT.has(reason)) return { ...ended, ...before };
    if (reason !== 'verify-interrupted') return ended;
    const interruptions = record.interruptions + 1;
    if (interruptions >= INTERRUPTIONS) return { ...ended, interruptions };
    return { ...ended, ...before, interruptions };
  };
  const retryId = world.ids.rotationId(issuerNow(issuance));
  await tenure.advance(end(situation.record).rotation, merge, (held) =>
    withRetry(held, reason, situation.rotations, () => retryId, {
      now: scene.now,
      generation: situation.record.generation,
    }),
  );
  const { retriedAs = null } = tenure.rotation;
  const how = { wanted: rotation.reason, outcome: 'failed', step, error: message, retriedAs } as const;
  world.events.tell({ type: 'rotation-abandoned', ...fieldsOf(issuance), reason, ...how });
}

/** Makes sure that the record knows the secret, so that its role can be set before the next list. */
function withPending(record: CredentialRecord, secretId: string | null, rotationId: string): CredentialRecord {
  if (secretId === null || record.secrets.some((each) => each.secretId === secretId)) return record;
  const secret = {
    secretId,
    expires: null,
    role: 'pending' as const,
    rotationId,
    generation: null,
    firstSeen: 0,
    deleteAfter: null,
    grace: null,
    missingSince: null,
    deletingSince: null,
    deleteFailures: 0,
    retireRequested: false,
  };
  return { ...record, secrets: [...record.secrets, secret] };
}
