import { describe, expect, it } from 'vitest';
import { DAY } from '../../../src/domain/time.ts';
import type { EndedPause, SecretRecord } from '../../../src/ledger/records.ts';
import { endPause, graceEnd, startGrace } from '../../../src/rotation/pauses.ts';
import { knownSecret, NOW, observation, record } from './given.ts';

const days = (since: number, until: number): EndedPause => ({ since: NOW + since * DAY, until: NOW + until * DAY });
const { circumstances } = observation();

/** What is left of a secret's record after pauses of its credential's own, each ended by a person. */
function afterOwn(secret: SecretRecord, own: readonly EndedPause[]): SecretRecord {
  const ended = own.reduce(
    (before, { since, until }) => endPause({ ...before, pause: { since, until: null, note: null } }, until),
    record({ secrets: [secret] }),
  );
  expect(ended.pause).toBeNull();
  return ended.secrets[0] ?? secret;
}

/** On which day its grace ends. */
function endsOn(secret: SecretRecord, pastPauses: readonly EndedPause[]): number | null {
  const end = graceEnd(secret, { ...circumstances, pastPauses });
  return end === null ? null : (end - NOW) / DAY;
}

const inGrace = knownSecret('1', { grace: 14 * DAY, deleteAfter: NOW + 14 * DAY });

/** A grace of 14 days from day 0 on: pauses of its own, pauses of everything, and the day on which it ends. */
const TABLE: readonly (readonly [name: string, own: EndedPause[], ofAll: EndedPause[], end: number])[] = [
  ['none', [], [], 14],
  ['its own', [days(4, 10)], [], 20],
  ['of everything', [], [days(1, 3)], 16],
  ['of everything, then its own', [days(4, 10)], [days(1, 3)], 22],
  ['its own, then of everything', [days(1, 3)], [days(4, 10)], 22],
  ['by turns', [days(3, 5), days(8, 9)], [days(1, 2), days(6, 7), days(10, 12)], 21],
  ['of everything, that its own begins in', [days(3, 9)], [days(2, 6)], 21],
  ['its own, that one of everything begins in', [days(2, 6)], [days(3, 9)], 21],
  ['its own within one of everything', [days(4, 5)], [days(2, 9)], 21],
  ['of everything within its own', [days(2, 9)], [days(4, 5)], 21],
  ['several of each, one in another', [days(2, 4), days(5, 8)], [days(3, 6), days(7, 9)], 21],
  ['both at once', [days(2, 5)], [days(2, 5)], 17],
  ['before the grace', [days(-6, -4)], [days(-3, -1)], 14],
  ['begun before the grace', [days(-2, 2)], [days(-4, 1)], 16],
];

describe('a grace', () => {
  it.each(TABLE)('C9: is put off by the time in any pause: %s', (_name, own, ofAll, end) => {
    expect(endsOn(afterOwn(inGrace, own), ofAll)).toBe(end);
  });

  it('is shown with the pauses of its own alone, whatever everything did meanwhile', () => {
    expect(afterOwn(inGrace, [days(4, 10)]).deleteAfter).toBe(NOW + 20 * DAY);
  });

  it('that starts anew is put off by what was paused since, by nothing before', () => {
    const paused = afterOwn(inGrace, [days(1, 3), days(4, 10)]);
    expect(endsOn(startGrace(paused, NOW + 11 * DAY, 14 * DAY), [days(2, 5)])).toBe(25);
    expect(endsOn(startGrace(paused, NOW + 8 * DAY, 14 * DAY), [days(2, 5)])).toBe(24);
    const again = startGrace(paused, NOW + 8 * DAY, 14 * DAY);
    expect(endsOn(afterOwn(again, [days(12, 13)]), [days(9, 11)])).toBe(26);
  });

  it('is put off by its own pauses whole, and by no less of everything, while a secret remembers fifty of them', () => {
    const own = Array.from({ length: 200 }, (_, n) => days(n / 16, n / 16 + 1 / 64));
    const paused = afterOwn(inGrace, own);
    expect(paused.paused?.length).toBeLessThanOrEqual(50);
    expect(endsOn(paused, [])).toBe(14 + 200 / 64);
    // what lay in both is counted twice where several own ones are told as one: never less than what each is by itself
    expect(endsOn(paused, [days(0, 12)])).toBeGreaterThanOrEqual(14 + 12);
    expect(endsOn(paused, [days(0, 12)])).toBeLessThanOrEqual(14 + 12 + 200 / 64);
  });

  it('that a person ended is put off by no pause', () => {
    const requested = { ...inGrace, deleteAfter: NOW, retireRequested: true };
    expect(endsOn(afterOwn(requested, [days(4, 10)]), [days(1, 3)])).toBe(0);
  });

  it('that does not run ends on no day', () => {
    const served = { ...inGrace, deleteAfter: null };
    expect(endsOn(afterOwn(served, [days(4, 10)]), [days(1, 3)])).toBeNull();
  });
});

describe('a pause of its own', () => {
  it('ends no later than it said it would', () => {
    const own = { ...days(4, 6), note: null };
    const [secret] = endPause(record({ secrets: [inGrace], pause: own }), NOW + 9 * DAY).secrets;
    expect(secret?.deleteAfter).toBe(NOW + 16 * DAY);
  });
});
