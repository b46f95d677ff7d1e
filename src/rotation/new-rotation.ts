import type { RotationRecord } from '../ledger/records.ts';

/** A rotation of which nothing was done yet. */
export function newRotation(
  given: Pick<
    RotationRecord,
    | 'id'
    | 'issuer'
    | 'clientId'
    | 'name'
    | 'generation'
    | 'trigger'
    | 'reason'
    | 'note'
    | 'actor'
    | 'grace'
    | 'startedAt'
    | 'owner'
  >,
): RotationRecord {
  return {
    ...given,
    version: 0,
    state: 'intended',
    secretId: null,
    expires: null,
    supersedes: [],
    sentAt: null,
    mayBeServed: false,
    deliveredAt: null,
    deleteAfter: null,
    finishedAt: null,
    watchUntil: null,
    error: null,
    steps: [],
    leaseUntil: null,
  };
}
