import { describe, expect, it } from 'vitest';
import { DAY, formatDuration, HOUR, MINUTE, parseDuration, SECOND } from '../../../src/domain/time.ts';

describe('a duration', () => {
  it.each([
    ['0s', 0],
    ['250ms', 250],
    ['45s', 45 * SECOND],
    ['90m', 90 * MINUTE],
    ['36h', 36 * HOUR],
    ['14d', 14 * DAY],
  ])('%s is written in the largest unit that divides it, and read again', (text, duration) => {
    expect(formatDuration(duration)).toBe(text);
    expect(parseDuration(text)).toBe(duration);
  });
});
