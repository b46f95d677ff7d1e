import { IssuerError, safeMessage, VaultError } from '../domain/errors.ts';
import { destinationsDigest, markedDescription } from '../domain/marker.ts';
import type { RotationRecord } from '../ledger/records.ts';
import { backoff } from './backoff.ts';
import { withStep } from './ending.ts';
import type { Control } from './control.ts';
import type { Decision, Situation } from './decision.ts';
import { deliverAll } from './delivery.ts';
import { readValue, vaultOf } from './look.ts';
import { issuerOf } from './observe.ts';
import { adoptionOf, servedBy } from './remember-destinations.ts';
import { withResults } from './steps/deliver.ts';
import type { World } from './world.ts';

/**
 * Brings the present generation to destinations that lack it: the value is read back from one that serves it, verified,
 * and copied. @returns whether it worked for all.
 */
export async function copy(
  world: World,
  situation: Situation,
  decision: Extract<Decision, { action: 'deliver' }>,
  control: Control,
): Promise<boolean> {
  const { observation, record } = situation;
  const names = observation.terms.kind === 'managed' ? observation.terms.names : {};
  const fields = { ...observation.key, name: record.name, reason: decision.reason, secretId: decision.secretId };
  let problem: string | null = null;
  try {
    const value = await readValue(world, decision.source, names, control.giveUp);
    if (value === null) problem = 'the value could not be read back';
    else {
      // only what the issuer accepts is copied: an entry may have been changed under its mark a moment ago
      const verdict = await issuerOf(world, observation.key).verify(
        observation.key.clientId,
        value.clientSecret,
        control.giveUp,
      );
      if (verdict === 'refused') problem = 'the value that was read back is not accepted by the issuer';
      else {
        const served = servedBy(decision.source, observation.owner);
        const results = await deliverAll(
          world,
          decision.targets,
          {
            mark: {
              ...observation.owner,
              generation: decision.generation,
              secretId: decision.secretId,
              deliveredAt: served === null || decision.rotation !== null ? world.clock.now() : served.deliveredAt,
            },
            value: value.clientSecret,
            expires: record.current?.expires ?? null,
            names,
            mayTake: (destination, version) => adoptionOf(destination)?.version === version,
          },
          control.giveUp,
        );
        const failed = [...results.values()].find((each) => each.outcome === 'failed');
        problem = failed?.outcome === 'failed' ? failed.error : null;
        await remember(world, situation, decision, results, problem);
        return problem === null;
      }
    }
  } catch (error) {
    if (!(error instanceof VaultError) && !(error instanceof IssuerError)) throw error;
    problem = safeMessage(error);
  }
  world.log.warn('copy-failed', 'Could not copy the value to a destination that lacks it', {
    ...fields,
    error: problem,
  });
  await remember(world, situation, decision, new Map(), problem);
  return false;
}

async function remember(
  world: World,
  { record }: Situation,
  { rotation, generation, secretId }: Extract<Decision, { action: 'deliver' }>,
  results: Awaited<ReturnType<typeof deliverAll>>,
  problem: string | null,
): Promise<void> {
  const now = world.clock.now();
  const failures = problem === null ? 0 : record.failures + 1;
  const delivered = withResults(record, results, { world, tenure: { rotation: { generation, secretId } } });
  const next = {
    ...delivered,
    failures,
    retryAt: problem === null ? null : now + backoff(failures, world.random.next()),
    lastError: problem,
    lastReason: problem === null ? null : ('vault-failed' as const),
  };
  const moved: RotationRecord[] =
    rotation === null || problem === null ? [] : [{ ...withStep(rotation, 'deliver', now, 'failed'), error: problem }];
  // a lost race is no harm: the next look sees what is there
  await world.ledger.commit({ credentials: [next], rotations: moved });
}

/** Writes marks back that somebody took off (C7, C8). @returns whether it worked for all. */
export async function restore(
  world: World,
  { observation, record }: Situation,
  { entries, secret, reason }: Extract<Decision, { action: 'restore' }>,
  control: Control,
): Promise<boolean> {
  const fields = { ...observation.key, name: record.name, reason };
  let whole = true;
  for (const { destination, known } of entries) {
    const { sight } = destination;
    if (sight.state !== 'present' || known.generation === null || known.secretId === null) continue;
    const mark = {
      ...observation.owner,
      generation: known.generation,
      secretId: known.secretId,
      deliveredAt: known.deliveredAt ?? observation.now,
    };
    const place = { ...fields, vault: destination.vault, entry: destination.entry };
    try {
      const ref = { entry: destination.entry, options: destination.options };
      const vault = vaultOf(world, destination.vault);
      const { version } = await vault.restoreMark(ref, mark, sight.version, control.giveUp);
      await rememberVersion(world, record, destination, version);
      world.log.warn('mark-restored', 'The mark of an entry had been taken off; it was written back', place);
    } catch (error) {
      if (!(error instanceof VaultError)) throw error;
      whole = false;
      world.log.warn('restore-failed', 'Could not write a mark back', { ...place, error: error.message });
    }
  }
  if (secret === null) return whole;
  const { rotation } = secret;
  const present = observation.destinations.filter((each) => each.format !== null);
  const issuer = issuerOf(world, observation.key);
  const marker = {
    instance: observation.owner.instance,
    generation: rotation.generation,
    rotationId: rotation.id,
    destinations: destinationsDigest(present),
  };
  const description = markedDescription(record.name, marker, issuer.descriptionLimit);
  try {
    const wish = { expires: secret.secret.expires, description };
    await issuer.updateSecret(observation.key.clientId, secret.secret.secretId, wish, control.giveUp);
    world.log.warn('marker-restored', 'The marker of a secret had been taken off; it was written back', fields);
  } catch (error) {
    if (!(error instanceof IssuerError)) throw error;
    whole = false;
    world.log.warn('restore-failed', 'Could not write a marker back', { ...fields, error: error.message });
  }
  return whole;
}

async function rememberVersion(
  world: World,
  record: Situation['record'],
  destination: { readonly identity: string; readonly entry: string },
  version: string,
): Promise<void> {
  const stored = await world.ledger.credential(record);
  if (stored === null) return;
  const destinations = stored.destinations.map((each) =>
    each.identity === destination.identity && each.entry === destination.entry ? { ...each, version } : each,
  );
  await world.ledger.commit({ credentials: [{ ...stored, destinations }] });
}
