import { describe, expect, it } from 'vitest';
import { DAY, HOUR, MINUTE, SECOND } from '../../../src/domain/time.ts';
import type { RotationRecord } from '../../../src/ledger/records.ts';
import { conclude } from '../../../src/rotation/conclude.ts';
import { creations } from '../../../src/rotation/limits.ts';
import { plan } from '../../../src/rotation/plan.ts';
import { redateRecord, redateRotation, retryTime } from '../../../src/rotation/redate.ts';
import { remember } from '../../../src/rotation/remember.ts';
import { tellChanges } from '../../../src/rotation/tell.ts';
import type { World } from '../../../src/rotation/world.ts';
import { knownSecret, NOW, observation, record, rotation, situationOf } from './given.ts';

const LAG = MINUTE;
/** No clock of another process is further ahead than this. */
const PEER = 10 * MINUTE;

describe('a wait after failures', () => {
  it.each([
    ['none', 0, null, null],
    ['over', 3, NOW - 1, NOW - 1],
    ['as long as one failure makes it', 1, NOW + 5 * SECOND, NOW + 5 * SECOND],
    ['of a process whose clock is a little ahead', 1, NOW + 5 * SECOND + PEER, NOW + 5 * SECOND + PEER],
    ['as long as many failures make it', 20, NOW + HOUR, NOW + HOUR],
  ])('%s', (_name, failures, retryAt, then) => {
    expect(redateRecord(record({ failures, retryAt }), NOW, LAG).retryAt).toBe(then);
    expect(retryTime({ failures, retryAt }, { now: NOW, skew: null })).toBe(then);
  });

  it.each([
    ['one failure', 1, NOW + 5 * SECOND + PEER + 1, NOW + 5 * SECOND],
    ['any number of failures', 20, NOW + 2 * DAY, NOW + HOUR],
  ])(
    'P8: longer than %s could make it begins anew for looks, and holds no person',
    (_name, failures, retryAt, then) => {
      expect(redateRecord(record({ failures, retryAt }), NOW, LAG).retryAt).toBe(then);
      expect(retryTime({ failures, retryAt }, { now: NOW, skew: null })).toBeNull();
    },
  );

  it('P8: for marks that are written back is no longer than the lag of lists, or its backoff', () => {
    const waits = (retryAt: number) =>
      redateRecord(record({ unmarked: { attempts: 1, retryAt, error: null } }), NOW, LAG).unmarked?.retryAt;
    expect(waits(NOW + LAG + PEER)).toBe(NOW + LAG + PEER);
    expect(waits(NOW + LAG + PEER + 1)).toBe(NOW + LAG);
  });
});

describe('a clock of ours that is behind', () => {
  const skew = 16 * HOUR;
  const theirs = NOW + skew;

  it('P8, S8: leaves what others dated as it is: their creations count for a day', () => {
    const sent = rotation(3, { state: 'abandoned', sentAt: theirs - HOUR });
    const held = rotation(4, { state: 'created', owner: 'another', sentAt: theirs, leaseUntil: theirs + 30 * SECOND });
    const seen = observation({ skew, rotations: [held, sent] });
    expect(conclude(seen, remember(seen), 0.5, () => 'retry').changed).toEqual([]);
  });

  it('P8: leaves the waits of others as they are', () => {
    const wait = { failures: 3, retryAt: theirs + 20 * SECOND };
    expect(retryTime(wait, { now: NOW, skew })).toBe(wait.retryAt);
    expect(retryTime(wait, { now: NOW, skew: null })).toBeNull();
  });
});

describe('secrets', () => {
  it('P8: what is noted as past is no later than now; dates of deletions, and what they are counted from, stay', () => {
    const [ahead, dates] = [NOW + 2 * DAY, { firstSeen: NOW + 3 * DAY, deleteAfter: NOW + 5 * DAY, grace: DAY }];
    const of = (missingSince: number | null, deletingSince: number | null) =>
      record({ secrets: [knownSecret('1', { ...dates, missingSince, deletingSince })] });
    expect(redateRecord(of(ahead, ahead), NOW, LAG)).toEqual(of(NOW, NOW));
    expect(redateRecord(of(NOW - 1, NOW - 2), NOW, LAG)).toEqual(of(NOW - 1, NOW - 2));
    expect(redateRecord(of(null, null), NOW, LAG)).toEqual(of(null, null));
  });
});

describe('a rotation', () => {
  const held = rotation(3, { state: 'created', owner: 'another', sentAt: NOW - MINUTE });

  it.each([
    ['that lasts', NOW + 30 * SECOND, NOW + 30 * SECOND],
    ['of a process whose clock is a little ahead', NOW + 30 * SECOND + PEER, NOW + 30 * SECOND + PEER],
    ['P8: that no lease is as long as', NOW + 30 * SECOND + PEER + 1, NOW + 30 * SECOND],
  ])('has a lease %s', (_name, leaseUntil, then) => {
    expect(redateRotation({ ...held, leaseUntil }, NOW)).toEqual({ ...held, leaseUntil: then });
  });

  it('P8: that another holds by a clock that is ahead is held for a whole lease from the first look, not from each', () => {
    const stored = { ...held, leaseUntil: NOW + 2 * DAY };
    const look = (now: number, rotations: readonly RotationRecord[]) => {
      const seen = observation({ now, rotations });
      return conclude(seen, remember(seen), 0.5, () => 'retry');
    };
    const [first] = look(NOW, [stored]).changed;
    expect(first).toEqual({ ...stored, leaseUntil: NOW + 30 * SECOND });
    const { requestLifetime } = observation().timing;
    const freed = NOW + 30 * SECOND + requestLifetime;
    const later = (now: number) => look(now, first === undefined ? [] : [{ ...stored, ...first }]).changed;
    expect(later(freed - 1)).toEqual([]);
    expect(later(freed)).toMatchObject([{ state: 'abandoned', owner: null }]);
  });

  it('P8: that was sent on a clock that is ahead counts for a day from the first look, over or not', () => {
    for (const state of ['intended', 'done', 'abandoned'] as const) {
      const stored = rotation(3, { state, sentAt: NOW + 60 * DAY, watchUntil: NOW + 60 * DAY });
      const seen = observation({ rotations: [stored] });
      const { rotations, changed } = conclude(seen, remember(seen), 0.5, () => 'retry');
      expect(changed.map((each) => each.sentAt)).toEqual([NOW]);
      expect(creations(observation({ now: NOW + DAY - 1 }), rotations)).toEqual([NOW]);
      expect(creations(observation({ now: NOW + DAY }), rotations)).toEqual([]);
    }
  });

  it('P8: that was over before is not told as over again', () => {
    const told: string[] = [];
    const world = { events: { tell: ({ type }: { type: string }) => told.push(type) } } as unknown as World;
    const before = [
      rotation(2, { state: 'abandoned', sentAt: NOW + DAY }),
      rotation(3, { state: 'done', sentAt: NOW + DAY }),
    ];
    const seen = observation({ rotations: before });
    const situation = situationOf(seen);
    const planned = { ...plan(situation), ended: new Map() };
    tellChanges(world, seen, situation.record, situation.rotations, planned);
    expect(told.filter((each) => each.startsWith('rotation-'))).toEqual([]);
    tellChanges(world, { ...seen, rotations: [] }, situation.record, situation.rotations, planned);
    expect(told.filter((each) => each.startsWith('rotation-'))).toEqual(['rotation-abandoned', 'rotation-done']);
  });
});
