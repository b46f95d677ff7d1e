import { isSameFormat } from '../domain/payload.ts';
import { isOurs } from '../domain/mark.ts';
import type { Reason } from '../domain/reason.ts';
import type { Situation } from './decision.ts';
import { issuerTime, UNNAMED } from './observation.ts';
import type { SeenDestination, SeenSecret } from './observation.ts';
import { isAlive } from './proof.ts';
import { isWaiting } from './queued.ts';
import { adoptionOf, isAhead, newestAhead, servedBy } from './remember-destinations.ts';
import { lifeOf } from './remember.ts';
import { isUrgent, renewalOf } from './renewal.ts';

/** Why a new secret is wanted now. */
export interface Need {
  readonly reason: Reason;
  readonly urgent: boolean;
}

/** A present destination that does not serve what it should. */
export interface Lack {
  readonly destination: SeenDestination;
  readonly reason: Reason;
}

/**
 * Present destinations that lack what is current. Not among them: those that could not be read, those that hold a
 * stranger's entry, and those whose mark was stripped (it is restored).
 */
export function lacking({ observation, record }: Situation): Lack[] {
  return observation.destinations.flatMap((destination) => {
    const reason = lackOf(destination);
    return reason === null ? [] : [{ destination, reason }];
  });

  function lackOf({ sight, format, known, ...rest }: SeenDestination): Reason | null {
    if (format === null || sight.state === 'unreachable') return null;
    if (sight.state === 'absent') return 'destination-empty';
    const served = servedBy({ sight, format, known, ...rest }, observation.owner);
    if (served === null) {
      if (sight.mark !== null) return isOurs(sight.mark, observation.owner) ? 'destination-drifted' : null;
      // an adopted entry is left as it is until something of ours is served elsewhere
      const adopted = adoptionOf({ sight, format, known, ...rest }) !== null;
      return adopted && (record.current?.generation ?? 0) > 0 ? 'destination-behind' : null;
    }
    // one that is ahead of what is current serves a secret that is gone: nothing older is written over it, see needOf
    if (served.secretId !== record.current?.secretId) return isAhead(served, record) ? null : 'destination-behind';
    const changed = known?.format != null && !isSameFormat(known.format, format);
    return changed ? 'format-changed' : null;
  }
}

/** Whether what is served is alive; `unsure`: missing from the list, but not believed gone yet; `none`: nothing is served. */
export type Health = 'alive' | 'expired' | 'gone' | 'unsure' | 'none';

/**
 * The health of the served secret. 'Gone' is believed only after two lists past the lag and, where a value can be read
 * back, a refusal at the token endpoint.
 */
export function healthOf({ observation, record }: Situation): Health {
  const { current } = record;
  const list = observation.secrets;
  if (current === null) return 'none';
  if (list === null) return 'unsure';
  const now = issuerTime(observation);
  if (current.secretId === null) {
    if (observation.refused.has(UNNAMED)) return 'gone';
    return list.some((each) => each.marker === null && isAlive(each, now)) ? 'alive' : 'expired';
  }
  return healthOfSecret({ observation, record }, list, current.secretId);
}

function healthOfSecret(
  { observation, record }: Pick<Situation, 'observation' | 'record'>,
  list: readonly SeenSecret[],
  secretId: string,
): Health {
  const listed = list.find((each) => each.secretId === secretId);
  if (listed !== undefined) return isAlive(listed, issuerTime(observation)) ? 'alive' : 'expired';
  const missingSince = record.secrets.find((each) => each.secretId === secretId)?.missingSince ?? null;
  if (missingSince === null || observation.now - missingSince < observation.timing.listLag) return 'unsure';
  if (observation.refused.has(secretId)) return 'gone';
  // an adopted entry may name another secret than it holds: what it holds was not refused
  if (observation.destinations.some((each) => adoptionOf(each)?.secretId === secretId)) return 'alive';
  const readable = observation.destinations.some(
    (each) => each.readable && servedBy(each, observation.owner)?.secretId === secretId,
  );
  return readable ? 'unsure' : 'gone';
}

/** What a present destination serves that is ahead of what is current, and its health; null: none is. */
export function aheadOf({ observation, record }: Situation): { secretId: string; health: Health } | null {
  const secretId = newestAhead(observation, record.current);
  if (secretId === null || observation.secrets === null) return null;
  return { secretId, health: healthOfSecret({ observation, record }, observation.secrets, secretId) };
}

/** Destinations from which what is current can be read back. */
export function sources({ observation, record }: Situation): SeenDestination[] {
  const id = record.current?.secretId ?? null;
  return observation.destinations.filter(
    (each) =>
      each.readable &&
      id !== null &&
      (servedBy(each, observation.owner)?.secretId === id ||
        (each.proven !== null && each.proven.secretId === id) ||
        (each.sight.state === 'present' &&
          each.known?.adopted?.version === each.sight.version &&
          each.known.adopted.secretId === id)),
  );
}

/** Why a new secret is wanted now; null: none is. Whether it may be made is for the checks behind it to say. */
export function needOf(situation: Situation): Need | null {
  const { observation, record, rotations } = situation;
  const { terms } = observation;
  if (terms.kind !== 'managed') return null;
  const now = issuerTime(observation);
  const health = healthOf(situation);
  const ending = record.current !== null && isUrgent(record.current.expires, now, terms.policy);
  const need = (reason: Reason, urgent = ending): Need => ({ reason, urgent });

  if (health === 'expired') return need('expired', true);
  if (health === 'gone') return need('secret-gone', true);
  if (rotations.some((each) => isWaiting(each) && each.trigger === 'manual')) {
    return need('manual');
  }
  if (health === 'unsure') return null;
  if (health === 'alive' && record.current !== null) {
    const due = renewalOf(lifeOf(observation, record.current), terms.policy);
    if (due !== null && now >= due.at) return need(due.reason);
    // some destinations serve a newer secret that died, while an older one lives on elsewhere
    const ahead = aheadOf(situation)?.health ?? null;
    if (ahead === 'expired') return need('expired', true);
    if (ahead === 'gone') return need('secret-gone', true);
    if (ahead === 'unsure') return null;
    const top = record.current.generation;
    // everything was rolled back together: the newer generation can be read nowhere any more (V14)
    const newer = rotations.some((each) => (each.state === 'grace' || each.state === 'done') && each.generation > top);
    if (newer) return need('destination-behind');
  }
  const unread = observation.destinations.some((each) => each.format !== null && each.sight.state === 'unreachable');
  const lacks = lacking(situation);
  const first = lacks[0];
  if (first !== undefined && sources(situation).length === 0) {
    // a destination that did not answer may serve what the others lack: denied is never absence (V15)
    return unread ? null : need(first.reason, health === 'none' ? false : ending);
  }
  if (observation.destinations.some((each) => isToBeTaken(each)) && terms.policy.initial === 'rotate') {
    return need('initial');
  }
  return null;
}

/** An unmarked entry, for `initial: rotate`. */
function isToBeTaken({ format, sight, known }: SeenDestination): boolean {
  return format !== null && sight.state === 'present' && sight.mark === null && known?.version !== sight.version;
}
