import { describe, expect, it } from 'vitest';
import { termsDigest } from '../../../src/config/match.ts';
import type { Policy } from '../../../src/config/settings.ts';
import { DAY, formatInstant, HOUR, MINUTE } from '../../../src/domain/time.ts';
import type { Instant } from '../../../src/domain/time.ts';
import type { Observation } from '../../../src/rotation/observation.ts';
import { plan, trace } from '../../../src/rotation/plan.ts';
import { startOf } from '../../../src/rotation/windows.ts';
import { windowsOf } from '../../fakes/windows.ts';
import {
  absent,
  destination,
  foreign,
  managed,
  NOW,
  observation,
  POLICY,
  record,
  rotation,
  secret,
  serving,
  situationOf,
} from './given.ts';

/** It is midnight, of a Tuesday: one is open until four, one opens at ten, one on Sunday at one. */
const open = windowsOf(['0 22 * * *', 6 * HOUR]);
const shut = windowsOf(['0 10 * * *', 6 * HOUR]);
const weekly = windowsOf(['0 1 * * 0', 4 * HOUR]);
const SUNDAY = NOW + 5 * DAY + HOUR;

/** A policy's windows, when a renewal is due, the served secret's end, and when it begins; `!`: outside of them. */
const starts: readonly [what: string, policy: Partial<Policy>, expires: Instant | null, begins: string][] = [
  ['no windows', {}, NOW + 20 * DAY, '2030-01-01T00:00'],
  ['one is open', { windows: open }, NOW + 20 * DAY, '2030-01-01T00:00'],
  ['the next one', { windows: shut }, NOW + 20 * DAY, '2030-01-01T10:00'],
  ['a secret that never ends waits just as well', { windows: weekly }, null, '2030-01-06T01:00'],
  ['urgent before it opens: then', { windows: weekly }, SUNDAY + 23 * HOUR, '!2030-01-06T00:00'],
  ['urgent just when it opens', { windows: weekly }, SUNDAY + DAY, '2030-01-06T01:00'],
  ['none before the end: at once', { windows: weekly }, SUNDAY + 34 * MINUTE, '!2030-01-01T00:00'],
  [
    'one before the end, with just enough room: urgent first',
    { windows: weekly },
    SUNDAY + 35 * MINUTE,
    '!2030-01-05T01:35',
  ],
  ['urgent already', { windows: shut }, NOW + 20 * HOUR, '!2030-01-01T00:00'],
  ['urgent already, and one is open', { windows: open }, NOW + 20 * HOUR, '2030-01-01T00:00'],
  ['expired', { windows: shut }, NOW - HOUR, '!2030-01-01T00:00'],
  [
    'no room left in the one that is open',
    { windows: windowsOf(['0 22 * * *', 2.5 * HOUR]) },
    NOW + 20 * DAY,
    '2030-01-01T22:00',
  ],
  [
    'none is ever long enough',
    { windows: windowsOf(['0 22 * * *', 30 * MINUTE]) },
    NOW + 20 * DAY,
    '!2030-01-01T00:00',
  ],
  [
    'unverified, it needs little room',
    { windows: windowsOf(['0 22 * * *', 2.5 * HOUR]), verify: { ...POLICY.verify, method: 'none' } },
    NOW + 20 * DAY,
    '2030-01-01T00:00',
  ],
];

describe('when a renewal begins', () => {
  it.each(starts)('%s', (_what, policy, expires, begins) => {
    const { at, inWindow } = startOf({ ...POLICY, ...policy }, NOW, expires);
    expect((inWindow ? '' : '!') + formatInstant(at).slice(0, 16)).toBe(begins);
  });
});

const expiring = (windows: Policy['windows'], days = 29): Partial<Observation> => ({
  terms: managed({ windows }),
  secrets: [secret('2', days, { generation: 2, born: NOW - 61 * DAY })],
  destinations: [destination('a', serving(2, '2'))],
});
const unborn = { state: 'intended', trigger: 'manual', reason: 'manual', startedAt: NOW - MINUTE } as const;
const circumstances = observation().circumstances;

/** What is seen; the action, its reason, the state that follow, and when it is looked at again; `!`: outside of windows. */
const TABLE: readonly [string, Partial<Observation>, string][] = [
  ['one is open', expiring(open), 'issue expiring rotating now'],
  ['the next one is waited for', expiring(shut), 'none outside-window due 2030-01-01T10:00'],
  ['urgent', expiring(shut, 0.5), 'issue! expiring rotating now'],
  ['expired', expiring(shut, -1), 'issue! expired rotating now'],
  ['none before the end', expiring(weekly, 5), 'issue! expiring rotating now'],
  [
    'the issuer is ahead: by its clock it is urgent sooner',
    { ...expiring(weekly, 6.05), skew: 4 * MINUTE },
    'none outside-window due 2030-01-06T01:00',
  ],
  [
    'max-age waits',
    { ...expiring(shut, 80), terms: managed({ windows: shut, maxAge: 5 * DAY }) },
    'none outside-window due 2030-01-01T10:00',
  ],
  [
    'initial: rotate waits',
    {
      terms: managed({ windows: shut, initial: 'rotate' }),
      secrets: [secret('9', 80)],
      destinations: [destination('a', foreign)],
    },
    'none outside-window due 2030-01-01T10:00',
  ],
  ['a person passes', { ...expiring(shut), rotations: [rotation(3, unborn)] }, 'issue manual rotating now'],
  [
    'a destination that is empty is filled at once, and told',
    { terms: managed({ windows: shut }), secrets: [], destinations: [destination('a', absent)] },
    'issue! destination-empty rotating now',
  ],
  [
    'a copy is made at once',
    {
      ...expiring(shut, 80),
      destinations: [destination('a', serving(2, '2')), destination('b', absent)],
    },
    'deliver destination-empty due now',
  ],
  [
    'what failed says so, and is tried again in the window',
    {
      ...expiring(shut),
      record: record({ state: 'failing', failures: 1, lastReason: 'verify-timeout', retryAt: NOW - 1 }),
    },
    'none outside-window failing 2030-01-01T10:00',
  ],
  [
    'what failed long ago, and was at rest since, is not what waits now',
    { ...expiring(shut), record: record({ state: 'ok', failures: 1, lastReason: 'vault-failed', retryAt: NOW - DAY }) },
    'none outside-window due 2030-01-01T10:00',
  ],
  [
    'the hour is spent: told once the window is open',
    { ...expiring(shut), circumstances: { ...circumstances, pacedUntil: NOW + MINUTE } },
    'none outside-window due 2030-01-01T10:00',
  ],
];

const told = (seen: Partial<Observation>): string => {
  const { decision, state, dueAt } = plan(situationOf(observation(seen)));
  const mark = decision.action === 'issue' && decision.outsideWindows ? '!' : '';
  const at = dueAt === null ? 'never' : dueAt === NOW ? 'now' : formatInstant(dueAt).slice(0, 16);
  return `${decision.action}${mark} ${decision.reason} ${state} ${at}`;
};

describe('a rotation', () => {
  it.each(TABLE)('%s', (_name, seen, expected) => {
    expect(told(seen)).toBe(expected);
  });

  it('that a limit holds back is told before its window opens', () => {
    const seen = { ...expiring(shut), limits: { ...observation().limits, maxLiveSecrets: 1 } };
    expect(told(seen)).toMatch(/^none cap-reached blocked/);
  });

  it('says what it waits for', () => {
    const lines = trace(situationOf(observation(expiring(shut))));
    expect(lines.find((each) => each.verdict?.decision != null)).toEqual({
      check: 'windows',
      verdict: expect.objectContaining({
        saw: 'the next window opens at 2030-01-01T10:00:00.000Z',
        unblock: 'wait, ask for it with rekeyd rotate, or change `windows` of its policy',
      }) as unknown,
    });
    const saw = (seen: Partial<Observation>) =>
      trace(situationOf(observation(seen))).find((each) => each.check === 'windows')?.verdict?.saw;
    expect(saw(expiring(open))).toBe('a window is open');
    expect(saw(expiring(null))).toBe('no windows are set');
    expect(saw(expiring(weekly, 5))).toBe('no window comes in time: it goes ahead outside of them');
    expect(saw({ ...expiring(shut), rotations: [rotation(3, unborn)] })).toMatch(/^a person asked for it/);
    expect(saw(expiring(weekly, 6.03))).toBe('no window comes before it is urgent, at 2030-01-06T00:43:12.000Z');
  });
});

describe('the digest of terms', () => {
  it('tells windows apart', () => {
    const installed = { instance: 'test', mode: 'active' as const, vaults: new Map() };
    const digest = (windows: Policy['windows']) => termsDigest(managed({ windows }), installed);
    expect(digest(open)).not.toBe(digest(shut));
    expect(digest(open)).toBe(digest(windowsOf(['0 22 * * *', 6 * HOUR])));
    expect(digest(open)).not.toBe(digest(null));
  });
});
