import { describe, expect, it } from 'vitest';
import { DAY, HOUR, MINUTE } from '../../../src/domain/time.ts';
import { plan, trace } from '../../../src/rotation/plan.ts';
import { UNNAMED } from '../../../src/rotation/observation.ts';
import type { Observation } from '../../../src/rotation/observation.ts';
import {
  absent,
  destination,
  down,
  foreign,
  idAt,
  knownDestination,
  knownSecret,
  managed,
  NOW,
  observation,
  record,
  rotation,
  secret,
  serving,
  situationOf,
} from './given.ts';

const healthy: Partial<Observation> = {
  secrets: [secret('2', 80, { generation: 2 })],
  destinations: [destination('a', serving(2, '2')), destination('b', serving(2, '2'))],
  rotations: [rotation(2, { state: 'done', secretId: '2', mayBeServed: true, sentAt: NOW - 10 * DAY })],
};
const expiring: Partial<Observation> = {
  ...healthy,
  secrets: [secret('2', 29, { generation: 2, born: NOW - 61 * DAY })],
  rotations: [],
};
const urgent: Partial<Observation> = {
  ...expiring,
  secrets: [secret('2', 0.5, { generation: 2, born: NOW - 89 * DAY })],
};
const old = secret('1', 20, { generation: 1, born: NOW - 70 * DAY });
const oldKnown = knownSecret('1', {
  rotationId: idAt(NOW - 70 * DAY, 1),
  generation: 1,
  grace: 14 * DAY,
  deleteAfter: NOW - 1,
});
const inGrace: Partial<Observation> = {
  ...healthy,
  secrets: [old, secret('2', 80, { generation: 2 })],
  rotations: [
    rotation(2, { state: 'grace', secretId: '2', supersedes: ['1'], mayBeServed: true, sentAt: NOW - 10 * DAY }),
  ],
  record: record({ secrets: [oldKnown] }),
};
const circumstances = observation().circumstances;
const pause = { since: NOW - DAY, until: null, note: null };
const made = (id: string, n: number) => secret(id, 1, { generation: n, born: NOW - n * HOUR });
const unborn = { state: 'intended', trigger: 'manual', reason: 'manual', startedAt: NOW - MINUTE } as const;

/** What is seen; the action, its reason and the state that follow. The whole chain is run, so that the order counts. */
const TABLE: readonly [string, Partial<Observation>, string][] = [
  // standing
  ['nothing is due', healthy, 'none up-to-date ok'],
  ['ignored', { ...expiring, terms: { kind: 'ignored' } }, 'none ignored ignored'],
  ['unmanaged', { ...expiring, terms: { kind: 'unmanaged' } }, 'none unmanaged unmanaged'],
  [
    'unmanaged, what rekeyd itself logs in with, kept in its configuration: a person must act in time',
    { ...expiring, terms: { kind: 'unmanaged' }, isOwnClient: true, isOwnStatic: true },
    'none expiring failing',
  ],
  [
    'unmanaged, what rekeyd itself logs in with, and there is time',
    { ...healthy, terms: { kind: 'unmanaged' }, isOwnClient: true, isOwnStatic: true },
    'none unmanaged unmanaged',
  ],
  ['I18: not listed any more', { ...expiring, listed: null }, 'none credential-gone blocked'],
  [
    'the list of secrets failed',
    { ...expiring, secrets: null, issuerError: { reason: 'issuer-failed', message: 'x' } },
    'none issuer-failed failing',
  ],
  [
    'I6: forbidden',
    { ...expiring, secrets: null, issuerError: { reason: 'issuer-forbidden', message: 'x' } },
    'none issuer-forbidden failing',
  ],
  [
    'P6: another process is at it',
    { ...expiring, rotations: [rotation(3, { state: 'created', owner: 'other', leaseUntil: NOW })] },
    'none in-flight rotating',
  ],
  [
    'I1: a lost answer may still land',
    { ...expiring, rotations: [rotation(3, { state: 'intended', sentAt: NOW - MINUTE })] },
    'none recovering rotating',
  ],
  // first contact and destinations
  ['empty destinations', { secrets: [], destinations: [destination('a', absent)] }, 'issue destination-empty rotating'],
  [
    'one empty, one to copy from',
    { ...healthy, destinations: [destination('a', serving(2, '2')), destination('b', absent)] },
    'deliver destination-empty due',
  ],
  [
    'one empty, none readable',
    { ...healthy, destinations: [destination('a', serving(2, '2'), { readable: false }), destination('b', absent)] },
    'issue destination-empty rotating',
  ],
  [
    'V15: one denied, one empty',
    { ...healthy, destinations: [destination('a', down), destination('b', absent)] },
    'none vault-failed failing',
  ],
  [
    'V14: one rolled back',
    {
      ...healthy,
      secrets: [old, secret('2', 80, { generation: 2 })],
      destinations: [destination('a', serving(2, '2')), destination('b', serving(1, '1'))],
    },
    'deliver destination-behind due',
  ],
  [
    'V14: all rolled back',
    {
      ...inGrace,
      secrets: [secret('1', 60, { generation: 1, born: NOW - 30 * DAY }), secret('2', 80, { generation: 2 })],
      record: record(),
      destinations: [destination('a', serving(1, '1'))],
    },
    'issue destination-behind rotating',
  ],
  [
    'V17: changed under its mark',
    {
      ...healthy,
      destinations: [destination('a', serving(2, '2')), destination('b', serving(2, '2', { binding: 'broken' }))],
    },
    'deliver destination-drifted due',
  ],
  [
    'V17: the only one changed under its mark',
    { ...healthy, destinations: [destination('a', serving(2, '2', { binding: 'broken' }))] },
    'issue destination-drifted rotating',
  ],
  [
    'C8: a mark was stripped',
    {
      ...healthy,
      destinations: [
        destination('a', serving(2, '2')),
        destination('b', { ...foreign, version: 'v2' } as never, {
          known: knownDestination('b', { version: 'v2', generation: 2, secretId: '2' }),
        }),
      ],
    },
    'restore destination-drifted due',
  ],
  ['V4: foreign and unproven', { ...healthy, destinations: [destination('a', foreign)] }, 'none entry-foreign blocked'],
  [
    'adopted',
    { secrets: [secret('9', 80)], destinations: [destination('a', foreign, { proven: { secretId: '9' } })] },
    'none up-to-date ok',
  ],
  [
    'adopted, its named secret expiring',
    { secrets: [secret('9', 20)], destinations: [destination('a', foreign, { proven: { secretId: '9' } })] },
    'issue expiring rotating',
  ],
  [
    'adopted without a name: the earliest of strangers',
    {
      secrets: [secret('8', 20), secret('9', 80)],
      destinations: [destination('a', foreign, { proven: { secretId: null } })],
    },
    'issue expiring rotating',
  ],
  [
    'adopted without a name, and its value could not be asked about',
    {
      secrets: [secret('9', 80)],
      destinations: [destination('a', foreign, { proven: { secretId: null } })],
      unasked: new Set([UNNAMED]),
    },
    'none settling failing',
  ],
  [
    'initial: rotate',
    { terms: managed({ initial: 'rotate' }), secrets: [secret('9', 80)], destinations: [destination('a', foreign)] },
    'issue initial rotating',
  ],
  // renewal
  ['expiring', expiring, 'issue expiring rotating'],
  ['expired', { ...healthy, secrets: [secret('2', -1, { generation: 2 })] }, 'issue expired rotating'],
  ['max-age', { ...healthy, terms: managed({ maxAge: 5 * DAY }) }, 'issue max-age rotating'],
  ['I17: missing for the first time', { ...healthy, secrets: [] }, 'none settling ok'],
  [
    'I17: missing past the lag, and refused',
    {
      ...healthy,
      secrets: [],
      refused: new Set(['2']),
      record: record({ secrets: [knownSecret('2', { role: 'current', missingSince: NOW - 2 * MINUTE })] }),
    },
    'issue secret-gone rotating',
  ],
  [
    'I17: missing past the lag, but accepted',
    {
      ...healthy,
      secrets: [],
      record: record({ secrets: [knownSecret('2', { role: 'current', missingSince: NOW - 2 * MINUTE })] }),
    },
    'none settling ok',
  ],
  [
    'I17: missing past the lag, and nobody can be asked',
    {
      ...healthy,
      secrets: [],
      unasked: new Set(['2']),
      record: record({ secrets: [knownSecret('2', { role: 'current', missingSince: NOW - 2 * MINUTE })] }),
    },
    'none settling failing',
  ],
  ['a manual request', { ...healthy, rotations: [rotation(3, unborn)] }, 'issue manual rotating'],
  // holds
  ['suspended', { ...expiring, terms: managed({}, { suspended: true }) }, 'none suspended paused'],
  ['paused', { ...expiring, record: record({ pause }) }, 'none paused paused'],
  ['everything paused', { ...expiring, circumstances: { ...circumstances, pause } }, 'none paused paused'],
  [
    'a pause that is over',
    { ...expiring, record: record({ pause: { ...pause, until: NOW - 1 } }) },
    'issue expiring rotating',
  ],
  ['mode observe', { ...expiring, mode: 'observe' }, 'none mode-observe due'],
  ['mode no-delete still makes new ones', { ...expiring, mode: 'no-delete' }, 'issue expiring rotating'],
  ['C4: shared', { ...expiring, sharedWith: ['data8/other'] }, 'none destination-shared blocked'],
  ['C6: moved', { ...expiring, moved: true }, 'none destination-moved blocked'],
  [
    'a name that the vault cannot hold',
    { ...expiring, terms: managed({}, { problems: ['too long'] }) },
    'none destination-invalid blocked',
  ],
  [
    'V9: locked',
    { ...expiring, destinations: [destination('a', serving(2, '2', { locked: 'immutable' }))] },
    'none destination-invalid blocked',
  ],
  ['I19: clock beyond the bound', { ...expiring, skew: 10 * MINUTE }, 'none clock-skew blocked'],
  [
    'no vault answers',
    {
      ...expiring,
      record: record({ current: { secretId: '2', generation: 2, expires: NOW + DAY } }),
      destinations: [destination('a', down)],
    },
    'none vault-failed failing',
  ],
  ['I4: backoff', { ...expiring, record: record({ failures: 2, retryAt: NOW + 1 }) }, 'none backoff failing'],
  [
    'backoff holds an urgent one too',
    { ...urgent, record: record({ failures: 2, retryAt: NOW + 1 }) },
    'none backoff failing',
  ],
  [
    'backoff does not hold a person',
    { ...healthy, rotations: [rotation(3, unborn)], record: record({ failures: 2, retryAt: NOW + 1 }) },
    'issue manual failing',
  ],
  [
    'I14: silence of the token endpoint',
    { ...expiring, circumstances: { ...circumstances, issuerSilent: true } },
    'none issuer-failed failing',
  ],
  [
    'P12: a young unknown one of ours',
    { ...expiring, secrets: [...(expiring.secrets ?? []), secret('3', 1, { generation: 3, born: NOW - MINUTE })] },
    'none unknown-secret due',
  ],
  [
    'P12: it does not hold an urgent one',
    { ...urgent, secrets: [...(urgent.secrets ?? []), secret('3', 1, { generation: 3, born: NOW - MINUTE })] },
    'issue expiring rotating',
  ],
  [
    'P12: an old unknown one holds nothing',
    { ...expiring, secrets: [...(expiring.secrets ?? []), secret('3', 0.5, { generation: 3, born: NOW - 12 * HOUR })] },
    'issue expiring rotating',
  ],
  [
    'I16: the cap',
    { ...expiring, secrets: [...(expiring.secrets ?? []), ...['5', '6', '7', '8'].map((id) => secret(id, 9))] },
    'none cap-reached blocked',
  ],
  [
    'I16: an urgent one may have one more',
    { ...urgent, secrets: [...(urgent.secrets ?? []), ...['5', '6', '7', '8'].map((id) => secret(id, 9))] },
    'issue expiring rotating',
  ],
  [
    'the budget, by markers alone',
    {
      ...expiring,
      limits: { ...observation().limits, createsPerDay: 2 },
      secrets: [...(expiring.secrets ?? []), made('3', 3), made('4', 4)],
    },
    'none budget-spent blocked',
  ],
  [
    'the budget, by the ledger alone',
    {
      ...expiring,
      limits: { ...observation().limits, createsPerDay: 1 },
      rotations: [rotation(3, { state: 'abandoned', startedAt: NOW - HOUR, sentAt: NOW - HOUR })],
    },
    'none budget-spent blocked',
  ],
  [
    'the breaker',
    { ...expiring, circumstances: { ...circumstances, breakerUntil: NOW + MINUTE } },
    'none breaker-open due',
  ],
  [
    'the breaker does not hold what rekeyd itself lives on',
    { ...expiring, isOwnClient: true, circumstances: { ...circumstances, breakerUntil: NOW + MINUTE } },
    'issue expiring rotating',
  ],
  [
    'the breaker does not hold an urgent one',
    { ...urgent, circumstances: { ...circumstances, breakerUntil: NOW + MINUTE } },
    'issue expiring rotating',
  ],
  ['the hour is spent', { ...expiring, circumstances: { ...circumstances, pacedUntil: NOW + 1 } }, 'none paced due'],
  [
    'the hour does not hold an urgent one',
    { ...urgent, circumstances: { ...circumstances, pacedUntil: NOW + 1 } },
    'issue expiring rotating',
  ],
  // retirement
  ['grace over', inGrace, 'retire grace-over grace'],
  [
    'grace running',
    { ...inGrace, record: record({ secrets: [{ ...oldKnown, deleteAfter: NOW + 1 }] }) },
    'none up-to-date grace',
  ],
  ['grace over by our clock alone', { ...inGrace, skew: -MINUTE }, 'none up-to-date grace'],
  ['no-delete', { ...inGrace, mode: 'no-delete' }, 'none up-to-date grace'],
  ['retire: manual', { ...inGrace, terms: managed({ retire: 'manual' }) }, 'none up-to-date grace'],
  [
    'retire: manual, asked for',
    {
      ...inGrace,
      terms: managed({ retire: 'manual' }),
      record: record({ secrets: [{ ...oldKnown, retireRequested: true }] }),
    },
    'retire grace-over grace',
  ],
  [
    'C3: the rule is gone',
    { ...inGrace, terms: { kind: 'unmanaged' }, destinations: [destination('a', serving(2, '2'), { format: null })] },
    'retire grace-over unmanaged',
  ],
  ['paused', { ...inGrace, record: record({ secrets: [oldKnown], pause }) }, 'none paused paused'],
  [
    'V14: served again',
    { ...inGrace, destinations: [destination('a', serving(2, '2')), destination('b', serving(1, '1'))] },
    'deliver destination-behind grace',
  ],
  [
    'a destination is down',
    { ...inGrace, destinations: [destination('a', serving(2, '2')), destination('b', down)] },
    'none vault-failed failing',
  ],
  // leftovers
  [
    'a leftover of an abandoned rotation',
    {
      ...healthy,
      secrets: [secret('2', 80, { generation: 2 }), secret('3', 1, { generation: 3, born: NOW - HOUR })],
      rotations: [rotation(3, { state: 'abandoned', startedAt: NOW - HOUR, sentAt: NOW - HOUR, secretId: '3' })],
    },
    'reap orphan due',
  ],
  [
    'an expired one of ours',
    { ...healthy, secrets: [secret('2', 80, { generation: 2 }), secret('3', -1, { generation: 3 })] },
    'reap leftover-expired due',
  ],
  [
    'an orphan that this ledger does not know',
    { ...healthy, secrets: [secret('2', 80, { generation: 2 }), secret('3', 85, { generation: 3 })] },
    'none up-to-date ok',
  ],
  [
    "another installation's",
    {
      ...healthy,
      secrets: [secret('2', 80, { generation: 2 }), secret('3', -1, { generation: 3, instance: 'other' })],
    },
    'none up-to-date ok',
  ],
];

describe('the plan', () => {
  it.each(TABLE)('%s', (_name, seen, expected) => {
    const { decision, state } = plan(situationOf(observation(seen)));
    expect(`${decision.action} ${decision.reason} ${state}`).toBe(expected);
  });

  it('is pure: the same situation gives the same plan, and is left as it was', () => {
    for (const [, seen] of TABLE) {
      const situation = situationOf(observation(seen));
      const before = JSON.stringify(situation);
      expect(plan(situation)).toEqual(plan(situation));
      expect(JSON.stringify(situation)).toBe(before);
    }
  });

  it('explains: checks up to the one that decided, the rest is not reached', () => {
    const lines = trace(situationOf(observation({ ...expiring, sharedWith: ['data8/other'] })));
    const deciding = lines.findIndex((each) => each.verdict?.decision != null);
    expect(lines[deciding]?.check).toBe('destinations-shared');
    expect(lines[deciding]?.verdict?.unblock).not.toBe('');
    expect(lines.slice(deciding + 1).every((each) => each.verdict === null)).toBe(true);
  });
});
