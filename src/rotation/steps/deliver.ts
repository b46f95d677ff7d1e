import type { CredentialState } from '../../domain/credential-state.ts';
import { IssuerError } from '../../domain/errors.ts';
import { hasAnyMarker } from '../../domain/marker.ts';
import { MINUTE, SECOND } from '../../domain/time.ts';
import type { CredentialRecord, DestinationRecord, RotationRecord } from '../../ledger/records.ts';
import type { World } from '../world.ts';
import { backoff } from '../backoff.ts';
import { LifeCheck } from '../life-check.ts';
import { withStep } from '../ending.ts';
import { deliverAll, mayTake } from '../delivery.ts';
import type { Consignment, DeliveryResult } from '../delivery.ts';
import { expectDelivery, isSamePlace } from '../expected-places.ts';
import { graceStart } from '../observation.ts';
import type { SeenDestination } from '../observation.ts';
import { adoptionOf } from '../remember-destinations.ts';
import { fieldsOf } from './issuance.ts';
import type { Confirmed, Issuance } from './issuance.ts';

/** A value that could not be delivered everywhere within this is dropped from memory (principle 5). */
const VALUE_LIFE = 15 * MINUTE;

/**
 * Delivers to all present destinations side by side. `delivering` is recorded before the first write, so that a secret
 * which anything may serve is never taken for a leftover. Those that fail are tried again alone, with the same value.
 * Whether all serve it is for the next observation to say.
 */
export async function deliverFresh(issuance: Issuance, fresh: Confirmed): Promise<void> {
  const { world, control, situation, tenure, terms } = issuance;
  const targets = situation.observation.destinations.filter((each) => each.format !== null);
  await tenure.advance(
    {
      ...tenure.rotation,
      state: 'delivering',
      mayBeServed: true,
      supersedes: namedByEntries(issuance, targets),
    },
    (record) => expectDelivery(record, targets, tenure.rotation.generation),
  );
  const mark = {
    ...situation.observation.owner,
    generation: tenure.rotation.generation,
    secretId: fresh.secretId,
  };
  const life = new LifeCheck(world.clock, fresh.knownAt, () => isDeleted(issuance, fresh));
  const { name, reason, id: rotationId } = tenure.rotation;
  const consignment: Omit<Consignment, 'mark'> = {
    about: { name, reason, rotationId },
    value: fresh.value,
    life,
    expires: fresh.expires,
    names: terms.names,
    mayTake: (destination, version) => mayTake(terms, destination, version),
  };
  const deadline = world.clock.monotonic() + VALUE_LIFE;
  let left: readonly SeenDestination[] = targets;
  for (let attempt = 1; ; attempt += 1) {
    // a dead value is not to be written over a living one; what takes its place is for the next look to say
    if (attempt > 1) life.doubt();
    if (!(await life.isAlive())) return release(issuance);
    await tenure.hold();
    // each attempt has its own time: a ledger that is rebuilt counts the grace from it (see graceStart)
    const deliveredAt = graceStart({ now: world.clock.now(), skew: issuance.issuer.skew() });
    const results = await deliverAll(world, left, { ...consignment, mark: { ...mark, deliveredAt } }, control.giveUp);
    left = left.filter((each) => results.get(each)?.outcome === 'failed');
    const overtaken = [...results.values()].some((each) => each.outcome === 'overtaken');
    const last = left.length === 0 || overtaken || control.once || control.stopping.aborted;
    const pause = Math.min(MINUTE, 2 * SECOND * 2 ** Math.min(10, attempt - 1));
    const over = last || world.clock.monotonic() + pause > deadline;
    await recordDelivery(issuance, results, over);
    if (over) return;
    if (await isStoppedWhile(issuance, pause)) return release(issuance);
  }
}

/**
 * Whether somebody deleted the secret meanwhile (I17): a list lacks it, and its value is refused. What cannot be asked
 * proves nothing. Also where `verify` is `none`: that spares a wait, not this proof, which a look at the entries asks for too.
 */
async function isDeleted({ issuer, tenure, control }: Issuance, { secretId, value }: Confirmed): Promise<boolean> {
  const { clientId } = tenure.rotation;
  try {
    const list = await issuer.listSecrets(clientId, control.giveUp);
    if (list.some((each) => each.secretId === secretId)) return false;
    return (await issuer.verify(clientId, value, control.giveUp)) === 'refused';
  } catch (error) {
    if (error instanceof IssuerError) return false;
    throw error;
  }
}

/** Waits for the next attempt; true where the daemon is told to stop meanwhile. */
async function isStoppedWhile({ tenure, control }: Issuance, pause: number): Promise<boolean> {
  await tenure.whileHeld(pause, async (part) => {
    try {
      await control.idle(part);
    } catch (error) {
      if (!control.stopping.aborted) throw error;
    }
  });
  return control.stopping.aborted;
}

async function release({ tenure }: Issuance): Promise<void> {
  await tenure.advance({ ...tenure.rotation, owner: null, leaseUntil: null });
}

/** What a credential is while a delivery that failed is tried again: no look comes until that is over. */
const FAILED = { state: 'failing', reason: 'vault-failed' } as const;

/** Not where it is paused meanwhile, or ignored: that is told first. */
function isTurned({ state, reason }: CredentialRecord): boolean {
  return state === 'rotating' || (state === FAILED.state && reason !== FAILED.reason);
}

async function recordDelivery(
  issuance: Issuance,
  results: ReadonlyMap<SeenDestination, DeliveryResult>,
  over: boolean,
): Promise<void> {
  const { world, tenure } = issuance;
  const failed = [...results].filter(([, each]) => each.outcome === 'failed');
  const now = world.clock.now();
  const error = failed.map(
    ([target, each]) => `${target.vault} ${target.entry}: ${each.outcome === 'failed' ? each.error : ''}`,
  );
  const rotation = {
    ...(failed.length > 0 ? withStep(tenure.rotation, 'deliver', now, 'failed') : tenure.rotation),
    error: error[0] ?? null,
    ...(over ? { owner: null, leaseUntil: null } : {}),
  };
  const jitter = world.random.next();
  const turned: { was: CredentialState | null } = { was: null };
  await tenure.advance(rotation, (record) => {
    const failures = failed.length > 0 && over ? record.failures + 1 : record.failures;
    const failing = error[0] !== undefined && isTurned(record);
    turned.was = failing ? record.state : null;
    return {
      ...withResults(record, results, issuance),
      failures,
      retryAt: failed.length > 0 && over ? now + backoff(failures, jitter) : record.retryAt,
      ...(error[0] === undefined ? {} : { lastError: error[0], lastReason: FAILED.reason }),
      ...(failing ? FAILED : {}),
    };
  });
  if (turned.was !== null) {
    const { issuer, clientId, name } = tenure.rotation;
    world.events.tell({ type: 'credential-state', issuer, clientId, name, ...FAILED, was: turned.was });
  }
  if (over && failed.length > 0) {
    world.events.tell({ type: 'delivery-incomplete', ...fieldsOf(issuance), missing: failed.length });
  }
}

/**
 * What the ledger remembers after a delivery, without another look. Where what was written over may have been
 * anything, superseded secrets lose their dates: one of them may have been served until now (V19).
 */
export function withResults(
  record: CredentialRecord,
  results: ReadonlyMap<SeenDestination, DeliveryResult>,
  { tenure, world }: { tenure: { rotation: Pick<RotationRecord, 'generation' | 'secretId'> }; world: World },
): CredentialRecord {
  const { generation, secretId } = tenure.rotation;
  const isTouched = [...results.values()].some(({ touched }) => touched);
  return {
    ...record,
    secrets: isTouched
      ? record.secrets.map((each) => (each.role === 'superseded' ? { ...each, deleteAfter: null } : each))
      : record.secrets,
    destinations: record.destinations.map((known): DestinationRecord => {
      const found = [...results].find(([target]) => isSamePlace(target, known));
      if (found === undefined) return known;
      const [target, result] = found;
      if (result.outcome === 'failed') return { ...known, error: result.error };
      if (result.outcome === 'overtaken') return known;
      const { version, revision } = result;
      const served = { generation, secretId, version, revision, deliveredAt: world.clock.now() };
      return { ...known, ...served, format: target.format, adopted: null, state: 'served', error: null };
    }),
  };
}

/** Secrets made by hand that the entries to be written over name: superseded, where no rekeyd's mark is on them. */
function namedByEntries({ situation }: Issuance, targets: readonly SeenDestination[]): string[] {
  const named = targets.map((each) => adoptionOf(each)?.secretId ?? null).filter((each) => each !== null);
  const listed = situation.observation.secrets ?? [];
  return [...new Set(named)].filter((id) => {
    const secret = listed.find((each) => each.secretId === id);
    return secret !== undefined && !hasAnyMarker(secret.description);
  });
}
