import type { RotationRecord } from '../ledger/records.ts';

/** Whether the last try to deliver its secret failed, and it was not delivered since: another one follows. */
export function isFailingDelivery({ state, steps }: Pick<RotationRecord, 'state' | 'steps'>): boolean {
  const last = steps.at(-1);
  return state === 'delivering' && last?.step === 'deliver' && last.outcome === 'failed';
}
