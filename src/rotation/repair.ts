import { IssuerError, safeMessage, VaultError } from '../domain/errors.ts';
import type { CredentialRecord, RotationRecord } from '../ledger/records.ts';
import { backoff } from './backoff.ts';
import { withStep } from './ending.ts';
import type { Control } from './control.ts';
import type { Decision, Situation } from './decision.ts';
import { deliverAll, mayTake } from './delivery.ts';
import { expectDelivery, isUnexpected } from './expected-places.ts';
import { LifeCheck } from './life-check.ts';
import { readValue } from './look.ts';
import { graceStart } from './observation.ts';
import { issuerOf } from './observe.ts';
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
  const { observation } = situation;
  let { record } = situation;
  const names = observation.terms.kind === 'managed' ? observation.terms.names : {};
  const fields = { ...observation.key, name: record.name, reason: decision.reason, secretId: decision.secretId };
  let problem: string | null = null;
  try {
    const value = await readValue(world, decision.source, names, control.giveUp);
    if (value === null) problem = 'the value could not be read back';
    else {
      // only what the issuer accepts is copied: an entry may have been changed under its mark a moment ago
      const issuer = issuerOf(world, observation.key);
      const { clientId } = observation.key;
      const life = new LifeCheck(
        world.clock,
        null,
        async () => (await issuer.verify(clientId, value.clientSecret, control.giveUp)) === 'refused',
      );
      if (!(await life.isAlive())) problem = 'the value that was read back is not accepted by the issuer';
      else {
        if (isUnexpected(record, decision.targets, decision.generation)) {
          const expected = expectDelivery(record, decision.targets, decision.generation);
          // a lost race: the next look sees what is there
          if (!(await world.ledger.commit({ credentials: [expected], rotations: [] }))) return false;
          record = { ...expected, version: expected.version + 1 };
        }
        const results = await deliverAll(
          world,
          decision.targets,
          {
            mark: {
              ...observation.owner,
              generation: decision.generation,
              secretId: decision.secretId,
              // now, also where it is a settled generation: until now the place may have served an older secret
              deliveredAt: graceStart({ now: world.clock.now(), skew: issuer.skew() }),
            },
            about: { name: record.name, reason: decision.reason, rotationId: rotationOf(record, decision) },
            value: value.clientSecret,
            life,
            expires: record.current?.expires ?? null,
            names,
            mayTake: (destination, version) => mayTake(observation.terms, destination, version),
          },
          control.giveUp,
        );
        const failed = [...results.values()].find((each) => each.outcome === 'failed');
        problem = failed?.outcome === 'failed' ? failed.error : null;
        await remember(world, record, decision, results, problem);
        return problem === null;
      }
    }
  } catch (error) {
    if (!(error instanceof VaultError) && !(error instanceof IssuerError)) throw error;
    problem = safeMessage(error);
  }
  world.events.tell({ type: 'copy-failed', ...fields, error: problem });
  await remember(world, record, decision, new Map(), problem);
  return false;
}

/** The rotation that made what is copied; null: this ledger does not have it, as of an adopted secret. */
function rotationOf(
  { secrets }: CredentialRecord,
  { rotation, secretId }: Extract<Decision, { action: 'deliver' }>,
): string | null {
  return rotation?.id ?? secrets.find((each) => each.secretId === secretId)?.rotationId ?? null;
}

async function remember(
  world: World,
  record: CredentialRecord,
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
