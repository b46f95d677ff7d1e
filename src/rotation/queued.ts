import type { RotationRecord } from '../ledger/records.ts';
import type { Situation } from './decision.ts';

/** Whether it waits for its turn: nothing was sent for it. */
export function isWaiting({ state, sentAt }: RotationRecord): boolean {
  return state === 'intended' && sentAt === null;
}

/** The request that waits to be carried out; null: none does. */
export function queuedOf({ rotations }: Pick<Situation, 'rotations'>): RotationRecord | null {
  return rotations.find(isWaiting) ?? null;
}

/** Whether a request goes ahead of the hour's pace and of the breaker. Null, no request: it does not. */
export function goesAhead(queued: RotationRecord | null): boolean {
  return queued !== null && queued.passes !== 'nothing';
}

/** Whether a person forced it past pace, breaker and budget. */
export function isForced(queued: RotationRecord | null): queued is RotationRecord {
  return queued?.passes === 'limits';
}
