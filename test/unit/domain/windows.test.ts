import { describe, expect, it } from 'vitest';
import { DAY, HOUR, MINUTE } from '../../../src/domain/time.ts';
import { windowsOf } from '../../fakes/windows.ts';

/** A Tuesday. */
const NIGHT = Date.UTC(2030, 0, 1);
const nightly = windowsOf(['0 22 * * *', 6 * HOUR]);

describe('maintenance windows', () => {
  it('are open from their start to their end', () => {
    expect(nightly.opening(NIGHT + 22 * HOUR, 0)).toBe(NIGHT + 22 * HOUR);
    expect(nightly.opening(NIGHT + 22 * HOUR - 1, 0)).toBe(NIGHT + 22 * HOUR);
    // across midnight, of the evening before
    expect(nightly.opening(NIGHT + 3 * HOUR, 0)).toBe(NIGHT + 3 * HOUR);
    expect(nightly.opening(NIGHT + 4 * HOUR, 0)).toBe(NIGHT + 22 * HOUR);
  });

  it('have room only as long as it lasts', () => {
    expect(nightly.opening(NIGHT + 3 * HOUR, HOUR)).toBe(NIGHT + 3 * HOUR);
    expect(nightly.opening(NIGHT + 3 * HOUR + 1, HOUR)).toBe(NIGHT + 22 * HOUR);
    expect(nightly.opening(NIGHT, 6 * HOUR)).toBe(NIGHT + 22 * HOUR);
    expect(nightly.opening(NIGHT, 6 * HOUR + 1)).toBeNull();
  });

  it('that overlap or touch are one', () => {
    const joined = windowsOf(['0 22 * * *', 2 * HOUR], ['0 0 * * *', 2 * HOUR], ['0 1 * * *', 3 * HOUR]);
    expect(joined.opening(NIGHT + 22 * HOUR, 6 * HOUR)).toBe(NIGHT + 22 * HOUR);
    expect(joined.stretch(NIGHT + 10 * HOUR, DAY)).toEqual({ opens: NIGHT + 22 * HOUR, closes: NIGHT + 28 * HOUR });
    const apart = windowsOf(['0 22 * * *', 2 * HOUR], ['1 0 * * *', 2 * HOUR]);
    expect(apart.stretch(NIGHT + 10 * HOUR, DAY)).toEqual({ opens: NIGHT + 22 * HOUR, closes: NIGHT + 24 * HOUR });
  });

  it('of several zones are one list', () => {
    const two = windowsOf(['0 22 * * *', HOUR, 'Asia/Tokyo'], ['0 22 * * *', HOUR, 'America/New_York']);
    expect(two.opening(NIGHT + 4 * HOUR, 0)).toBe(NIGHT + 13 * HOUR);
    expect(two.opening(NIGHT + 14 * HOUR, 0)).toBe(NIGHT + 27 * HOUR);
  });

  it('that never shut come to an end all the same', () => {
    const always = windowsOf(['0 * * * *', HOUR]);
    expect(always.opening(NIGHT + 5, 50 * HOUR)).toBe(NIGHT + 5);
    const { opens, closes } = always.stretch(NIGHT, 10 * DAY) ?? { opens: 0, closes: 0 };
    expect(opens).toBeLessThanOrEqual(NIGHT);
    expect(closes - NIGHT).toBeGreaterThanOrEqual(10 * DAY);
  });

  it('last as long as they say, whatever the wall shows', () => {
    const london = windowsOf(['0 22 * * 6', 6 * HOUR, 'Europe/London']);
    const spring = Date.UTC(2026, 2, 28, 22);
    expect(london.stretch(spring, DAY)).toEqual({ opens: spring, closes: spring + 6 * HOUR });
    const autumn = Date.UTC(2026, 9, 24, 21);
    expect(london.stretch(autumn, DAY)).toEqual({ opens: autumn, closes: autumn + 6 * HOUR });
  });

  it('are found years ahead, also where a leap year is left out', () => {
    const leap = windowsOf(['0 0 29 2 *', HOUR]);
    expect(leap.opening(Date.UTC(2096, 2, 1), MINUTE)).toBe(Date.UTC(2104, 1, 29));
  });

  it('are told apart by what was written', () => {
    expect(JSON.stringify({ windows: nightly })).toBe(
      '{"windows":[{"start":"0 22 * * *","duration":21600000,"timezone":"UTC"}]}',
    );
  });

  it('give the same answer for the same instant, in whatever order they are asked', () => {
    const weekly = () => windowsOf(['0 1 * * 0', 4 * HOUR, 'Europe/London']);
    const instants = Array.from({ length: 400 }, (_, n) => NIGHT + n * 7 * HOUR);
    const forward = weekly();
    const answers = instants.map((at) => forward.opening(at, HOUR));
    const backward = weekly();
    expect([...instants].reverse().map((at) => backward.opening(at, HOUR))).toEqual([...answers].reverse());
  });
});
