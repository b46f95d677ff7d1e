import { describe, expect, it } from 'vitest';
import { credentialView, rotationView } from '../../../src/daemon/views.ts';
import { credentialSchema, rotationSchema } from '../../../src/http/output.ts';
import type { RotationRecord } from '../../../src/ledger/records.ts';
import { credentialRecord, destinationRecord, NOW, secretRecord } from '../telemetry/records.ts';

const T = '2030-01-01T00:00:00.000Z';

describe('a credential`s view', () => {
  it('is exactly what the contract lists', () => {
    const record = credentialRecord({
      secrets: [secretRecord()],
      destinations: [destinationRecord({ former: true, error: 'unreachable' })],
      failures: 2,
      lastError: 'data8 answered 403',
    });
    expect(credentialView(record, NOW)).toStrictEqual({
      issuer: 'data8',
      clientId: 'client-1',
      name: 'prod-crm',
      description: 'crm (prod)',
      policy: 'default',
      state: 'ok',
      reason: 'up-to-date',
      current: { secretId: '12', generation: 2, expires: '2030-01-01T00:16:40.000Z' },
      renewAt: '2030-01-01T00:08:20.000Z',
      secrets: [{ secretId: '12', expires: '2030-01-01T00:16:40.000Z', role: 'current', deleteAfter: null }],
      destinations: [
        {
          vault: 'local',
          entry: 'prod/crm',
          generation: 2,
          secretId: '12',
          deliveredAt: '2029-12-31T23:59:59.500Z',
          state: 'served',
          error: 'unreachable',
          former: true,
        },
      ],
      failures: 2,
      lastError: 'data8 answered 403',
      pausedUntil: null,
    });
  });

  it('has null for never and for nothing', () => {
    const view = credentialView(credentialRecord({ current: null, renewAt: null, policy: null }), NOW);
    expect([view.current, view.renewAt, view.policy]).toEqual([null, null, null]);
    const current = { secretId: null, generation: 0, expires: null };
    expect(credentialView(credentialRecord({ current }), NOW).current).toEqual(current);
  });

  it('sorts secrets by id, numbers as numbers, and leaves the record as it is', () => {
    const secrets = ['10', '9', '100'].map((secretId) => secretRecord({ secretId }));
    const record = credentialRecord({ secrets });
    expect(credentialView(record, NOW).secrets.map(({ secretId }) => secretId)).toEqual(['9', '10', '100']);
    expect(record.secrets.map(({ secretId }) => secretId)).toEqual(['10', '9', '100']);
  });

  it('tells until when it is paused, as long as it is', () => {
    const until = (pause: { until: number | null }) =>
      credentialView(credentialRecord({ pause: { since: NOW - 5, note: 'internal', ...pause } }), NOW).pausedUntil;
    expect(until({ until: NOW + 1_000 })).toBe('2030-01-01T00:00:01.000Z');
    expect(until({ until: NOW })).toBeNull();
    expect(until({ until: null })).toBeNull();
  });

  it('passes the schema of the HTTP interface unchanged', () => {
    const view = credentialView(
      credentialRecord({ secrets: [secretRecord()], destinations: [destinationRecord()] }),
      NOW,
    );
    expect(credentialSchema.parse(view)).toStrictEqual(view);
  });
});

describe('a rotation`s view', () => {
  const record: RotationRecord = {
    id: '019471a2-0000-7000-8001-000000000001',
    version: 9,
    issuer: 'data8',
    clientId: 'client-1',
    name: 'prod-crm',
    generation: 3,
    trigger: 'manual',
    reason: 'manual',
    note: 'leaked',
    actor: 'ci',
    state: 'grace',
    secretId: '13',
    expires: NOW,
    supersedes: ['12'],
    grace: 5,
    startedAt: NOW,
    sentAt: NOW,
    mayBeServed: true,
    deliveredAt: NOW,
    deleteAfter: NOW,
    finishedAt: null,
    watchUntil: NOW,
    error: null,
    steps: [{ step: 'intend', at: NOW, outcome: 'ok' }],
    owner: 'process-1',
    leaseUntil: NOW,
  };

  it('is exactly what the contract lists', () => {
    expect(rotationView(record)).toStrictEqual({
      id: record.id,
      issuer: 'data8',
      clientId: 'client-1',
      name: 'prod-crm',
      generation: 3,
      trigger: 'manual',
      reason: 'manual',
      note: 'leaked',
      actor: 'ci',
      bulkId: null,
      retriedAs: null,
      state: 'grace',
      secretId: '13',
      supersedes: ['12'],
      startedAt: T,
      deliveredAt: T,
      deleteAfter: T,
      finishedAt: null,
      error: null,
      steps: [{ step: 'intend', at: T, outcome: 'ok' }],
    });
  });

  it('passes the schema of the HTTP interface unchanged', () => {
    expect(rotationSchema.parse(rotationView(record))).toStrictEqual(rotationView(record));
  });
});
