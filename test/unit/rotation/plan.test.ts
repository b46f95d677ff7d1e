import { describe, expect, it } from 'vitest';
import { DAY, MINUTE } from '../../../src/domain/time.ts';
import { UNNAMED } from '../../../src/rotation/observation.ts';
import {
  absent,
  destination,
  down,
  foreign,
  knownDestination,
  knownSecret,
  managed,
  NOW,
  record,
  rotation,
  secret,
  serving,
} from './given.ts';
import { healthy, expiring, old, inGrace, unborn, decided, expectPure } from './plan-situations.ts';
import type { Row } from './plan-situations.ts';

const TABLE: readonly Row[] = [
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
];

describe('the plan: who is looked at, and what is wanted', () => {
  it.each(TABLE)('%s', (_name, seen, expected) => {
    expect(decided(seen)).toBe(expected);
  });

  it('is pure: the same situation gives the same plan, and is left as it was', () => {
    for (const [, seen] of TABLE) expectPure(seen);
  });
});
