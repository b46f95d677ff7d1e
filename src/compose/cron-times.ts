import { createTask } from 'node-cron';
import type { Instant } from '../domain/time.ts';

/** The times that a cron expression names in a time zone. */
export interface CronTimes {
  /** The first one after now. */
  next(): Instant;
  /** What a clock on a wall of that zone shows at `instant`, as text that sorts by time within a zone's offset. */
  wall(instant: Instant): string;
}

/**
 * node-cron's reading of an expression (5 or 6 fields, seconds first; its two day fields must both match). Only its
 * calendar is used: its own runner drops a slot that it comes to late, keeps waiting when the clock is set back, and
 * prints to the console.
 * @throws Error where the expression is malformed or names no time at all; config/load.ts has refused both before.
 */
export function cronTimes(expression: string, timezone: string): CronTimes {
  // A task that is never started has no timers; destroyed at once, it leaves node-cron's registry and can still be asked.
  const task = createTask(expression, () => undefined, { timezone, suppressMissedWarning: true });
  void task.destroy();
  const format = new Intl.DateTimeFormat('sv-SE', {
    timeZone: timezone,
    dateStyle: 'short',
    timeStyle: 'medium',
  });
  return {
    next: () => {
      const [next] = task.getNextRuns(1);
      if (next === undefined) throw new Error('the schedule names no time');
      return next.getTime();
    },
    wall: (instant) => format.format(instant),
  };
}
