import { describe, expect, it } from 'vitest';
import { DAY, HOUR } from '../../../src/domain/time.ts';
import type { SeenDestination } from '../../../src/rotation/observation.ts';
import {
  absent,
  destination,
  idAt,
  knownDestination,
  knownSecret,
  managed,
  NOW,
  observation,
  OWNER,
  record,
  rotation,
  secret,
  serving,
  settled,
  situationOf,
} from './given.ts';

const born = NOW - HOUR;
const begun = (more: Parameters<typeof rotation>[1]) => rotation(3, { startedAt: born, sentAt: born, ...more });
const current = secret('2', 80, { generation: 2 });
const extended = secret('3', 90, { generation: 3, born });
const served = [destination('a', serving(2, '2')), destination('b', serving(2, '2'))];
const oneHas = [destination('a', serving(3, '3')), destination('b', serving(2, '2'))];
const allHave = [destination('a', serving(3, '3')), destination('b', serving(3, '3'))];

describe('what a settled rotation supersedes', () => {
  it('C1: fixes the grace at settling: a later change of the policy does not move it', () => {
    const settled = situationOf(
      observation({
        secrets: [current, extended],
        destinations: allHave,
        rotations: [
          begun({ state: 'delivering', secretId: '3', mayBeServed: true }),
          rotation(2, { state: 'done', secretId: '2', mayBeServed: true }),
        ],
      }),
    );
    const old = settled.record.secrets.find((each) => each.secretId === '2');
    expect(old).toMatchObject({ role: 'superseded', deleteAfter: NOW + 14 * DAY, grace: 14 * DAY });
    for (const grace of [DAY, 28 * DAY]) {
      const later = situationOf(
        observation({
          now: NOW + DAY,
          terms: managed({ grace }),
          secrets: [current, extended],
          destinations: allHave,
          record: { ...record(), ...settled.record },
          rotations: settled.rotations,
        }),
      );
      expect(later.record.secrets.find((each) => each.secretId === '2')?.deleteAfter).toBe(NOW + 14 * DAY);
    }
  });

  it("supersedes what was made by hand only with `unmanaged: delete`, and never our own client's", () => {
    const hand = secret('9', 50);
    const known = situationOf(observation({ secrets: [current, hand], destinations: served })).record;
    const settle = (unmanaged: 'keep' | 'delete', isOwnClient: boolean) =>
      situationOf(
        observation({
          isOwnClient,
          terms: managed({ unmanaged }),
          secrets: [current, extended, hand],
          destinations: allHave,
          record: known,
          rotations: [begun({ state: 'delivering', secretId: '3', mayBeServed: true })],
        }),
      ).record.secrets.find((each) => each.secretId === '9')?.role;
    expect(settle('keep', false)).toBe('unmanaged');
    expect(settle('delete', false)).toBe('superseded');
    expect(settle('delete', true)).toBe('unmanaged');
  });

  it('V14, V19: a superseded secret that is served again loses its date, and gets a full grace from the repair', () => {
    const id = idAt(NOW - 10 * DAY, 2);
    const secrets = [
      {
        ...situationOf(observation({ secrets: [current, extended], destinations: allHave })).record.secrets[0]!,
        secretId: '2',
        role: 'superseded' as const,
        rotationId: id,
        grace: 14 * DAY,
        deleteAfter: NOW + HOUR,
      },
    ];
    const rotations = [begun({ state: 'grace', secretId: '3', mayBeServed: true, supersedes: ['2'] })];
    const rolled = situationOf(
      observation({ secrets: [current, extended], destinations: oneHas, record: record({ secrets }), rotations }),
    );
    expect(rolled.record.secrets.find((each) => each.secretId === '2')?.deleteAfter).toBeNull();
    const repaired = situationOf(
      observation({
        now: NOW + DAY,
        secrets: [current, extended],
        destinations: allHave,
        record: rolled.record,
        rotations,
      }),
    );
    expect(repaired.record.secrets.find((each) => each.secretId === '2')?.deleteAfter).toBe(NOW + 15 * DAY);
  });

  it('V19: a destination that others delivered to until now puts the date off to a full grace from that delivery', () => {
    const secrets = [
      knownSecret('2', {
        rotationId: idAt(NOW - 10 * DAY, 2),
        generation: 2,
        grace: 14 * DAY,
        deleteAfter: NOW + HOUR,
      }),
    ];
    const mark = { ...OWNER, generation: 3, secretId: '3', deliveredAt: NOW - DAY };
    const dateWith = (other: SeenDestination) =>
      situationOf(
        observation({
          secrets: [current, extended],
          destinations: [settled('a', 3, '3'), other],
          record: record({ secrets }),
          rotations: [begun({ state: 'grace', secretId: '3', mayBeServed: true, supersedes: ['2'] })],
        }),
      ).record.secrets.find((each) => each.secretId === '2')?.deleteAfter;
    expect(dateWith(settled('b', 3, '3')), 'known').toBe(NOW + HOUR);
    const taken = serving(3, '3', { mark });
    expect(dateWith(destination('b', taken)), 'never seen').toBe(NOW + 13 * DAY);
    const unread = knownDestination('b', { state: 'unreachable' });
    expect(dateWith(destination('b', taken, { known: unread })), 'never read').toBe(NOW + 13 * DAY);
    expect(dateWith(destination('b', absent)), 'empty').toBe(NOW + HOUR);
  });

  it('V19: such a delivery within a pause that is over leaves the rest of that pause to the new grace', () => {
    const own = { since: NOW - 3 * DAY, until: NOW - HOUR };
    const grace = 14 * DAY;
    const deleteAfter = NOW - 13 * DAY + grace + (own.until - own.since);
    const known = knownSecret('2', { rotationId: idAt(NOW - 20 * DAY, 2), grace, deleteAfter, paused: [own] });
    const mark = { ...OWNER, generation: 3, secretId: '3', deliveredAt: NOW - DAY };
    const seen = situationOf(
      observation({
        secrets: [current, extended],
        destinations: [settled('a', 3, '3'), destination('b', serving(3, '3', { mark }))],
        record: record({ secrets: [known] }),
        rotations: [begun({ state: 'grace', secretId: '3', mayBeServed: true, supersedes: ['2'] })],
      }),
    ).record.secrets.find((each) => each.secretId === '2');
    expect(seen?.deleteAfter).toBe(NOW - DAY + grace + (DAY - HOUR));
  });
});
