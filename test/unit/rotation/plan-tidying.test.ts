import { describe, expect, it } from 'vitest';
import { DAY, HOUR, MINUTE } from '../../../src/domain/time.ts';
import type { Observation } from '../../../src/rotation/observation.ts';
import { plan } from '../../../src/rotation/plan.ts';
import {
  destination,
  down,
  idAt,
  managed,
  NOW,
  observation,
  record,
  rotation,
  secret,
  serving,
  settled,
  situationOf,
} from './given.ts';
import { healthy, oldKnown, inGrace, pause, decided, expectPure } from './plan-situations.ts';
import type { Row } from './plan-situations.ts';

const running = { ...inGrace, record: record({ secrets: [{ ...oldKnown, deleteAfter: NOW + 1 }] }) };

const TABLE: readonly Row[] = [
  // retirement
  ['grace over', inGrace, 'retire grace-over grace'],
  ['grace running', running, 'none up-to-date grace'],
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
    { ...inGrace, terms: { kind: 'unmanaged' }, destinations: [{ ...settled('a', 2, '2'), format: null }] },
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

const twoOld: Partial<Observation> = {
  ...inGrace,
  secrets: [secret('0', 20, { generation: 1, born: NOW - 71 * DAY }), ...(inGrace.secrets ?? [])],
  record: record({
    secrets: [
      { ...oldKnown, deleteAfter: NOW + 1 },
      { ...oldKnown, secretId: '0', rotationId: idAt(NOW - 71 * DAY, 1) },
    ],
  }),
};

describe('the plan: deletions', () => {
  it.each([
    ['its date', running, 'grace-running'],
    ['a person', { ...inGrace, terms: managed({ retire: 'manual' }) }, 'retire-manual'],
    ['the mode', { ...inGrace, mode: 'no-delete' }, 'mode-no-delete'],
    [
      'a person, while another one waits for its date',
      { ...twoOld, terms: managed({ retire: 'manual' }) },
      'retire-manual',
    ],
    ['a list past the lag', { ...inGrace, secrets: [secret('2', 80, { generation: 2 })] }, 'confirming-deletion'],
  ] as const)('a credential in grace says what its old secret waits for: %s', (_what, seen, reason) => {
    expect(plan(situationOf(observation(seen)))).toMatchObject({ state: 'grace', reason });
  });

  it.each(TABLE)('%s', (_name, seen, expected) => {
    expect(decided(seen)).toBe(expected);
  });

  it('is pure: the same situation gives the same plan, and is left as it was', () => {
    for (const [, seen] of TABLE) expectPure(seen);
  });
});
