import { describe, expect, it } from 'vitest';
import { DAY, HOUR, MINUTE } from '../../../src/domain/time.ts';
import { plan, trace } from '../../../src/rotation/plan.ts';
import {
  destination,
  down,
  managed,
  NOW,
  observation,
  record,
  rotation,
  secret,
  serving,
  situationOf,
} from './given.ts';
import {
  healthy,
  expiring,
  urgent,
  circumstances,
  pause,
  made,
  unborn,
  decided,
  expectPure,
} from './plan-situations.ts';
import type { Row } from './plan-situations.ts';

const TABLE: readonly Row[] = [
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
    'I6: what a person asked for failed, and nothing is due: until it may be asked for again',
    { ...healthy, record: record({ failures: 1, retryAt: NOW + 1, lastReason: 'verify-timeout' }) },
    'none up-to-date failing',
  ],
  [
    'what failed is not tried again, and may be asked for again',
    { ...healthy, record: record({ failures: 1, retryAt: NOW, lastReason: 'verify-timeout' }) },
    'none up-to-date ok',
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
];

describe('the plan: what holds new secrets back', () => {
  it.each(TABLE)('%s', (_name, seen, expected) => {
    expect(decided(seen)).toBe(expected);
  });

  it('is pure: the same situation gives the same plan, and is left as it was', () => {
    for (const [, seen] of TABLE) expectPure(seen);
  });

  it('is looked at again when what failed may be asked for again', () => {
    const failed = record({ failures: 1, retryAt: NOW + 1, lastReason: 'verify-timeout' });
    const planned = plan(situationOf(observation({ ...healthy, record: failed })));
    expect(planned).toMatchObject({ reason: 'verify-timeout', dueAt: NOW + 1 });
  });

  it('explains: checks up to the one that decided, the rest is not reached', () => {
    const lines = trace(situationOf(observation({ ...expiring, sharedWith: ['data8/other'] })));
    const deciding = lines.findIndex((each) => each.verdict?.decision != null);
    expect(lines[deciding]?.check).toBe('destinations-shared');
    expect(lines[deciding]?.verdict?.unblock).not.toBe('');
    expect(lines.slice(deciding + 1).every((each) => each.verdict === null)).toBe(true);
  });
});
