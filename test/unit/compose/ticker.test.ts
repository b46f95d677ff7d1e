import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { realTicker, startSchedule } from '../../../src/compose/ticker.ts';
import type { CronTimes } from '../../../src/compose/cron-times.ts';
import { DAY, HOUR, MINUTE, SECOND } from '../../../src/domain/time.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('sleep', () => {
  it('P9: a delay over 2^31 ms is slept in parts and does not fire at once', async () => {
    let awake = false;
    const slept = realTicker.sleep(60 * DAY).then(() => (awake = true));
    await vi.advanceTimersByTimeAsync(59 * DAY);
    expect(awake).toBe(false);
    await vi.advanceTimersByTimeAsync(DAY);
    await slept;
    expect(awake).toBe(true);
  });

  it('P9: no single timer is asked for more than it can hold', async () => {
    // no spy: what it restores at the end of the file is the fake timer, for all files after this one
    const fake = globalThis.setTimeout;
    const asked: unknown[] = [];
    const noted = (run: () => void, delay?: number) => {
      asked.push(delay);
      return fake(run, delay);
    };
    vi.stubGlobal('setTimeout', noted);
    void realTicker.sleep(2 ** 31 + 5);
    await vi.advanceTimersByTimeAsync(2 ** 31 + 5);
    expect(asked).toEqual([2 ** 31 - 1, 6]);
    vi.unstubAllGlobals();
  });

  it('throws the reason of a signal at once, before or while it sleeps, and leaves no timer', async () => {
    const early = AbortSignal.abort(new Error('early'));
    await expect(realTicker.sleep(SECOND, early)).rejects.toThrow('early');
    const control = new AbortController();
    const slept = realTicker.sleep(DAY, control.signal);
    control.abort(new Error('enough'));
    await expect(slept).rejects.toThrow('enough');
    expect(vi.getTimerCount()).toBe(0);
  });

  it('returns for zero and negative durations', async () => {
    const slept = realTicker.sleep(-5);
    await vi.advanceTimersByTimeAsync(0);
    await slept;
  });
});

/** Runs a schedule from `start` for `span` and notes when it fired. */
async function firings(cron: string, timezone: string, start: string, span: number): Promise<string[]> {
  vi.setSystemTime(new Date(start));
  const fired: string[] = [];
  const schedule = realTicker.schedule(cron, timezone, () => fired.push(new Date().toISOString()));
  await vi.advanceTimersByTimeAsync(span);
  schedule.stop();
  return fired;
}

describe('schedule', () => {
  it('fires at the times of a 5-field and of a 6-field expression, and tells the next', async () => {
    expect(await firings('*/15 * * * *', 'UTC', '2026-03-01T00:07:00Z', 31 * MINUTE)).toEqual([
      '2026-03-01T00:15:00.000Z',
      '2026-03-01T00:30:00.000Z',
    ]);
    expect(await firings('*/20 * * * * *', 'UTC', '2026-03-01T00:00:05Z', 40 * SECOND)).toEqual([
      '2026-03-01T00:00:20.000Z',
      '2026-03-01T00:00:40.000Z',
    ]);
    vi.setSystemTime(new Date('2026-03-01T00:00:00Z'));
    const schedule = realTicker.schedule('30 6 * * *', 'Europe/Berlin', () => undefined);
    expect(schedule.next()).toBe(Date.parse('2026-03-01T05:30:00Z'));
    schedule.stop();
    expect(schedule.next()).toBeNull();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('a schedule that is months away waits for it', async () => {
    const fired = await firings('0 0 1 6 *', 'UTC', '2026-03-01T00:00:00Z', 93 * DAY);
    expect(fired).toEqual(['2026-06-01T00:00:00.000Z']);
  });

  it.each([
    ['Europe/London', '2026-10-24T23:30:00Z', '30 1 * * *'],
    ['America/New_York', '2026-11-01T04:30:00Z', '30 1 * * *'],
    ['Australia/Lord_Howe', '2026-04-04T13:00:00Z', '45 1 * * *'],
  ])('P8: in %s the hour that comes twice fires once', async (timezone, start, cron) => {
    expect(await firings(cron, timezone, start, 5 * HOUR)).toHaveLength(1);
  });

  it.each(['Europe/London', 'America/New_York'])(
    'P8: in %s no wall time of a day with 25 hours fires twice',
    async (timezone) => {
      const start = timezone === 'Europe/London' ? '2026-10-24T22:50:00Z' : '2026-11-01T03:50:00Z';
      const fired = await firings('*/15 * * * *', timezone, start, 6 * HOUR);
      const wall = new Intl.DateTimeFormat('sv-SE', { timeZone: timezone, dateStyle: 'short', timeStyle: 'short' });
      const walls = fired.map((time) => wall.format(new Date(time)));
      expect(new Set(walls).size).toBe(walls.length);
      expect(walls.length).toBeGreaterThan(15);
    },
  );

  it('P8: the guard holds by itself: a slot whose wall time was had does not fire again', async () => {
    vi.setSystemTime(0);
    const slots = [MINUTE, 2 * MINUTE, 3 * MINUTE, 4 * MINUTE, 5 * MINUTE];
    const walls: Record<number, string> = { 1: '01:30', 2: '01:45', 3: '01:30', 4: '01:45', 5: '02:00' };
    const times: CronTimes = {
      next: () => slots.find((slot) => slot > Date.now()) ?? DAY,
      wall: (instant) => walls[instant / MINUTE] ?? '',
    };
    const fired: number[] = [];
    const schedule = startSchedule(times, () => fired.push(Date.now() / MINUTE));
    await vi.advanceTimersByTimeAsync(6 * MINUTE);
    schedule.stop();
    expect(fired).toEqual([1, 2, 5]);
  });

  it('P8: a clock that is set back does not silence the schedule', async () => {
    vi.setSystemTime(new Date('2026-03-01T12:00:00Z'));
    const fired: string[] = [];
    const schedule = realTicker.schedule('*/15 * * * *', 'UTC', () => fired.push(new Date().toISOString()));
    await vi.advanceTimersByTimeAsync(15 * MINUTE);
    vi.setSystemTime(new Date('2026-03-01T06:00:30Z'));
    await vi.advanceTimersByTimeAsync(20 * MINUTE);
    schedule.stop();
    expect(fired).toEqual(['2026-03-01T12:15:00.000Z', '2026-03-01T06:15:00.000Z']);
  });

  it('P7, P8: slots that passed while the process was frozen fire once together', async () => {
    vi.setSystemTime(new Date('2026-03-01T12:00:00Z'));
    let fired = 0;
    const schedule = realTicker.schedule('*/15 * * * *', 'UTC', () => fired++);
    await vi.advanceTimersByTimeAsync(MINUTE);
    vi.setSystemTime(new Date('2026-03-01T14:05:00Z'));
    await vi.advanceTimersByTimeAsync(MINUTE);
    expect(fired).toBe(1);
    expect(schedule.next()).toBe(Date.parse('2026-03-01T14:15:00Z'));
    schedule.stop();
  });

  it('a fire that stops the schedule leaves no timer behind', async () => {
    vi.setSystemTime(0);
    const schedule = realTicker.schedule('* * * * * *', 'UTC', () => {
      schedule.stop();
    });
    await vi.advanceTimersByTimeAsync(3 * SECOND);
    expect(vi.getTimerCount()).toBe(0);
  });
});
