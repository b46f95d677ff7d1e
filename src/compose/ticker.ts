import type { Schedule, Ticker } from '../domain/ports.ts';
import { MINUTE } from '../domain/time.ts';
import type { Duration, Instant } from '../domain/time.ts';
import { cronTimes } from './cron-times.ts';
import type { CronTimes } from './cron-times.ts';

/** What a JavaScript timer can hold; above it, it fires at once. */
const LONGEST_TIMER: Duration = 2 ** 31 - 1;

/** The schedule looks at the wall clock at least this often, so that a clock that is set is noticed. */
const LONGEST_NAP: Duration = MINUTE;

/** Timers of Node, schedules of node-cron. */
export const realTicker: Ticker = {
  sleep,
  schedule: (cron, timezone, fire) => startSchedule(cronTimes(cron, timezone), fire),
};

async function sleep(duration: Duration, signal?: AbortSignal): Promise<void> {
  let left = Math.max(0, duration);
  do {
    const part = Math.min(left, LONGEST_TIMER);
    await timer(part, signal);
    left -= part;
  } while (left > 0);
}

function timer(duration: Duration, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const give = (): void => {
      clearTimeout(handle);
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- the reason is the caller's own
      reject(signal?.reason);
    };
    const handle = setTimeout(() => {
      signal?.removeEventListener('abort', give);
      resolve();
    }, duration);
    if (signal?.aborted === true) give();
    else signal?.addEventListener('abort', give, { once: true });
  });
}

/**
 * Calls `fire` at the times of `times`. A slot that passed while the process was frozen fires once on waking; several
 * of them fire once together. Two traps are met here: a clock that is set back (the next slot is asked for afresh), and
 * the hour that comes twice when summer time ends (a slot whose wall time was already had does not fire again).
 * @internal exported for its test
 */
export function startSchedule(times: CronTimes, fire: () => void): Schedule {
  let slot = times.next();
  let last: { readonly at: Instant; readonly wall: string } | null = null;
  let seen = Date.now();
  let handle: NodeJS.Timeout | null = null;

  const wake = (): void => {
    const now = Date.now();
    if (now < seen) slot = times.next();
    seen = now;
    if (now >= slot) {
      const wall = times.wall(slot);
      // Later in time, but not later on the wall: the second passage through the same hour.
      const again = last !== null && slot > last.at && wall <= last.wall;
      if (!again) last = { at: slot, wall };
      slot = times.next();
      nap();
      if (!again) fire();
      return;
    }
    nap();
  };
  const nap = (): void => {
    handle = setTimeout(wake, Math.min(Math.max(0, slot - Date.now()), LONGEST_NAP));
  };
  nap();

  return {
    next: () => (handle === null ? null : slot),
    stop: () => {
      if (handle !== null) clearTimeout(handle);
      handle = null;
    },
  };
}
