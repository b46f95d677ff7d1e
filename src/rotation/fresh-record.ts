import type { CredentialKey, CredentialRecord } from '../ledger/records.ts';

/** The record of a credential that the ledger does not know yet. */
export function freshRecord(key: CredentialKey, description: string): CredentialRecord {
  return {
    ...key,
    version: 0,
    name: description === '' ? key.clientId : description,
    description,
    pinnedDescription: null,
    policy: null,
    terms: '',
    generation: 0,
    current: null,
    secrets: [],
    destinations: [],
    state: 'unmanaged',
    reason: 'unmanaged',
    renewAt: null,
    dueAt: null,
    resyncAt: 0,
    lookedAt: null,
    failures: 0,
    interruptions: 0,
    retryAt: null,
    lastError: null,
    lastReason: null,
    unlisted: null,
    unmarked: null,
    pause: null,
    goneSince: null,
  };
}
