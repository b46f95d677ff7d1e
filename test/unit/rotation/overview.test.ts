import { describe, expect, it } from 'vitest';
import { coverageOf } from '../../../src/daemon/coverage.ts';
import { forecastOf } from '../../../src/daemon/forecast.ts';
import type { ForecastTerms } from '../../../src/daemon/forecast.ts';
import { LONGEST_LIST } from '../../../src/daemon/overview.ts';
import { DAY, HOUR, MINUTE } from '../../../src/domain/time.ts';
import type { CredentialRecord } from '../../../src/ledger/records.ts';
import type { Policy } from '../../../src/config/settings.ts';
import type { ManagedTerms } from '../../../src/config/terms.ts';
import { windowsOf } from '../../fakes/windows.ts';
import { knownDestination, knownSecret, managed, NOW, observation, record } from './given.ts';

async function* all(records: readonly CredentialRecord[]): AsyncGenerator<CredentialRecord> {
  yield* records;
}

const named = { issuer: 'data8', clientId: 'shop', name: 'shop' };
const place = knownDestination('a', { secretId: '2', generation: 1 });

describe('coverage', () => {
  const cover = (...records: CredentialRecord[]) => coverageOf(all(records), NOW);

  it('has nothing to say where all is in order', async () => {
    const { totals, ...lists } = await cover(
      record({ state: 'ok', destinations: [place], secrets: [knownSecret('2', { role: 'current' })] }),
      record({ clientId: 'x', state: 'ignored', secrets: [knownSecret('9', { role: 'unmanaged', expires: NOW - 1 })] }),
    );
    expect(Object.values(totals)).toEqual([0, 0, 0, 0, 0]);
    expect(Object.values(lists)).toEqual([[], [], [], [], []]);
  });

  it('tells credentials that no rule manages, and that are delivered nowhere', async () => {
    const view = await cover(
      record({ state: 'unmanaged', secrets: [knownSecret('1', { role: 'unmanaged' })] }),
      record({ clientId: 'lone', name: 'lone', state: 'ok', destinations: [knownDestination('a', { former: true })] }),
    );
    const lone = { ...named, clientId: 'lone', name: 'lone' };
    expect(view.unmanaged).toEqual([named]);
    expect(view.withoutDestination).toEqual([lone]);
    expect(view.unknown).toEqual([]);
    expect(view.formerDestinations).toEqual([{ ...lone, vault: 'a', entry: 'shop', state: 'served' }]);
  });

  it('tells secrets that expired, and living ones that nothing serves', async () => {
    const { expired, unknown } = await cover(
      record({
        state: 'ok',
        destinations: [{ ...place, adopted: { version: 'v', secretId: '5' } }],
        secrets: [
          knownSecret('1', { expires: NOW }),
          knownSecret('3', { role: 'unmanaged', expires: null }),
          knownSecret('4', { role: 'orphan' }),
          knownSecret('5', { role: 'unmanaged' }),
          knownSecret('6', { role: 'unmanaged', missingSince: NOW - HOUR }),
        ],
      }),
    );
    expect(expired.map((each) => each.secretId)).toEqual(['1']);
    expect(unknown.map((each) => [each.secretId, each.role, each.expires])).toEqual([
      ['3', 'unmanaged', null],
      ['4', 'orphan', '2030-01-21T00:00:00.000Z'],
    ]);
  });

  it('of a credential that is gone tells its entries alone', async () => {
    const { totals } = await cover(
      record({ state: 'blocked', goneSince: NOW - DAY, destinations: [place], secrets: [knownSecret('1')] }),
    );
    expect(totals).toEqual({ unmanaged: 0, withoutDestination: 0, expired: 0, unknown: 0, formerDestinations: 1 });
  });

  it('counts all, and lists a bounded number', async () => {
    const many = Array.from({ length: LONGEST_LIST + 5 }, (_, n) => record({ clientId: `c${n}`, state: 'unmanaged' }));
    const view = await cover(...many);
    expect(view.totals.unmanaged).toBe(LONGEST_LIST + 5);
    expect(view.unmanaged).toHaveLength(LONGEST_LIST);
  });
});

describe('the forecast', () => {
  const under = (policy: Partial<Policy> = {}) => managed(policy) as ManagedTerms;
  const foresee = (records: readonly CredentialRecord[], change: Partial<ForecastTerms> = {}) =>
    forecastOf(all(records), {
      now: NOW,
      days: 30,
      limit: 1_000,
      rotationsPerHour: 60,
      termsOf: () => under(),
      timingOf: () => observation().timing,
      mode: 'active',
      pausedAll: false,
      ...change,
    });
  const due = (days: number, more: Partial<CredentialRecord> = {}) =>
    record({
      state: 'ok',
      renewAt: NOW + days * DAY,
      current: { secretId: '2', generation: 1, expires: NOW + 90 * DAY },
      destinations: [place, knownDestination('old', { former: true })],
      ...more,
    });

  it('tells the next rotation, where it goes, and the deletion that follows its grace', async () => {
    const view = await foresee([due(10)]);
    const base = { ...named, held: null, outsideWindows: false, destinations: [{ vault: 'a', entry: 'shop' }] };
    expect(view.items).toEqual([
      { ...base, action: 'issue', at: '2030-01-11T00:00:00.000Z', secretId: null },
      { ...base, action: 'retire', at: '2030-01-25T00:00:00.000Z', secretId: '2' },
    ]);
    expect(view.days).toEqual([
      { date: '2030-01-11', rotations: 1, deletions: 0 },
      { date: '2030-01-25', rotations: 0, deletions: 1 },
    ]);
    expect(view.totals).toEqual({ rotations: 1, deletions: 1, held: 0, outsideWindows: 0 });
  });

  it('leaves out what is later, gone, and not managed', async () => {
    expect((await foresee([due(31), due(1, { goneSince: NOW })])).items).toEqual([]);
    expect((await foresee([due(1)], { termsOf: () => null })).items).toEqual([]);
    expect((await foresee([due(20)])).items.map((each) => each.action)).toEqual(['issue']);
  });

  it('takes what is overdue for due now, soonest first', async () => {
    const superseded = knownSecret('1', { deleteAfter: NOW + 3 * DAY });
    const { items } = await foresee([due(5, { clientId: 'b' }), due(-2, { secrets: [superseded] })]);
    expect(items.map((each) => [each.at.slice(0, 10), each.action, each.secretId, each.clientId])).toEqual([
      ['2030-01-01', 'issue', null, 'shop'],
      ['2030-01-04', 'retire', '1', 'shop'],
      ['2030-01-06', 'issue', null, 'b'],
      ['2030-01-15', 'retire', '2', 'shop'],
      ['2030-01-20', 'retire', '2', 'b'],
    ]);
  });

  it('says what would hold it back', async () => {
    const held = async (more: Partial<CredentialRecord>, change: Partial<ForecastTerms> = {}) =>
      (await foresee([due(1, more)], change)).items.map((each) => each.held);
    expect(await held({ pause: { since: NOW - DAY, until: null, note: null } })).toEqual(['paused', 'paused']);
    expect(await held({ state: 'blocked', reason: 'cap-reached' })).toEqual(['cap-reached', 'cap-reached']);
    expect(await held({}, { termsOf: () => under({ retire: 'manual' }) })).toEqual([null, 'retire-manual']);
    expect(await held({}, { pausedAll: true })).toEqual(['paused', 'paused']);
    expect(await held({}, { mode: 'no-delete' })).toEqual([null, 'mode-no-delete']);
    expect(await held({}, { mode: 'observe' })).toEqual([null, null]);
    const served = knownSecret('1', { deleteAfter: null });
    expect((await foresee([due(40, { secrets: [served] })])).items).toMatchObject([{ held: 'still-served' }]);
  });

  it('tells hours in which more comes due than may begin, and gives no more items than asked for', async () => {
    const many = Array.from({ length: 61 }, (_, n) =>
      due(1, { clientId: `c${n}`, renewAt: NOW + DAY + n * (MINUTE / 2) }),
    );
    const view = await foresee([...many, due(2)], { limit: 10 });
    expect(view.bunched).toEqual([{ hour: '2030-01-02T00:00:00.000Z', rotations: 61 }]);
    expect(view.totals.rotations).toBe(62);
    expect(view.items).toHaveLength(10);
  });

  it('dates what comes by its maintenance windows, and says where none fits', async () => {
    const windows = windowsOf(['0 1 * * 0', 4 * HOUR]);
    const foreseen = async (...records: CredentialRecord[]) =>
      (await foresee(records, { termsOf: () => under({ windows }) })).items.map((each) => [
        each.at.slice(0, 16),
        each.action,
        each.outsideWindows,
      ]);
    // a Friday, and the fourteen days of grace after the Sunday that follows
    expect(await foreseen(due(10))).toEqual([
      ['2030-01-13T01:00', 'issue', false],
      ['2030-01-27T01:00', 'retire', false],
    ]);
    // it ends on a Friday evening, before any window
    const ending = { current: { secretId: '2', generation: 1, expires: NOW + 10.8 * DAY } };
    expect(await foreseen(due(9, ending))).toEqual([
      ['2030-01-10T00:00', 'issue', true],
      ['2030-01-27T01:00', 'retire', false],
    ]);
    const running = knownSecret('1', { deleteAfter: NOW + DAY });
    expect(await foreseen(due(40, { secrets: [running] }))).toEqual([['2030-01-06T01:00', 'retire', false]]);
  });

  it('counts what no window fits, and what comes all at once when one opens', async () => {
    const many = Array.from({ length: 70 }, (_, n) => due(7, { clientId: `c${n}`, renewAt: NOW + n * HOUR }));
    const nightly = windowsOf(['0 22 * * 6', 4 * HOUR]);
    const view = await foresee(many, { termsOf: () => under({ windows: nightly }) });
    expect(view.bunched).toEqual([{ hour: '2030-01-05T22:00:00.000Z', rotations: 70 }]);
    const short = windowsOf(['0 22 * * *', 5 * MINUTE]);
    const never = await foresee([due(1)], { termsOf: () => under({ windows: short }) });
    expect(never.totals).toEqual({ rotations: 1, deletions: 1, held: 0, outsideWindows: 2 });
  });
});
