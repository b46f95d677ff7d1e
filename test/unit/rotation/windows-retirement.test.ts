import { describe, expect, it } from 'vitest';
import type { Policy } from '../../../src/config/settings.ts';
import { DAY, formatInstant, HOUR, MINUTE } from '../../../src/domain/time.ts';
import type { Observation } from '../../../src/rotation/observation.ts';
import { plan, trace } from '../../../src/rotation/plan.ts';
import { deletionDeadline } from '../../../src/rotation/windows.ts';
import { windowsOf } from '../../fakes/windows.ts';
import {
  idAt,
  knownSecret,
  managed,
  NOW,
  observation,
  record,
  rotation,
  secret,
  settled,
  situationOf,
} from './given.ts';

/** It is midnight: one is open until four, one opens at ten. */
const open = windowsOf(['0 22 * * *', 6 * HOUR]);
const shut = windowsOf(['0 10 * * *', 6 * HOUR]);

const inGrace = (windows: Policy['windows'], deleteAfter = NOW - 1, requested = false): Partial<Observation> => ({
  terms: managed({ windows }),
  destinations: [settled('a', 2, '2')],
  secrets: [secret('1', 20, { generation: 1, born: NOW - 70 * DAY }), secret('2', 80, { generation: 2 })],
  rotations: [rotation(2, { state: 'grace', secretId: '2', supersedes: ['1'], mayBeServed: true, sentAt: NOW - DAY })],
  record: record({
    secrets: [
      knownSecret('1', {
        rotationId: idAt(NOW - 70 * DAY, 1),
        generation: 1,
        grace: 14 * DAY,
        deleteAfter,
        retireRequested: requested,
      }),
    ],
  }),
});
const retirement = (seen: Partial<Observation>): string => {
  const { decision, retirements, dueAt } = plan(situationOf(observation(seen)));
  const [first] = retirements;
  const at = first?.at == null ? 'never' : formatInstant(first.at).slice(0, 16);
  return `${decision.action} ${first?.reason ?? ''} ${at} ${dueAt === NOW ? 'now' : formatInstant(dueAt ?? 0).slice(0, 16)}`;
};

describe('a retirement', () => {
  it.each([
    ['in its window', inGrace(open), 'retire grace-over 2029-12-31T23:59 now'],
    ['waits for its window', inGrace(shut), 'none outside-window 2030-01-01T10:00 2030-01-01T10:00'],
    [
      'waits for it at the word of a person, too',
      inGrace(shut, NOW, true),
      'none outside-window 2030-01-01T10:00 2030-01-01T10:00',
    ],
    [
      'whose grace ends later is dated by its window',
      inGrace(shut, NOW + 17 * HOUR),
      'none grace-running 2030-01-02T10:00 2030-01-02T10:00',
    ],
    [
      'needs room for the call, and for one that was given up to land',
      inGrace(windowsOf(['0 22 * * *', 2 * HOUR + 10 * MINUTE - 1])),
      'none outside-window 2030-01-01T22:00 2030-01-01T22:00',
    ],
    [
      'goes where there is just that room',
      inGrace(windowsOf(['0 22 * * *', 2 * HOUR + 10 * MINUTE])),
      'retire grace-over 2029-12-31T23:59 now',
    ],
    [
      'needs the window to be open by the clock of the issuer, too: it is ahead',
      { ...inGrace(windowsOf(['0 22 * * *', 2 * HOUR + 12 * MINUTE])), skew: 3 * MINUTE },
      'none outside-window 2030-01-01T22:00 2030-01-01T22:00',
    ],
    [
      'and behind: it is looked at again when both have it open',
      { ...inGrace(windowsOf(['0 0 * * *', HOUR]), NOW - HOUR), skew: -3 * MINUTE },
      'none outside-window 2030-01-01T00:00 2030-01-01T00:03',
    ],
    [
      'has no windows where no rule matches',
      { ...inGrace(shut), terms: { kind: 'unmanaged' } as const },
      'retire grace-over 2029-12-31T23:59 now',
    ],
  ])('%s', (_name, seen, expected) => {
    expect(retirement(seen)).toBe(expected);
  });

  it('of a secret that has ended meanwhile waits as well', () => {
    const seen = inGrace(shut, NOW + DAY);
    const ended = {
      ...seen,
      secrets: [secret('1', -1, { generation: 1, born: NOW - 70 * DAY }), secret('2', 80, { generation: 2 })],
    };
    expect(plan(situationOf(observation(ended))).decision.action).toBe('none');
    expect(plan(situationOf(observation({ ...ended, terms: managed({ windows: open }) }))).decision.action).toBe(
      'retire',
    );
  });

  it('says what it waits for', () => {
    const lines = trace(situationOf(observation(inGrace(shut))));
    expect(lines.find((each) => each.check === 'retirements')?.verdict?.saw).toBe(
      'secret 1 waits: its next window opens at 2030-01-01T10:00:00.000Z',
    );
    const never = trace(situationOf(observation(inGrace(windowsOf(['0 10 * * *', 9 * MINUTE])))));
    expect(never.find((each) => each.check === 'retirements')?.verdict?.saw).toBe(
      'secret 1 waits: no window is long enough for it',
    );
  });

  it('is given up so early that it lands in its window', () => {
    const seen = observation(inGrace(open));
    expect(deletionDeadline(seen, NOW)).toBe(NOW + 4 * HOUR - 5 * MINUTE);
    expect(deletionDeadline({ ...seen, skew: MINUTE }, NOW)).toBe(NOW + 4 * HOUR - 6 * MINUTE);
    expect(deletionDeadline(observation(inGrace(null)), NOW)).toBeNull();
    expect(deletionDeadline(observation(inGrace(shut)), NOW)).toBeLessThan(NOW);
  });

  it('does not hold a leftover back: nobody was ever served by it', () => {
    const seen = observation({
      terms: managed({ windows: shut }),
      destinations: [settled('a', 2, '2')],
      secrets: [secret('2', 80, { generation: 2 }), secret('3', 1, { generation: 3, born: NOW - HOUR })],
      rotations: [rotation(3, { state: 'abandoned', startedAt: NOW - HOUR, sentAt: NOW - HOUR, secretId: '3' })],
    });
    expect(plan(situationOf(seen)).decision).toMatchObject({ action: 'reap', reason: 'orphan' });
  });
});
