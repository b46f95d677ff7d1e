import { describe, expect, it } from 'vitest';
import { DAY, HOUR, MINUTE } from '../../../src/domain/time.ts';
import type { Observation } from '../../../src/rotation/observation.ts';
import {
  absent,
  destination,
  down,
  NOW,
  observation,
  record,
  rotation,
  secret,
  serving,
  situationOf,
} from './given.ts';

const born = NOW - HOUR;
const begun = (more: Parameters<typeof rotation>[1]) => rotation(3, { startedAt: born, sentAt: born, ...more });
const current = secret('2', 80, { generation: 2 });
const fresh = secret('3', 23 / 24, { generation: 3, born });
const extended = secret('3', 90, { generation: 3, born });
/** The rotation that made what is served before. */
const before = rotation(2, { state: 'done', secretId: '2', mayBeServed: true, sentAt: NOW - 10 * DAY });
const served = [destination('a', serving(2, '2')), destination('b', serving(2, '2'))];
const oneHas = [destination('a', serving(3, '3')), destination('b', serving(2, '2'))];
const allHave = [destination('a', serving(3, '3')), destination('b', serving(3, '3'))];

/** What is seen of rotation 3; the state that it is in afterwards, whether anything may serve it, and its secret's role. */
const TABLE: readonly [string, Partial<Observation>, string][] = [
  ['P1: intended and never sent', { rotations: [begun({ state: 'intended', sentAt: null })] }, 'abandoned unserved -'],
  [
    'a manual request that was never sent is kept',
    { rotations: [begun({ state: 'intended', sentAt: null, trigger: 'manual' })] },
    'intended unserved -',
  ],
  [
    'P5: a manual request that an old ledger has as never sent, and whose secret is served',
    {
      secrets: [current, extended],
      destinations: allHave,
      rotations: [begun({ state: 'intended', sentAt: null, trigger: 'manual' })],
    },
    'delivering served current',
  ],
  [
    'P5: a manual request that the world has outrun: its id is not used, for it may have been before',
    {
      secrets: [secret('4', 90, { generation: 4, born })],
      destinations: [destination('a', serving(4, '4')), destination('b', serving(4, '4'))],
      rotations: [begun({ state: 'intended', sentAt: null, trigger: 'manual' })],
    },
    'abandoned unserved -',
  ],
  [
    'I1: sent, found by its marker',
    { secrets: [current, fresh], rotations: [begun({ state: 'intended' })] },
    'abandoned unserved orphan',
  ],
  [
    'I2: sent, not found yet, may still land',
    { rotations: [begun({ state: 'intended', sentAt: NOW - MINUTE })] },
    'intended unserved -',
  ],
  [
    'I1: sent, not found past requestLifetime and listLag',
    { rotations: [begun({ state: 'intended', sentAt: NOW - 6 * MINUTE - 1 })] },
    'abandoned unserved -',
  ],
  [
    'I11: sent, and the list could not be read',
    { secrets: null, rotations: [begun({ state: 'intended' })] },
    'intended unserved -',
  ],
  [
    'P1: created',
    { secrets: [current, fresh], rotations: [begun({ state: 'created', secretId: '3' })] },
    'abandoned unserved orphan',
  ],
  [
    'P1: verified and extended',
    { secrets: [current, extended], rotations: [begun({ state: 'verified', secretId: '3' })] },
    'abandoned unserved orphan',
  ],
  [
    'P6: held by another',
    {
      secrets: [current, fresh],
      rotations: [begun({ state: 'created', secretId: '3', owner: 'other', leaseUntil: NOW - MINUTE })],
    },
    'created unserved pending',
  ],
  [
    'P6: whose lease and requests are over',
    {
      secrets: [current, fresh],
      rotations: [begun({ state: 'created', secretId: '3', owner: 'other', leaseUntil: NOW - 5 * MINUTE })],
    },
    'abandoned unserved orphan',
  ],
  [
    'P5: thought unborn, and served',
    { secrets: [current, extended], destinations: oneHas, rotations: [begun({ state: 'intended' })] },
    'delivering served current',
  ],
  [
    'P5: thought unborn, and extended',
    { secrets: [current, extended], rotations: [begun({ state: 'created', secretId: '3' })] },
    'abandoned served pending',
  ],
  [
    'P5: thought unborn, and something newer is served',
    {
      secrets: [secret('4', 90, { generation: 4, born }), extended],
      destinations: [destination('a', serving(4, '4'))],
      rotations: [begun({ state: 'verified', secretId: '3' })],
    },
    'abandoned served superseded',
  ],
  [
    'P5: verified and extended, and a destination that cannot be read may serve it',
    {
      secrets: [current, extended],
      destinations: [destination('a', serving(2, '2')), destination('b', down)],
      rotations: [begun({ state: 'verified', secretId: '3' })],
    },
    'abandoned served pending',
  ],
  [
    'P1: created, and a destination cannot be read: what is on its short life was not delivered',
    {
      secrets: [current, fresh],
      destinations: [destination('a', serving(2, '2')), destination('b', down)],
      rotations: [begun({ state: 'created', secretId: '3' })],
    },
    'abandoned unserved orphan',
  ],
  [
    'P5: given up while nothing could be read, and served: it has a grace as any other once it is replaced',
    {
      secrets: [current, extended],
      destinations: allHave,
      rotations: [begun({ state: 'abandoned', secretId: '3', finishedAt: NOW - MINUTE })],
    },
    'abandoned served current',
  ],
  [
    'P5: given up before its secret was known, and served',
    { secrets: [current, extended], destinations: oneHas, rotations: [begun({ state: 'abandoned' })] },
    'abandoned served current',
  ],
  [
    'given up, and served nowhere',
    { secrets: [current, extended], rotations: [begun({ state: 'abandoned', secretId: '3' })] },
    'abandoned unserved orphan',
  ],
  [
    'delivering: all serve it',
    {
      secrets: [current, extended],
      destinations: allHave,
      rotations: [begun({ state: 'delivering', secretId: '3', mayBeServed: true })],
    },
    'grace served current',
  ],
  [
    'delivering: all serve it, nothing was replaced',
    {
      secrets: [extended],
      destinations: allHave,
      rotations: [begun({ state: 'delivering', secretId: '3', mayBeServed: true })],
    },
    'done served current',
  ],
  [
    'V1: delivering, one is behind',
    {
      secrets: [current, extended],
      destinations: oneHas,
      rotations: [begun({ state: 'delivering', secretId: '3', mayBeServed: true })],
    },
    'delivering served current',
  ],
  [
    'V2: delivering, nothing has it',
    {
      secrets: [current, extended],
      destinations: served,
      rotations: [begun({ state: 'delivering', secretId: '3', mayBeServed: true })],
    },
    'abandoned served pending',
  ],
  [
    'V15: delivering, nothing has it, one is down',
    {
      secrets: [current, extended],
      destinations: [destination('a', serving(2, '2')), destination('b', down)],
      rotations: [begun({ state: 'delivering', secretId: '3', mayBeServed: true })],
    },
    'delivering served pending',
  ],
  [
    'V3: delivering, overtaken by a higher generation',
    {
      secrets: [current, extended, secret('4', 90, { generation: 4, born })],
      destinations: [destination('a', serving(4, '4')), destination('b', serving(3, '3'))],
      rotations: [begun({ state: 'delivering', secretId: '3', mayBeServed: true })],
    },
    'abandoned served superseded',
  ],
  [
    'V3: delivering, overtaken by a higher id of the same generation',
    {
      secrets: [current, extended, secret('5', 90, { generation: 3, born: born + 1 })],
      destinations: [destination('a', serving(3, '5')), destination('b', serving(3, '5'))],
      rotations: [begun({ state: 'delivering', secretId: '3', mayBeServed: true })],
    },
    'abandoned served superseded',
  ],
  [
    'V18: delivering, its own secret is due',
    {
      secrets: [current, secret('3', 29, { generation: 3, born: NOW - 61 * DAY })],
      destinations: oneHas,
      rotations: [
        rotation(3, {
          startedAt: NOW - 61 * DAY,
          sentAt: NOW - 61 * DAY,
          state: 'delivering',
          secretId: '3',
          mayBeServed: true,
        }),
      ],
    },
    'abandoned served current',
  ],
  [
    'C3: delivering, no rule any more, one has it',
    {
      terms: { kind: 'unmanaged' },
      secrets: [current, extended],
      destinations: oneHas.map((each) => ({ ...each, format: null })),
      rotations: [begun({ state: 'delivering', secretId: '3', mayBeServed: true })],
    },
    'grace served current',
  ],
  [
    'a value nowhere to be read: not readable',
    {
      secrets: [current, extended],
      destinations: [destination('a', serving(3, '3'), { readable: false }), destination('b', absent)],
      rotations: [begun({ state: 'delivering', secretId: '3', mayBeServed: true })],
    },
    'abandoned served current',
  ],
];

describe('what follows for a rotation that nobody works on', () => {
  it.each(TABLE)('%s', (_name, seen, expected) => {
    const first = observation({ secrets: [current], destinations: served, ...seen });
    const base = { ...first, rotations: [...first.rotations, before] };
    const situation = situationOf(base);
    const found = situation.rotations.find((each) => each.generation === 3);
    // roles follow at the next look
    const next = situationOf({ ...base, record: situation.record, rotations: situation.rotations });
    const role = next.record.secrets.find((each) => each.secretId === '3')?.role ?? '-';
    expect(`${found?.state} ${found?.mayBeServed ? 'served' : 'unserved'} ${role}`).toBe(expected);
  });
});

describe('the wait after an attempt that came to nothing', () => {
  const after = (failures: number, state: 'created' | 'intended') => {
    const seen = observation({
      secrets: [current],
      destinations: served,
      record: record({ failures }),
      rotations: [
        begun({ state, secretId: null, error: state === 'intended' ? 'the issuer reset the connection' : null }),
      ],
    });
    return (situationOf(seen).record.retryAt ?? Number.NaN) - NOW;
  };

  it('P1: stays short after crashes in a row', () => {
    expect(after(0, 'created')).toBeLessThanOrEqual(5_000);
    expect(after(50, 'created')).toBeLessThanOrEqual(20_000);
  });

  it('I4: doubles after failures of the issuer in a row, to an hour', () => {
    expect(after(0, 'intended')).toBeLessThanOrEqual(5_000);
    expect(after(50, 'intended')).toBeGreaterThanOrEqual(HOUR / 2);
  });
});
