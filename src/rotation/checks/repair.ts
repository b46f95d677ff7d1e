import { isOurs } from '../../domain/mark.ts';
import { hold, pass } from '../decision.ts';
import type { Check, Situation } from '../decision.ts';
import { missingMarks } from '../marks.ts';
import { healthOf, lacking, needOf, sources } from '../need.ts';
import { adoptionOf, isStripped, servedBy } from '../remember-destinations.ts';

/** Goes on with a delivery that was begun: also in pause, and when no rule matches any more. */
export const runningDeliveryCheck: Check = {
  name: 'running-delivery',
  look(situation) {
    const { observation, rotations, record } = situation;
    const rotation = rotations.find((each) => each.state === 'delivering');
    if (rotation === undefined) return pass('no delivery is under way');
    if (observation.mode === 'observe') return pass('a delivery is under way, mode is observe');
    if (record.retryAt !== null && record.retryAt > observation.now) {
      return hold('a destination failed; it is tried again later', 'backoff', 'failing', '', record.retryAt);
    }
    const serves = (each: (typeof observation.destinations)[number]) =>
      servedBy(each, observation.owner)?.secretId === rotation.secretId;
    const targets = observation.destinations.filter(
      (each) =>
        each.format !== null && each.sight.state !== 'unreachable' && !serves(each) && !isForeign(situation, each),
    );
    const source = observation.destinations.find((each) => each.readable && serves(each));
    const foreign = observation.destinations.find((each) => each.format !== null && isForeign(situation, each));
    if (targets.length === 0 && foreign !== undefined) {
      // a person must act, not a vault: the check of claims says so
      return pass(`rotation ${rotation.id} waits for ${foreign.vault} ${foreign.entry}, which is not ours`);
    }
    if (rotation.secretId === null || source === undefined || targets.length === 0) {
      const down = observation.destinations.filter((each) => each.sight.state === 'unreachable');
      const saw = `rotation ${rotation.id} waits for ${down.map((each) => `${each.vault} ${each.entry}`).join(', ')}`;
      return hold(saw, 'vault-failed', 'failing', 'see the vault: it is tried again', null, rotation.reason);
    }
    return {
      saw: `${targets.length} destinations lack generation ${rotation.generation}`,
      decision: {
        action: 'deliver',
        reason: rotation.reason,
        targets,
        source,
        secretId: rotation.secretId,
        generation: rotation.generation,
        rotation,
      },
    };
  },
};

/** Marks that were taken off, and destinations that lack what is current. */
export const repairChecks: readonly Check[] = [
  {
    name: 'marks',
    look({ observation, record }) {
      const { entries, secrets } = missingMarks(observation, record.secrets);
      if (entries.length === 0 && secrets.length === 0) return pass('all marks are where they were written');
      if (record.unmarked !== null && record.unmarked.retryAt > observation.now) {
        // whatever else is due goes on: a mark that cannot be written back must not cost the service
        return pass('a mark of ours was taken off; it is written back later');
      }
      return {
        saw: 'a mark of ours was taken off',
        decision: { action: 'restore', reason: 'destination-drifted', entries, secrets },
      };
    },
  },
  {
    name: 'destinations',
    look(situation) {
      const lacks = lacking(situation);
      const [first] = lacks;
      if (first === undefined) return pass('no destination lacks what is current');
      const [source] = sources(situation);
      const { current } = situation.record;
      const dead = healthOf(situation) !== 'alive';
      if (source === undefined || current?.secretId == null || dead || needOf(situation) !== null) {
        return pass(`${lacks.length} destinations lack what is current: it cannot be copied, or is to be replaced`);
      }
      const { retryAt } = situation.record;
      if (retryAt !== null && retryAt > situation.observation.now) {
        return hold('a delivery failed; it is tried again later', 'backoff', 'failing', '', retryAt, first.reason);
      }
      return {
        saw: `${lacks.length} destinations lack what ${source.vault} ${source.entry} serves`,
        decision: {
          action: 'deliver',
          reason: first.reason,
          targets: lacks.map((each) => each.destination),
          source,
          secretId: current.secretId,
          generation: current.generation,
          rotation: null,
        },
      };
    },
  },
];

/** An entry that is not ours and was not adopted: never written to, unless a rule takes it over. */
export function isForeign(
  { observation }: Pick<Situation, 'observation'>,
  destination: Situation['observation']['destinations'][number],
): boolean {
  const { sight } = destination;
  if (sight.state !== 'present' || isStripped(destination)) return false;
  if (sight.mark !== null) return !isOurs(sight.mark, observation.owner);
  const taken = observation.terms.kind === 'managed' && observation.terms.policy.initial === 'rotate';
  return !taken && adoptionOf(destination) === null;
}
