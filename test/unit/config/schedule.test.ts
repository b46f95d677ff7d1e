import fc from 'fast-check';
import { createTask, validateDetailed } from 'node-cron';
import { describe, expect, it } from 'vitest';
import { scheduleProblem, timezoneProblem } from '../../../src/config/schedule.ts';

/** Asks the library itself, without a short cut. */
function nextRuns(expression: string): number {
  const task = createTask(expression, () => undefined, { timezone: 'UTC' });
  void task.destroy();
  return task.getNextRuns(1).length;
}

const number = fc.integer({ min: 0, max: 70 }).map(String);
const value = fc.oneof(
  number,
  fc.tuple(number, number).map(([from, to]) => `${from}-${to}`),
  fc.constant('*'),
);
const part = fc.oneof(
  value,
  fc.tuple(value, number).map(([of, step]) => `${of}/${step}`),
);
const field = fc.oneof(
  part,
  fc.tuple(part, part).map(([one, other]) => `${one},${other}`),
);

describe('a schedule of every day', () => {
  it('is taken without asking the calendar, exactly where the library knows a next run', () => {
    let taken = 0;
    const everyDay = fc.oneof(fc.tuple(field, field), fc.tuple(field, field, field)).map((fields) => fields.join(' '));
    fc.assert(
      fc.property(everyDay, (times) => {
        const expression = `${times} * * *`;
        const isValid = validateDetailed(expression).errors.length === 0;
        expect(scheduleProblem(expression, 'UTC') === null).toBe(isValid);
        if (!isValid) return;
        taken += 1;
        expect(nextRuns(expression)).toBe(1);
      }),
      { numRuns: 500 },
    );
    expect(taken).toBeGreaterThan(20);
  });

  it('is one only by its last three fields', () => {
    expect(scheduleProblem('0 0 30 2 *', 'UTC')).toMatch(/never fires/);
    expect(scheduleProblem('* * * 30 2 *', 'UTC')).toMatch(/never fires/);
  });
});

describe('a time zone', () => {
  it('is UTC, or one that has a calendar', () => {
    expect(timezoneProblem('UTC')).toBeNull();
    expect(timezoneProblem('Europe/London')).toBeNull();
    expect(timezoneProblem('Europe/Nowhere')).toMatch(/is not a time zone/);
  });
});
