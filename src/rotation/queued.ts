import type { RotationRecord } from '../ledger/records.ts';

/** Whether a request goes ahead of the hour's pace and of the breaker. Null, no request: it does not. */
export function goesAhead(queued: RotationRecord | null): boolean {
  return queued !== null && queued.passes !== 'nothing';
}

/** Whether a person forced it past pace, breaker and budget. */
export function isForced(queued: RotationRecord | null): queued is RotationRecord {
  return queued?.passes === 'limits';
}
