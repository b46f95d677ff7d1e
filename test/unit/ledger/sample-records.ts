import type { CredentialRecord, DestinationRecord, RotationRecord, SecretRecord } from '../../../src/ledger/records.ts';

/** 2030-01-01T00:00:00Z, the 'now' of these tests. */
export const NOW = Date.UTC(2030, 0, 1);

export function sampleSecret(over: Partial<SecretRecord> = {}): SecretRecord {
  return {
    secretId: '101',
    expires: NOW + 90_000_000,
    role: 'current',
    rotationId: null,
    generation: 1,
    firstSeen: NOW,
    deleteAfter: null,
    grace: null,
    missingSince: null,
    deletingSince: null,
    deleteFailures: 0,
    retireRequested: false,
    ...over,
  };
}

export function sampleDestination(over: Partial<DestinationRecord> = {}): DestinationRecord {
  return {
    vault: 'local',
    identity: 'file:/var/vault',
    entry: 'prod/data8/app',
    options: { labels: { team: 'a' } },
    format: { kind: 'value' },
    former: false,
    state: 'served',
    generation: 1,
    secretId: '101',
    deliveredAt: NOW,
    version: '1',
    adopted: null,
    seenAt: NOW,
    error: null,
    ...over,
  };
}

/** A credential that was never stored. */
export function sampleCredential(over: Partial<CredentialRecord> = {}): CredentialRecord {
  return {
    issuer: 'data8',
    clientId: 'client-a',
    version: 0,
    name: 'prod-app',
    description: 'app (prod)',
    pinnedDescription: null,
    policy: 'default',
    terms: 'terms-1',
    generation: 0,
    current: null,
    secrets: [],
    destinations: [],
    state: 'ok',
    reason: 'up-to-date',
    renewAt: null,
    dueAt: null,
    resyncAt: NOW,
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
    ...over,
  };
}

/** A rotation that was never stored. */
export function sampleRotation(over: Partial<RotationRecord> = {}): RotationRecord {
  return {
    id: '0190a000-0000-7000-8000-000000000001',
    issuer: 'data8',
    clientId: 'client-a',
    version: 0,
    name: 'prod-app',
    generation: 1,
    trigger: 'schedule',
    reason: 'expiring',
    note: null,
    actor: 'rekeyd',
    state: 'intended',
    secretId: null,
    expires: null,
    supersedes: [],
    grace: null,
    startedAt: NOW,
    sentAt: null,
    mayBeServed: false,
    deliveredAt: null,
    deleteAfter: null,
    finishedAt: null,
    watchUntil: null,
    error: null,
    steps: [{ step: 'intend', at: NOW, outcome: 'ok' }],
    owner: 'process-1',
    leaseUntil: NOW + 60_000,
    ...over,
  };
}
