import type { CredentialRecord, DestinationRecord, SecretRecord } from '../../../src/ledger/records.ts';

export const NOW = Date.UTC(2030, 0, 1);

export function credentialRecord(change: Partial<CredentialRecord> = {}): CredentialRecord {
  return {
    issuer: 'data8',
    clientId: 'client-1',
    version: 3,
    name: 'prod-crm',
    description: 'crm (prod)',
    pinnedDescription: null,
    policy: 'default',
    terms: 'digest-of-terms',
    generation: 2,
    current: { secretId: '12', generation: 2, expires: NOW + 1_000_000 },
    secrets: [],
    destinations: [],
    state: 'ok',
    reason: 'up-to-date',
    renewAt: NOW + 500_000,
    dueAt: NOW + 500_000,
    resyncAt: NOW + 60_000,
    lookedAt: NOW - 1_000,
    failures: 0,
    interruptions: 7,
    retryAt: null,
    lastError: null,
    lastReason: null,
    unlisted: null,
    unmarked: null,
    pause: null,
    goneSince: null,
    ...change,
  };
}

export function secretRecord(change: Partial<SecretRecord> = {}): SecretRecord {
  return {
    secretId: '12',
    expires: NOW + 1_000_000,
    role: 'current',
    rotationId: '019471a2-0000-7000-8001-000000000001',
    generation: 2,
    firstSeen: NOW - 1_000,
    deleteAfter: null,
    grace: null,
    missingSince: null,
    deletingSince: null,
    deleteFailures: 0,
    retireRequested: false,
    ...change,
  };
}

export function destinationRecord(change: Partial<DestinationRecord> = {}): DestinationRecord {
  return {
    vault: 'local',
    identity: 'file:/var/vault',
    entry: 'prod/crm',
    options: { labels: { internal: 'option' } },
    format: null,
    former: false,
    state: 'served',
    generation: 2,
    secretId: '12',
    deliveredAt: NOW - 500,
    version: 'vault-version',
    adopted: null,
    seenAt: NOW,
    error: null,
    ...change,
  };
}
