import type { CredentialRecord, DestinationRecord } from '../ledger/records.ts';
import type { SeenDestination } from './observation.ts';
import { mayHold, NOTHING_KNOWN } from './remember-destinations.ts';

/**
 * To be stored before the first write of a generation: whatever happens from now on, these places are remembered, also when
 * no rule names them any more (C2, P1). One that held nothing counts as having held it: the write may land late.
 */
export function expectDelivery(
  record: CredentialRecord,
  targets: readonly SeenDestination[],
  generation: number,
): CredentialRecord {
  const known = record.destinations.map((each) =>
    targets.some((target) => isSamePlace(target, each)) ? expected(each, generation) : each,
  );
  // another process, under other rules, may have taken it out since it was looked at
  const others = targets.filter((target) => !known.some((each) => isSamePlace(target, each)));
  return { ...record, destinations: [...known, ...others.map((each) => expected(unseen(each), generation))] };
}

/** Whether {@link expectDelivery} would change anything. */
export function isUnexpected(
  record: CredentialRecord,
  targets: readonly SeenDestination[],
  generation: number,
): boolean {
  return targets.some((target) => {
    const known = record.destinations.find((each) => isSamePlace(target, each));
    return known === undefined || mayHold(known) < generation;
  });
}

export function isSamePlace(destination: SeenDestination, known: DestinationRecord): boolean {
  return destination.identity === known.identity && destination.entry === known.entry;
}

function expected(known: DestinationRecord, generation: number): DestinationRecord {
  const held = Math.max(mayHold(known), generation);
  return isEmpty(known)
    ? { ...known, held, generation: Math.max(known.generation ?? 0, generation) }
    : { ...known, held };
}

function isEmpty({ generation, state }: DestinationRecord): boolean {
  return generation === null || state === 'absent';
}

function unseen({ vault, identity, entry, options }: SeenDestination): DestinationRecord {
  return { ...NOTHING_KNOWN, vault, identity, entry, options, format: null, former: false, state: 'absent' };
}
