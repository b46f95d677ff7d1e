import { describe, expect, it } from 'vitest';
import { openWindow, timesOfDay } from '../../../src/config/window-calendar.ts';
import { formatInstant, HOUR, MINUTE } from '../../../src/domain/time.ts';

function openings(start: string, timezone: string, from: string, to: string): string[] {
  const { openings: all } = openWindow({ start, duration: HOUR, timezone });
  return all(Date.parse(from), Date.parse(to)).map((each) => formatInstant(each).replace(/:00\.000Z$/, 'Z'));
}

/** An expression, its zone, a span of time, and when it opens in it. */
const tables: readonly [what: string, start: string, zone: string, from: string, to: string, opens: string[]][] = [
  [
    'weekdays, across the end of winter time: by the wall',
    '0 22 * * 1-5',
    'Europe/London',
    '2026-03-27T00:00Z',
    '2026-04-01T00:00Z',
    ['2026-03-27T22:00Z', '2026-03-30T21:00Z', '2026-03-31T21:00Z'],
  ],
  [
    'a time that the wall skips, east of Greenwich: as much later as the clock is put forward',
    '30 1 * * *',
    'Europe/London',
    '2026-03-28T00:00Z',
    '2026-03-31T00:00Z',
    ['2026-03-28T01:30Z', '2026-03-29T01:30Z', '2026-03-30T00:30Z'],
  ],
  [
    'a time that the wall skips, west of it',
    '30 2 * * *',
    'America/New_York',
    '2026-03-07T00:00Z',
    '2026-03-10T00:00Z',
    ['2026-03-07T07:30Z', '2026-03-08T07:30Z', '2026-03-09T06:30Z'],
  ],
  [
    'a time that the wall shows twice: once, at the first passage',
    '30 1 * * *',
    'Europe/London',
    '2026-10-24T00:00Z',
    '2026-10-27T00:00Z',
    ['2026-10-24T00:30Z', '2026-10-25T00:30Z', '2026-10-26T01:30Z'],
  ],
  [
    'a time that the wall shows twice, west of Greenwich',
    '30 1 * * *',
    'America/New_York',
    '2026-10-31T00:00Z',
    '2026-11-03T00:00Z',
    ['2026-10-31T05:30Z', '2026-11-01T05:30Z', '2026-11-02T06:30Z'],
  ],
  [
    'times around the skipped one keep their order, and none comes twice',
    '0,30 1,2 * * *',
    'Europe/London',
    '2026-03-29T00:00Z',
    '2026-03-30T00:00Z',
    ['2026-03-29T01:00Z', '2026-03-29T01:30Z'],
  ],
  [
    'a midnight that the wall skips',
    '0 0 * * *',
    'America/Sao_Paulo',
    '2018-11-03T00:00Z',
    '2018-11-06T00:00Z',
    ['2018-11-03T03:00Z', '2018-11-04T03:00Z', '2018-11-05T02:00Z'],
  ],
  [
    'the last day of a month, 14 hours ahead of UTC',
    '0 0 L * *',
    'Pacific/Kiritimati',
    '2027-12-01T00:00Z',
    '2028-03-01T00:00Z',
    ['2027-12-30T10:00Z', '2028-01-30T10:00Z', '2028-02-28T10:00Z'],
  ],
  [
    'the first Saturday of a month, half an hour off',
    '0 6 * * 6#1',
    'Asia/Kolkata',
    '2026-01-01T00:00Z',
    '2026-03-01T00:00Z',
    ['2026-01-03T00:30Z', '2026-02-07T00:30Z'],
  ],
  [
    'day of the month and day of the week must both hold, as in a schedule',
    '0 3 13 * 5',
    'UTC',
    '2026-01-01T00:00Z',
    '2026-12-01T00:00Z',
    ['2026-02-13T03:00Z', '2026-03-13T03:00Z', '2026-11-13T03:00Z'],
  ],
  [
    'a nickname',
    '@weekly',
    'UTC',
    '2026-01-01T00:00Z',
    '2026-01-12T00:00Z',
    ['2026-01-04T00:00Z', '2026-01-11T00:00Z'],
  ],
];

describe('the calendar of a window', () => {
  it.each(tables)('%s', (_what, start, zone, from, to, opens) => {
    expect(openings(start, zone, from, to)).toEqual(opens);
  });

  it('takes the start of a span in, and leaves its end out', () => {
    expect(openings('0 22 * * *', 'UTC', '2026-01-01T22:00Z', '2026-01-02T22:00Z')).toEqual(['2026-01-01T22:00Z']);
  });

  it('agrees with itself, however the span is cut', () => {
    const { openings: all } = openWindow({ start: '*/7 * * * *', duration: HOUR, timezone: 'America/St_Johns' });
    const from = Date.parse('2026-10-30T05:17Z');
    const whole = all(from, from + 72 * HOUR);
    const cut = Array.from({ length: 72 }, (_, hour) => all(from + hour * HOUR, from + (hour + 1) * HOUR)).flat();
    expect(cut).toEqual(whole);
    expect(whole.length).toBeGreaterThan(600);
  });

  it('tells the times of a day', () => {
    expect(timesOfDay('15,45 6-8/2 * * *')).toEqual([6, 8].flatMap((h) => [15, 45].map((m) => h * HOUR + m * MINUTE)));
    expect(timesOfDay('*/30 0 0 * * *')).toEqual([0, 30_000]);
  });
});
