import { describe, expect, it } from 'vitest';
import { HOUR } from '../../../src/domain/time.ts';
import type { CredentialRecord } from '../../../src/ledger/records.ts';
import { only, QUIET, setUp } from './gauges-page.ts';
import { credentialRecord, destinationRecord, NOW, secretRecord } from './records.ts';

describe('a credential', () => {
  it('shows when its served secret ends and is renewed', async () => {
    const lines = await setUp([credentialRecord()]).lines();
    expect(lines).toContain(
      `rekeyd_credential_expires_timestamp_seconds{issuer="data8",credential="client-1",name="prod-crm",managed="true"} ${NOW / 1000 + 1000}`,
    );
    expect(lines).toContain(
      `rekeyd_secret_renew_timestamp_seconds{issuer="data8",credential="client-1",name="prod-crm"} ${NOW / 1000 + 500}`,
    );
  });

  it('with maintenance windows shows, too, from when they let it be renewed', async () => {
    const starts = (change: Partial<CredentialRecord>, start: number | null) => {
      const calendar = { retirementOpening: () => null, renewalStart: () => start };
      return only('rekeyd_rotation_start', [credentialRecord(change)], { calendar });
    };
    expect(await starts({}, NOW + 600_000)).toEqual([
      `rekeyd_rotation_start_timestamp_seconds{issuer="data8",credential="client-1",name="prod-crm"} ${NOW / 1000 + 600}`,
    ]);
    expect(await starts({}, null)).toEqual([]);
    expect(await starts({ renewAt: null }, NOW)).toEqual([]);
    expect(await only('rekeyd_rotation_start', [credentialRecord()])).toEqual([]);
  });

  it('without a rule shows the last of its secrets to end', async () => {
    const unmatched = { state: 'unmanaged', reason: 'unmanaged', current: null, renewAt: null } as const;
    const secrets = [
      secretRecord({ secretId: '1', expires: NOW + 1_000, role: 'unmanaged' }),
      secretRecord({ secretId: '2', expires: NOW + 3_000, role: 'unmanaged' }),
      secretRecord({ secretId: '3', expires: NOW + 9_000, role: 'unmanaged', missingSince: NOW - 5 }),
    ];
    expect(await only('rekeyd_credential_expires', [credentialRecord({ ...unmatched, secrets })])).toEqual([
      `rekeyd_credential_expires_timestamp_seconds{issuer="data8",credential="client-1",name="prod-crm",managed="false"} ${NOW / 1000 + 3}`,
    ]);
    const never = [...secrets, secretRecord({ secretId: '4', expires: null, role: 'unmanaged' })];
    expect(await only('rekeyd_credential_expires', [credentialRecord({ ...unmatched, secrets: never })])).toEqual([]);
    expect(await only('rekeyd_credential_expires', [credentialRecord({ ...unmatched, secrets: [] })])).toEqual([]);
  });

  it('is managed also under a policy that is written in its rule; our own client that is failing without a rule is not', async () => {
    const records = [
      credentialRecord({ policy: null }),
      credentialRecord({
        clientId: 'own',
        policy: null,
        terms: 'unmanaged',
        state: 'failing',
      }),
    ];
    const lines = await setUp(records).lines();
    const shown = (clientId: string) =>
      lines.filter((line) => line.includes(`"${clientId}"`)).map((line) => line.match(/^\w+|managed="\w+"/g));
    expect(shown('client-1')).toEqual([
      ['rekeyd_credential_expires_timestamp_seconds', 'managed="true"'],
      ['rekeyd_secret_renew_timestamp_seconds'],
    ]);
    expect(shown('own')).toEqual([['rekeyd_credential_expires_timestamp_seconds', 'managed="false"']]);
  });

  it('that is ignored has no series, but is counted', async () => {
    const lines = await setUp([credentialRecord({ state: 'ignored' })]).lines();
    expect(lines.filter((line) => line.includes('client-1'))).toEqual([]);
    expect(lines).toContain('rekeyd_credentials{issuer="data8",state="ignored"} 1');
  });

  it('I18: that is gone has no series, for there is nothing to act on, but is counted', async () => {
    const gone = { goneSince: NOW - HOUR, current: null, resyncAt: NOW - 2_000 } as const;
    const records = [
      credentialRecord({
        ...gone,
        state: 'blocked',
        reason: 'credential-gone',
        secrets: [secretRecord(), secretRecord({ secretId: '11', role: 'superseded' })],
        destinations: [destinationRecord({ state: 'behind' })],
      }),
      credentialRecord({ ...gone, clientId: 'client-2', state: 'unmanaged', policy: null, secrets: [secretRecord()] }),
      credentialRecord({ ...gone, clientId: 'client-3', state: 'paused', secrets: [secretRecord()] }),
    ];
    const lines = await setUp(records, { ownClients: new Map([['data8', 'client-2']]) }).lines();
    expect(lines.filter((line) => line.includes('client-') || line.startsWith('rekeyd_own'))).toEqual([]);
    for (const state of ['blocked', 'unmanaged', 'paused']) {
      expect(lines).toContain(`rekeyd_credentials{issuer="data8",state="${state}"} 1`);
    }
    expect(lines).toContain('rekeyd_retirements_blocked{issuer="data8"} 0');
    // it is looked at now and then all the same: it may be made again
    expect(lines).toContain('rekeyd_resync_lag_seconds{issuer="data8"} 2');
  });

  it('S7: with a hostile name stays on its line', async () => {
    const lines = await only('rekeyd_secret_renew', [credentialRecord({ name: 'a"\n\u001b[31m\u2028rekeyd_fake 1' })]);
    expect(lines).toHaveLength(1);
    expect(lines[0]).not.toContain('\u001b');
  });
});

describe('destinations', () => {
  it('are behind unless served; former ones are not shown', async () => {
    const destinations = [
      destinationRecord({ entry: 'a', state: 'served' }),
      destinationRecord({ entry: 'b', state: 'unreachable' }),
      destinationRecord({ entry: 'c', state: 'drifted' }),
      destinationRecord({ entry: 'd', state: 'behind', former: true }),
    ];
    const label = (entry: string) => `{issuer="data8",credential="client-1",vault="local",entry="${entry}"}`;
    expect(await only('rekeyd_destination_behind', [credentialRecord({ destinations })])).toEqual([
      `rekeyd_destination_behind${label('a')} 0`,
      `rekeyd_destination_behind${label('b')} 1`,
      `rekeyd_destination_behind${label('c')} 1`,
    ]);
  });
});

describe('an issuer', () => {
  it('has all its states from the start, zeros included', async () => {
    const lines = await only('rekeyd_credentials', []);
    expect(lines).toHaveLength(9);
    expect(lines).toContain('rekeyd_credentials{issuer="data8",state="failing"} 0');
  });

  it('counts superseded secrets that live on though no grace is running', async () => {
    const superseded = (change: object) => secretRecord({ role: 'superseded', ...change });
    const secrets = [
      superseded({ secretId: '1', deleteAfter: NOW - 1 }),
      superseded({ secretId: '2', deleteAfter: null }),
      superseded({ secretId: '3', deleteAfter: NOW, expires: null }),
      superseded({ secretId: '4', deleteAfter: NOW + 1 }),
      superseded({ secretId: '5', deleteAfter: NOW - 1, expires: NOW }),
      superseded({ secretId: '6', deleteAfter: NOW - 1, missingSince: NOW - 1 }),
      secretRecord({ secretId: '7', role: 'orphan', deleteAfter: NOW - 1 }),
    ];
    expect(
      await only('rekeyd_retirements_blocked', [credentialRecord({ secrets }), credentialRecord({ issuer: 'b' })], {
        issuers: ['data8', 'b'],
      }),
    ).toEqual(['rekeyd_retirements_blocked{issuer="data8"} 3', 'rekeyd_retirements_blocked{issuer="b"} 0']);
  });

  it('does not count a deletion that waits for its maintenance window, until one came', async () => {
    const waiting = credentialRecord({ secrets: [secretRecord({ role: 'superseded', deleteAfter: NOW - 2 * HOUR })] });
    const counted = async (opening: number | null) =>
      only('rekeyd_retirements_blocked', [waiting], {
        calendar: { retirementOpening: () => opening, renewalStart: () => null },
      });
    expect(await counted(NOW + 1)).toEqual(['rekeyd_retirements_blocked{issuer="data8"} 0']);
    expect(await counted(NOW - HOUR)).toEqual(['rekeyd_retirements_blocked{issuer="data8"} 1']);
    expect(await counted(null)).toEqual(['rekeyd_retirements_blocked{issuer="data8"} 1']);
  });

  it('tells how late its most overdue look is', async () => {
    const records = [
      credentialRecord({ resyncAt: NOW - 30_000 }),
      credentialRecord({ clientId: 'c2', resyncAt: NOW - 90_000 }),
      credentialRecord({ clientId: 'c3', resyncAt: NOW - 999_000, state: 'ignored' }),
    ];
    expect(await only('rekeyd_resync_lag', records)).toEqual(['rekeyd_resync_lag_seconds{issuer="data8"} 90']);
    expect(await only('rekeyd_resync_lag', [credentialRecord()])).toEqual([
      'rekeyd_resync_lag_seconds{issuer="data8"} 0',
    ]);
  });

  it('that the configuration does not name any more has no series at all', async () => {
    const old = credentialRecord({
      issuer: 'old',
      state: 'blocked',
      resyncAt: NOW - 90_000,
      pause: { since: NOW, until: null, note: null },
      secrets: [secretRecord({ role: 'superseded', deleteAfter: NOW - 1 })],
      destinations: [destinationRecord({ state: 'behind' })],
    });
    const ownClients = new Map([['old', old.clientId]]);
    const lines = await setUp([old, credentialRecord()], { ownClients }).lines();
    expect(lines.filter((line) => line.includes('old'))).toEqual([]);
    expect(lines).toContain('rekeyd_credentials{issuer="data8",state="ok"} 1');
  });

  it('tells whether its breaker is open, from the start', async () => {
    const breakers = [{ issuer: 'data8', open: true, until: null }];
    const status = () => Promise.resolve({ ...QUIET, breakers });
    expect(await only('rekeyd_breaker', [], { status, issuers: ['data8', 'other'] })).toEqual([
      'rekeyd_breaker_open{issuer="data8"} 1',
      'rekeyd_breaker_open{issuer="other"} 0',
    ]);
  });
});

describe('a bulk', () => {
  it('shows how many are left; none: 0', async () => {
    expect(await only('rekeyd_bulk', [])).toEqual(['rekeyd_bulk_remaining 0']);
    const status = () => Promise.resolve({ ...QUIET, bulk: { id: 'b', total: 9, remaining: 4 } });
    expect(await only('rekeyd_bulk', [], { status })).toEqual(['rekeyd_bulk_remaining 4']);
  });
});

describe('modes and pauses', () => {
  it('show the present mode', async () => {
    expect(await only('rekeyd_mode', [], { mode: 'no-delete' })).toEqual([
      'rekeyd_mode{mode="active"} 0',
      'rekeyd_mode{mode="no-delete"} 1',
      'rekeyd_mode{mode="observe"} 0',
    ]);
  });

  it('show what is paused now, everything or one by one', async () => {
    const records = [
      credentialRecord({ pause: { since: NOW, until: null, note: null } }),
      credentialRecord({ clientId: 'c2', pause: { since: NOW, until: NOW - 1, note: null } }),
      credentialRecord({ clientId: 'c3', state: 'paused', reason: 'suspended' }),
    ];
    expect(await only('rekeyd_paused', records)).toEqual([
      'rekeyd_paused{issuer="data8",credential="client-1"} 1',
      'rekeyd_paused{issuer="data8",credential="c3"} 1',
      'rekeyd_paused{issuer="*",credential="*"} 0',
    ]);
    const status = () => Promise.resolve({ ...QUIET, paused: { paused: true, until: null, note: null } });
    expect(await only('rekeyd_paused', [], { status })).toEqual(['rekeyd_paused{issuer="*",credential="*"} 1']);
  });
});
