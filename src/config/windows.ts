import { z } from 'zod';
import { DAY, formatDuration, HOUR, MINUTE } from '../domain/time.ts';
import type { Duration, Instant } from '../domain/time.ts';
import { Windows } from '../domain/windows.ts';
import { rotationRoom, urgentLead } from './policy-times.ts';
import { duration } from './fields.ts';
import type { TreeReport } from './report.ts';
import { scheduleProblem, timezoneProblem } from './schedule.ts';
import type { Policy } from './settings.ts';
import type { Path } from './tree.ts';
import { openWindow, timesOfDay } from './window-calendar.ts';

/** Longer than this is taken for a mistake: what is open all the time is no window. */
const LONGEST: Duration = 7 * DAY;

/** A window that opens more often is written as a longer one. */
const MOST_OPENINGS = 24;

/**
 * The years over which it is seen how long windows stay shut: fixed, so that what loads today loads on any day. They have a
 * leap day.
 */
const SPAN: { readonly from: Instant; readonly to: Instant } = {
  from: Date.UTC(2027, 0, 1),
  to: Date.UTC(2030, 0, 1),
};

export const windowShape = {
  start: z.string().min(1).describe('When it opens: cron, 5 or 6 fields (seconds first).'),
  duration: duration(MINUTE)
    .refine((value) => value <= LONGEST, 'must not be above 7d')
    .describe('How long it stays open, by the clock of the world: an hour that comes twice counts twice.'),
  timezone: z.string().min(1).optional().describe('The time zone of `start`. Default: the top `timezone`.'),
};

type Written = z.output<z.ZodObject<typeof windowShape>>;

/** The windows of a policy as written. @param timezone where a window names none. @returns null: none, or not to be used. */
export function readWindows(
  written: readonly Written[],
  timezone: string,
  path: Path,
  report: TreeReport,
): Windows | null {
  const windows = written.map(({ start, duration: length, timezone: own }, index) => {
    const zone = own ?? timezone;
    const wrongZone = timezoneProblem(zone);
    if (wrongZone !== null && own !== undefined) report.value([...path, index, 'timezone'], wrongZone);
    const wrongStart = scheduleProblem(start, wrongZone === null ? zone : 'UTC') ?? tooOften(start);
    if (wrongStart !== null) report.value([...path, index, 'start'], wrongStart);
    return wrongZone === null && wrongStart === null ? { start, duration: length, timezone: zone } : null;
  });
  const sound = windows.filter((each) => each !== null);
  return sound.length === 0 || sound.length < windows.length ? null : new Windows(sound.map(openWindow));
}

function tooOften(start: string): string | null {
  const { length } = timesOfDay(start);
  if (length <= MOST_OPENINGS) return null;
  return `opens ${length} times on one day: name one start, and a longer duration`;
}

/**
 * Tells of windows in which a policy cannot be kept: too short for a rotation, or shut for so long that a secret may become
 * urgent before one opens.
 * @param written what the policy says itself; where it has both sides from the default policy, that was told there.
 */
export function checkWindows(
  policy: Policy,
  written: {
    readonly windows?: readonly Written[] | undefined;
    readonly renewBefore?: unknown;
    readonly verify?: unknown;
  },
  path: Path,
  report: TreeReport,
): void {
  if (policy.windows === null) return;
  const room = rotationRoom(policy);
  const short = policy.windows.written.findIndex((each) => each.duration < room);
  if (short >= 0) {
    const words = 'verify.timeout + verify.settle: a rotation is to end in the window that it begins in';
    if (written.windows !== undefined)
      report.value([...path, 'windows', short, 'duration'], `must be at least ${words}`);
    else if (written.verify !== undefined) report.value([...path, 'verify'], `every window must be at least ${words}`);
    return;
  }
  const wait = longestWait(policy.windows, room);
  if (wait < policy.renewBefore - urgentLead(policy)) return;
  const shut = Number.isFinite(wait) ? `for up to ${formatDuration(Math.ceil(wait / HOUR) * HOUR)}` : 'for years';
  const problem = `no rotation may begin ${shut}, and a secret that is due then becomes urgent: open a window more often, or raise renewBefore`;
  if (written.windows !== undefined) report.value([...path, 'windows'], problem);
  else if (written.renewBefore !== undefined) report.value([...path, 'renewBefore'], `by its windows ${problem}`);
  else if (written.verify !== undefined) report.value([...path, 'verify'], `by its windows ${problem}`);
}

/** The longest time from when a window has no room left for a rotation to the next opening. */
function longestWait(windows: Windows, room: Duration): Duration {
  let longest = 0;
  const span = SPAN.to - SPAN.from;
  for (let stretch = windows.stretch(SPAN.from, span); stretch !== null && stretch.opens < SPAN.to;) {
    const next = windows.stretch(stretch.closes, span);
    longest = Math.max(longest, (next?.opens ?? Number.POSITIVE_INFINITY) - (stretch.closes - room));
    stretch = next;
  }
  return longest;
}
