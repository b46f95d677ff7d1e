import { describe, expect, it } from 'vitest';
import { HOUR, MINUTE } from '../../../src/domain/time.ts';
import { destination, down, managed, NOW, record, rotation, secret, serving, settled } from './given.ts';
import { healthy, oldKnown, inGrace, pause, decided, expectPure } from './plan-situations.ts';
import type { Row } from './plan-situations.ts';

const TABLE: readonly Row[] = [
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

describe('the plan: deletions', () => {
  it.each(TABLE)('%s', (_name, seen, expected) => {
    expect(decided(seen)).toBe(expected);
  });

  it('is pure: the same situation gives the same plan, and is left as it was', () => {
    for (const [, seen] of TABLE) expectPure(seen);
  });
});
