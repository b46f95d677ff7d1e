import { createTask, parse } from 'node-cron';
import type { Window, WrittenWindow } from '../domain/windows.ts';
import { DAY, HOUR, MINUTE, SECOND } from '../domain/time.ts';
import type { Duration, Instant } from '../domain/time.ts';

/** So many dates of a calendar are remembered. */
const MOST_DATES = 4_096;

/**
 * A window with the calendar of its cron expression, as node-cron reads it: the same words as in `schedule`. On the two
 * days on which the clocks change it goes its own way: a start that the wall clock shows twice opens once, at the first
 * passage; one that it never shows opens as much later as the clock was put forward.
 * @param written an expression and a time zone that schedule.ts has nothing against. @throws Error for others.
 */
export function openWindow(written: WrittenWindow): Window {
  const fields = parse(written.start);
  const times = timesOfDay(written.start);
  const hasDay = dayTest([fields.dayOfMonth, fields.month, fields.dayOfWeek].map((each) => each.join(',')).join(' '));
  const offset = offsetOf(written.timezone);
  const dates = new Map<number, readonly Instant[]>();

  const openingsOn = (date: number): readonly Instant[] => {
    const known = dates.get(date);
    if (known !== undefined) return known;
    const found = hasDay(date * DAY) ? onDate(date * DAY, times, offset) : [];
    if (dates.size >= MOST_DATES) dates.clear();
    dates.set(date, found);
    return found;
  };

  return {
    ...written,
    openings: (from, to) => {
      const found: Instant[] = [];
      // a wall clock is at most 14 hours ahead of UTC, and 12 behind
      const last = Math.floor((to + DAY) / DAY);
      for (let date = Math.floor((from - DAY) / DAY); date <= last; date += 1) {
        found.push(...openingsOn(date).filter((each) => each >= from && each < to));
      }
      return found;
    },
  };
}

/** The times of day that an expression names, as durations since midnight on the wall, ascending. @throws as {@link openWindow} */
export function timesOfDay(expression: string): readonly Duration[] {
  const { hour, minute, second } = parse(expression);
  return hour
    .flatMap((h) => minute.flatMap((m) => second.map((s) => h * HOUR + m * MINUTE + s * SECOND)))
    .sort((a, b) => a - b);
}

/** Whether the three fields of a day name a date, which is given as its midnight in UTC: there no clock ever changes. */
function dayTest(fields: string): (midnight: Instant) => boolean {
  // a task that is never started has no timers; destroyed, it leaves the registry and can still be asked
  const task = createTask(`0 0 0 ${fields}`, () => undefined, { timezone: 'UTC' });
  void task.destroy();
  return (midnight) => task.match(new Date(midnight));
}

type Offset = (at: Instant) => Duration;

/** How far the wall clocks of a time zone are ahead of UTC. */
function offsetOf(timezone: string): Offset {
  const format = new Intl.DateTimeFormat('sv-SE', { timeZone: timezone, dateStyle: 'short', timeStyle: 'medium' });
  return (at) => {
    const second = Math.floor(at / SECOND) * SECOND;
    return Date.parse(`${format.format(second).replace(' ', 'T')}Z`) - second;
  };
}

/** When the wall clock shows `times` on a date, ascending. @param midnight the date's midnight, were the zone UTC. */
function onDate(midnight: Instant, times: readonly Duration[], offset: Offset): readonly Instant[] {
  // far enough out to be on the two sides of a change on that date
  const before = offset(midnight - DAY);
  const after = offset(midnight + 2 * DAY);
  const found = times.map((time) => {
    const wall = midnight + time;
    if (before === after) return wall - before;
    const early = wall - before;
    const late = wall - after;
    const [first, second] = early < late ? [early, late] : [late, early];
    if (wall - first === offset(first)) return first;
    // the wall never shows it: by the offset before the change, which is the later of the two
    return wall - second === offset(second) ? second : early;
  });
  return [...new Set(found)].sort((a, b) => a - b);
}
