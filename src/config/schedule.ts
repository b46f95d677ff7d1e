import { createTask, validateDetailed } from 'node-cron';

/** Why there is no such time zone; null where there is. */
export function timezoneProblem(timezone: string): string | null {
  // The calendars of all zones take 20 ms to load: a start with the defaults does without them until it listens.
  if (timezone === 'UTC') return null;
  try {
    new Intl.DateTimeFormat('en', { timeZone: timezone });
    return null;
  } catch {
    return 'is not a time zone; write it as in Europe/London';
  }
}

/**
 * Why a cron expression cannot be used; null where it can. It asks the library that will run it for the next run: one
 * that never fires throws only then. The task that is asked is never started.
 * @param timezone one that {@link timezoneProblem} has nothing against.
 */
export function scheduleProblem(expression: string, timezone: string): string | null {
  const fields = expression.trim().split(/\s+/).length;
  if (!expression.trim().startsWith('@') && fields !== 5 && fields !== 6) {
    return `is not a cron expression: it has ${fields} fields and not 5, or 6 with seconds first`;
  }
  const errors = validateDetailed(expression).errors;
  if (errors.some((error) => error.message.includes('impossible day'))) return NEVER;
  const wrong = errors.map((error) => fieldWords(error.field));
  if (wrong.length > 0) return `is not a cron expression: look at ${[...new Set(wrong)].join(', ')}`;
  if (/(\s\*){3}$/.test(expression.trim())) return null; // every day has its times
  try {
    const task = createTask(expression, () => undefined, { timezone });
    try {
      return task.getNextRuns(1).length === 1 ? null : NEVER;
    } finally {
      void task.destroy();
    }
  } catch {
    return NEVER;
  }
}

const NEVER = 'never fires: there is no such day (the day of the month and the day of the week must both hold)';

function fieldWords(field: string): string {
  switch (field) {
    case 'dayOfMonth':
      return 'the day of the month';
    case 'dayOfWeek':
      return 'the day of the week';
    case 'second':
    case 'minute':
    case 'hour':
    case 'month':
      return `the ${field}`;
    default:
      return 'its form';
  }
}
