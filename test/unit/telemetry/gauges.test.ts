import { describe, expect, it } from 'vitest';
import type { StatusView } from '../../../src/daemon/api.ts';
import { createMetricsPage, PER_CREDENTIAL_LIMIT } from '../../../src/daemon/gauges.ts';
import type { GaugeSources } from '../../../src/daemon/gauges.ts';
import { LedgerError } from '../../../src/domain/errors.ts';
import { HOUR } from '../../../src/domain/time.ts';
import type { CredentialRecord } from '../../../src/ledger/records.ts';
import type { LogFields } from '../../../src/telemetry/log.ts';
import { silentLog } from '../../../src/telemetry/log.ts';
import { createPrometheus } from '../../../src/telemetry/prometheus.ts';
import { createManualPorts } from '../../fakes/manual-ports.ts';
import { credentialRecord, destinationRecord, NOW, secretRecord } from './records.ts';

const QUIET: Pick<StatusView, 'breakers' | 'bulk' | 'paused'> = {
  bulk: null,
  breakers: [{ issuer: 'data8', open: false, until: null }],
  paused: { paused: false, until: null, note: null },
};

function setUp(records: CredentialRecord[], change: Partial<GaugeSources> = {}) {
  const ports = createManualPorts(NOW);
  let pages = 0;
  const page = createMetricsPage({
    registry: createPrometheus({ version: '1' }).registry,
    ledger: {
      countsByState: () => Promise.resolve(records.map(({ issuer, state }) => ({ issuer, state, count: 1 }))),
      credentials: (_filter, limit, cursor) => {
        pages++;
        const from = Number(cursor ?? 0);
        const items = records.slice(from, from + limit);
        return Promise.resolve({ items, nextCursor: from + limit < records.length ? String(from + limit) : null });
      },
    },
    ...ports,
    log: silentLog,
    mode: 'active',
    issuers: ['data8'],
    perCredential: 'auto',
    ledgerProblem: () => Promise.resolve(null),
    status: () => Promise.resolve(QUIET),
    ...change,
  });
  return {
    ports,
    page,
    pages: () => pages,
    lines: async () =>
      (await page.render()).split('\n').filter((line) => line.startsWith('rekeyd_') && !line.includes('_bucket')),
  };
}

async function only(
  prefix: string,
  records: CredentialRecord[],
  change: Partial<GaugeSources> = {},
): Promise<string[]> {
  return (await setUp(records, change).lines()).filter((line) => line.startsWith(prefix));
}

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

describe('many credentials', () => {
  const many = Array.from({ length: PER_CREDENTIAL_LIMIT + 1 }, (_, index) =>
    credentialRecord({ clientId: `c${index}`, resyncAt: NOW - 1_000 }),
  );

  it('have no series one by one above the limit, unless they are asked for', async () => {
    const { page, ports } = setUp(many);
    const text = await ports.clock.until(page.render());
    expect(text).not.toContain('credential="c');
    expect(text).toMatch(/rekeyd_resync_lag_seconds\{issuer="data8"\} 1\n/);
    const forced = setUp(many, { perCredential: true });
    expect(await forced.ports.clock.until(forced.page.render())).toContain('credential="c10000"');
  });

  it('have series up to the limit, unless they are switched off', async () => {
    const { page, ports } = setUp(many.slice(1));
    expect(await ports.clock.until(page.render())).toContain('credential="c10000"');
    expect(await only('rekeyd_secret_renew', many.slice(0, 2), { perCredential: false })).toEqual([]);
  });

  it('of an issuer that the configuration does not name any more do not count towards the limit', async () => {
    const { page, ports } = setUp([...many.slice(1), credentialRecord({ issuer: 'old' })]);
    expect(await ports.clock.until(page.render())).toContain('credential="c10000"');
  });

  it('are not looked at again right away when the look took long', async () => {
    const { clock } = createManualPorts(NOW);
    let looks = 0;
    const ledger = {
      countsByState: () => Promise.resolve([]),
      credentials: async () => {
        looks++;
        await clock.sleep(1_000);
        return { items: [], nextCursor: null };
      },
    };
    const { page } = setUp([], { ledger, clock, ticker: clock });
    await clock.until(page.render());
    await clock.advance(9_999);
    await clock.until(page.render());
    expect(looks).toBe(1);
    await clock.advance(1);
    await clock.until(page.render());
    expect(looks).toBe(2);
  });
});

describe('scrapes', () => {
  it('at the same time share one look', async () => {
    const { page, pages } = setUp([credentialRecord()]);
    const [first, second] = await Promise.all([page.render(), page.render()]);
    expect(first).toBe(second);
    expect(pages()).toBe(1);
  });

  it('forget what is gone', async () => {
    const records = [credentialRecord()];
    const { lines, ports } = setUp(records);
    await lines();
    records.pop();
    await ports.clock.advance(1);
    expect((await lines()).join('\n')).not.toContain('client-1');
  });

  it('still answer when the ledger does not, and say so', async () => {
    const told: [string, LogFields | undefined][] = [];
    const log = {
      ...silentLog,
      warn: (event: string, _message: string, fields?: LogFields) => told.push([event, fields]),
    };
    let broken = false;
    const { lines } = setUp([credentialRecord()], {
      log,
      status: () => (broken ? Promise.reject(new LedgerError('disk full')) : Promise.resolve(QUIET)),
    });
    expect(await lines()).toContain('rekeyd_ledger_up 1');
    broken = true;
    const text = (await lines()).join('\n');
    expect(text).toContain('rekeyd_ledger_up 0');
    expect(text).toContain('rekeyd_build_info');
    expect(text).not.toContain('rekeyd_credential');
    expect(told).toEqual([['metrics-incomplete', { error: 'disk full' }]]);
  });
});
