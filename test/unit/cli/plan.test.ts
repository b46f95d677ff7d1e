import { describe, expect, it } from 'vitest';
import type { ExplainView, PlanItem, PlanView } from '../../../src/daemon/api.ts';
import { Refusal } from '../../../src/daemon/api.ts';
import type { ForecastView } from '../../../src/daemon/overview.ts';
import { cli } from './bench.ts';

function item(changes: Partial<PlanItem>): PlanItem {
  return {
    issuer: 'data8',
    clientId: 'c1',
    name: 'prod-crm',
    action: 'none',
    reason: 'up-to-date',
    dueAt: null,
    destinations: [],
    secretIds: [],
    ...changes,
  };
}

function plan(items: PlanItem[]): { plan: () => Promise<PlanView> } {
  const totals = { issue: 0, deliver: 0, retire: 0, reap: 0, restore: 0, none: 0 };
  for (const one of items) totals[one.action] += 1;
  return { plan: async () => ({ items, totals }) };
}

const waiting = [
  item({ dueAt: '2026-03-10T12:00:00.000Z' }),
  item({
    clientId: 'c2',
    action: 'retire',
    reason: 'grace-running',
    dueAt: '2026-03-02T12:00:00.000Z',
    secretIds: ['7'],
  }),
];

describe('plan --days', () => {
  const forecast: ForecastView = {
    from: '2026-03-01T12:00:00.000Z',
    to: '2026-03-31T12:00:00.000Z',
    totals: { rotations: 1, deletions: 0, held: 1, outsideWindows: 1 },
    days: [{ date: '2026-03-10', rotations: 1, deletions: 0 }],
    bunched: [{ hour: '2026-03-10T12:00:00.000Z', rotations: 61 }],
    items: [
      {
        issuer: 'data8',
        clientId: 'c1',
        name: 'prod-crm',
        at: '2026-03-10T12:00:00.000Z',
        action: 'issue',
        held: 'paused',
        outsideWindows: true,
        secretId: null,
        destinations: [{ vault: 'local', entry: 'data8/crm' }],
      },
    ],
  };

  it('prints what comes, each day, and what is too much for an hour', async () => {
    const asked: number[] = [];
    const daemon = { forecast: async (days: number) => (asked.push(days), forecast) };
    const ran = await cli(['plan', '--days', '30'], { daemon });
    expect(ran.code).toBe(0);
    expect(asked).toEqual([30]);
    expect(ran.out.split('\n')).toEqual([
      'CREDENTIAL  NAME      ACTION  WHEN   HELD    WINDOW     SECRET  DESTINATIONS',
      'data8/c1    prod-crm  issue   in 9d  paused  none fits  -       local:data8/crm',
      '',
      'DAY         ROTATIONS  DELETIONS',
      '2026-03-10  1          0',
      '',
      'TOO MANY FOR AN HOUR      ROTATIONS',
      '2026-03-10T12:00:00.000Z  61',
      '',
      'totals: rotations 1, deletions 0, held 1, outside of windows 1',
      '',
    ]);
    expect(ran.opened).toEqual(['daemon read-only']);
    expect(ran.closed).toEqual(['daemon read-only']);
    const json = await cli(['plan', '--days', '30', '--json'], { daemon });
    expect(JSON.parse(json.out)).toEqual(forecast);
  });

  it.each(['0', '401', '-1', '1.5', 'many'])('refuses %s', async (days) => {
    const ran = await cli(['plan', `--days=${days}`]);
    expect(ran.code).toBe(2);
    expect(ran.err).toContain('must be a whole number from 1 to 400');
  });
});

describe('plan', () => {
  it('prints what, why, when, which secrets and where, with totals', async () => {
    const due = item({
      clientId: 'c3',
      action: 'issue',
      reason: 'expiring',
      dueAt: '2026-03-01T12:00:00.000Z',
      destinations: [{ vault: 'local', entry: 'data8/crm' }],
      secretIds: ['4'],
    });
    const ran = await cli(['plan'], { daemon: plan([due, ...waiting]) });
    expect(ran.code).toBe(0);
    expect(ran.out.split('\n')).toEqual([
      'CREDENTIAL  NAME      ACTION  REASON         WHEN   SECRETS  DESTINATIONS',
      'data8/c3    prod-crm  issue   expiring       now    4        local:data8/crm',
      'data8/c1    prod-crm  none    up-to-date     in 9d  -        -',
      'data8/c2    prod-crm  retire  grace-running  in 1d  7        -',
      '',
      'totals: issue 1, deliver 0, retire 1, reap 0, restore 0, none 1',
      '',
    ]);
    expect(ran.opened).toEqual(['daemon read-only']);
  });

  it('--exit-code is 3 when something is due now, else 0', async () => {
    expect((await cli(['plan', '--exit-code'], { daemon: plan(waiting) })).code).toBe(0);
    const due = item({ action: 'issue', reason: 'expired', dueAt: '2026-03-01T12:00:00.000Z' });
    expect((await cli(['plan', '--exit-code'], { daemon: plan([due]) })).code).toBe(3);
    expect((await cli(['plan'], { daemon: plan([due]) })).code).toBe(0);
    // it waits for its proof, not for us
    const held = item({ action: 'retire', reason: 'still-served', dueAt: null });
    expect((await cli(['plan', '--exit-code'], { daemon: plan([held]) })).code).toBe(0);
    const past = item({ action: 'retire', dueAt: '2026-02-02T12:00:00.000Z' });
    expect((await cli(['plan', '--exit-code', '--json'], { daemon: plan([past]) })).code).toBe(3);
  });

  it('exits 1 where its output cannot be written, also where there is something to do', async () => {
    const due = item({ action: 'issue', reason: 'expired', dueAt: '2026-03-01T12:00:00.000Z' });
    for (const args of [['plan'], ['plan', '--exit-code'], ['plan', '--json']]) {
      expect((await cli(args, { daemon: plan([due]), unwritten: true })).code, args.join(' ')).toBe(1);
    }
  });

  it('--json prints the plan and nothing else', async () => {
    const ran = await cli(['plan', '--json'], { daemon: plan(waiting) });
    expect(JSON.parse(ran.out)).toMatchObject({ items: waiting, totals: { none: 1, retire: 1 } });
  });
});

describe('explain', () => {
  const view: ExplainView = {
    issuer: 'data8',
    clientId: 'c1',
    name: 'prod-crm',
    checks: [
      { check: 'paused', saw: 'no pause', decided: 'passed on', unblock: '' },
      {
        check: 'entry-foreign',
        saw: 'an entry that is not ours',
        decided: 'none, entry-foreign',
        unblock: 'initial: rotate',
      },
    ],
    action: 'none',
    reason: 'entry-foreign',
  };
  const asked: string[] = [];
  const daemon = {
    ...plan([item({}), item({ clientId: 'c2', name: 'twice' }), item({ clientId: 'c3', name: 'twice' })]),
    credentials: async () => ({ items: [], nextCursor: null }),
    explain: async ({ issuer, clientId }: { issuer: string; clientId: string }) => {
      asked.push(`${issuer}/${clientId}`);
      if (clientId !== 'c1') throw new Refusal('not-found', 'not listed');
      return view;
    },
  };

  it.each(['data8/c1', 'c1', 'data8/prod-crm', 'prod-crm'])('finds %s', async (text) => {
    const ran = await cli(['explain', text], { daemon });
    expect(ran.err).toBe('');
    expect(ran.code).toBe(0);
    expect(ran.out).toContain('initial: rotate');
    expect(asked.at(-1)).toBe('data8/c1');
  });

  it('exits 2 where a name is ambiguous, 1 where there is none', async () => {
    const twice = await cli(['explain', 'twice'], { daemon });
    expect(twice.code).toBe(2);
    expect(twice.err).toContain('data8/c2, data8/c3');
    expect((await cli(['explain', 'data8/nobody'], { daemon })).code).toBe(1);
  });
});

describe('once', () => {
  it('exits 1 if a credential is unwell or an issuer could not be listed', async () => {
    const once = (result: object) => ({
      once: async () => ({ looked: 3, acted: 1, unwell: [], errors: [], ...result }),
    });
    expect(await cli(['once'], { daemon: once({}) })).toMatchObject({
      code: 0,
      out: 'looked at 3, acted on 1, unwell 0\n',
    });
    const unwell = [{ issuer: 'data8', clientId: 'c1', state: 'failing', reason: 'vault-failed' }];
    const ran = await cli(['once', '--limit', '4', '--only', 'prod-*'], { daemon: once({ unwell }) });
    expect(ran.code).toBe(1);
    expect(ran.out).toContain('data8/c1    failing  vault-failed');
    expect((await cli(['once'], { daemon: once({ errors: ['data8 is down'] }) })).code).toBe(1);
  });
});
