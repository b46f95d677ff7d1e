import type { DestinationState } from '../domain/destination-state.ts';
import { compareMarks, isOurs } from '../domain/mark.ts';
import type { Mark, Owner } from '../domain/mark.ts';
import type { Instant } from '../domain/time.ts';
import type { CredentialRecord, DestinationRecord } from '../ledger/records.ts';
import type { Observation, SeenDestination, Sight } from './observation.ts';

/** A destination of which nothing was ever seen. */
export const NOTHING_KNOWN = {
  generation: null,
  secretId: null,
  deliveredAt: null,
  version: null,
  revision: null,
  adopted: null,
  seenAt: null,
  error: null,
};

/** A bound mark of ours: what surely is served somewhere. */
export type Served = Pick<Mark, 'generation' | 'secretId' | 'deliveredAt'>;

/** The mark of a destination where it is ours and describes the value that is there; null otherwise. */
export function servedBy(destination: SeenDestination, owner: Owner): Served | null {
  const { sight } = destination;
  if (sight.state !== 'present' || sight.mark === null || sight.binding !== 'bound') return null;
  return isOurs(sight.mark, owner) ? sight.mark : null;
}

/** The highest (generation, secret id) that any destination serves; null: none serves anything of ours. */
export function topServed(observation: Observation): Served | null {
  let top: Served | null = null;
  for (const destination of observation.destinations) {
    const served = servedBy(destination, observation.owner);
    if (served !== null && (top === null || compareMarks(served, top) > 0)) top = served;
  }
  return top;
}

/** Whether what a destination serves is newer than what is current. */
export function isAhead(served: Served, { current }: Pick<CredentialRecord, 'current'>): boolean {
  return current !== null && compareMarks(served, { ...current, secretId: current.secretId ?? '' }) > 0;
}

/** The newest secret that a present destination serves, where it is newer than what is current; null: none is. */
export function newestAhead(observation: Observation, current: CredentialRecord['current']): string | null {
  const present = observation.destinations.filter((each) => each.format !== null);
  const top = topServed({ ...observation, destinations: present });
  return top !== null && isAhead(top, { current }) ? top.secretId : null;
}

/** Whether somebody stripped our mark from a version that the ledger knows as made by us (C8). */
export function isStripped(destination: SeenDestination): boolean {
  const { sight, known } = destination;
  return (
    sight.state === 'present' &&
    sight.mark === null &&
    known !== null &&
    known.generation !== null &&
    known.secretId !== null &&
    known.adopted === null &&
    known.version === sight.version
  );
}

/** Whether an unmarked entry is one that was read and proven, now or at the version that the ledger remembers. */
export function adoptionOf(destination: SeenDestination): DestinationRecord['adopted'] {
  const { sight, known, proven } = destination;
  if (sight.state !== 'present' || sight.mark !== null || isStripped(destination)) return null;
  if (proven !== null) return { version: sight.version, secretId: proven.secretId };
  return known?.adopted?.version === sight.version ? known.adopted : null;
}

/** A former destination that held a stranger's entry, and never anything of ours. */
export function wasNeverOurs({ format, known }: SeenDestination): boolean {
  return format === null && known?.generation === null;
}

/** Whether something is there that no mark of ours is bound to, nor was before it was stripped. */
export function mayServeAnything(destination: SeenDestination, owner: Owner): boolean {
  if (destination.sight.state !== 'present' || isStripped(destination) || wasNeverOurs(destination)) return false;
  return servedBy(destination, owner) === null;
}

/**
 * Whether an entry was written, or taken away, by somebody else since the ledger last knew it, whatever it serves now: in
 * between it may have served anything, rolled back and repaired by hand or by another daemon (V19).
 */
export function wasTouched({ sight, known }: SeenDestination): boolean {
  if (known === null || known.version === null || sight.state === 'unreachable') return false;
  return sight.state === 'absent' || sight.version !== known.version || isRewritten(sight, known.revision);
}

/** Whether somebody wrote since `revision`, though what is there may be as it was. Not where one of the two is unknown. */
export function isRewritten(sight: Sight, revision: string | null | undefined): boolean {
  if (sight.state !== 'present' || sight.revision === undefined || revision === null || revision === undefined)
    return false;
  return sight.revision !== revision;
}

/** What the ledger remembers of the destinations after this look. `top` is what they all should serve. */
export function rememberDestinations(observation: Observation, top: Served | null): DestinationRecord[] {
  return observation.destinations.map((destination) => {
    const { sight, known } = destination;
    const served = servedBy(destination, observation.owner);
    const base = {
      vault: destination.vault,
      identity: destination.identity,
      entry: destination.entry,
      options: destination.options,
      format: known?.format ?? null,
      former: destination.format === null,
      held: heldAfter(known, served),
    };
    if (sight.state === 'unreachable') {
      return { ...NOTHING_KNOWN, ...known, ...base, state: 'unreachable' as const, error: sight.error };
    }
    if (sight.state === 'absent') {
      // what it once held it may be filled with again by hand: it stays known by that, also when no rule names it any more
      const generation = known?.generation ?? null;
      return { ...NOTHING_KNOWN, ...base, generation, state: 'absent' as const, seenAt: observation.now };
    }
    const adopted = adoptionOf(destination);
    return {
      ...NOTHING_KNOWN,
      ...base,
      ...marksOf(destination, served, adopted, observation.now),
      // our own version stays known while its mark is stripped or broken, so that it can be told from a foreign one
      version: served === null ? (known?.version ?? null) : sight.version,
      revision: sight.revision ?? null,
      state: stateOf(destination, observation.owner, served, top, adopted !== null),
      adopted,
      seenAt: observation.now,
    };
  });
}

/** What was rolled back may be put forth again by hand: the highest that was ever there counts. */
function heldAfter(known: DestinationRecord | null, served: Served | null): number | null {
  const highest = Math.max(mayHold(known), served?.generation ?? -1);
  return highest < 0 ? null : highest;
}

/** The highest generation that a destination may hold, or have held; -1: it never held anything of ours. */
export function mayHold(known: Pick<DestinationRecord, 'generation' | 'held'> | null): number {
  return Math.max(known?.held ?? -1, known?.generation ?? -1);
}

function marksOf(
  destination: SeenDestination,
  served: Served | null,
  adopted: DestinationRecord['adopted'],
  now: Instant,
): Pick<DestinationRecord, 'generation' | 'secretId' | 'deliveredAt'> {
  if (served !== null) {
    return { generation: served.generation, secretId: served.secretId, deliveredAt: served.deliveredAt };
  }
  if (adopted !== null) {
    return { generation: 0, secretId: adopted.secretId, deliveredAt: destination.known?.deliveredAt ?? now };
  }
  const { known } = destination;
  return known === null
    ? { generation: null, secretId: null, deliveredAt: null }
    : { generation: known.generation, secretId: known.secretId, deliveredAt: known.deliveredAt };
}

function stateOf(
  destination: SeenDestination,
  owner: Owner,
  served: Served | null,
  top: Served | null,
  adopted: boolean,
): DestinationState {
  const { sight } = destination;
  if (sight.state !== 'present') return 'absent';
  if (served !== null) return top === null || compareMarks(served, top) >= 0 ? 'served' : 'behind';
  if (sight.mark !== null && isOurs(sight.mark, owner)) return 'drifted';
  if (isStripped(destination)) return 'drifted';
  // an adopted entry is generation 0: left as it is until something newer is to be served
  if (adopted) return top === null ? 'served' : 'behind';
  return 'foreign';
}
