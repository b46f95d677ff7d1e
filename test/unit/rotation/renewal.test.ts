import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DAY, HOUR } from '../../../src/domain/time.ts';
import { backoff } from '../../../src/rotation/backoff.ts';
import { isUrgent, lastingLife, renewalOf } from '../../../src/rotation/renewal.ts';
import type { Life } from '../../../src/rotation/renewal.ts';
import { NOW, POLICY } from './given.ts';

const life = (more: Partial<Life>): Life => ({ expires: null, birth: null, since: null, ...more });

describe('renewal', () => {
  it.each([
    ['never expires', life({}), null],
    ['birth unknown: no shrinking', life({ expires: NOW + 10 * DAY }), NOW - 20 * DAY],
    ['a full life', life({ expires: NOW + 90 * DAY, birth: NOW }), NOW + 60 * DAY],
    ['a longer life than asked for', life({ expires: NOW + 365 * DAY, birth: NOW }), NOW + 335 * DAY],
    ['I13: a third of the life, a third of the window', life({ expires: NOW + 30 * DAY, birth: NOW }), NOW + 20 * DAY],
    ['I13: ten minutes of life', life({ expires: NOW + 600_000, birth: NOW }), NOW + 400_000],
  ])('%s', (_name, given, at) => {
    expect(renewalOf(given, POLICY)?.at ?? null).toBe(at);
  });

  it('takes maxAge where that is sooner', () => {
    const aged = { ...POLICY, maxAge: 40 * DAY };
    expect(renewalOf(life({ expires: NOW + 90 * DAY, birth: NOW, since: NOW }), aged)).toEqual({
      at: NOW + 40 * DAY,
      reason: 'max-age',
    });
    expect(renewalOf(life({ expires: null, since: NOW }), aged)).toEqual({ at: NOW + 40 * DAY, reason: 'max-age' });
    expect(renewalOf(life({ expires: NOW + 31 * DAY, birth: NOW - 59 * DAY, since: NOW }), aged)?.reason).toBe(
      'expiring',
    );
  });

  it('always renews between birth and expiry, whatever the issuer grants', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 400 * DAY }), (granted) => {
        const at = renewalOf(life({ expires: NOW + granted, birth: NOW }), POLICY)?.at ?? Number.NaN;
        expect(at).toBeGreaterThanOrEqual(NOW);
        expect(at).toBeLessThanOrEqual(NOW + granted);
      }),
    );
  });

  it('is urgent within 24 h of the end, or a quarter of renewBefore', () => {
    expect(isUrgent(NOW + DAY, NOW, POLICY)).toBe(true);
    expect(isUrgent(NOW + DAY + 1, NOW, POLICY)).toBe(false);
    expect(isUrgent(null, NOW, POLICY)).toBe(false);
    expect(isUrgent(NOW - 1, NOW, POLICY)).toBe(true);
    expect(isUrgent(NOW + 2 * HOUR, NOW, { ...POLICY, renewBefore: 4 * HOUR })).toBe(false);
  });

  it('asks an hour of life of a served secret, or a tenth of renewBefore', () => {
    expect(lastingLife(POLICY)).toBe(HOUR);
    expect(lastingLife({ renewBefore: HOUR })).toBe(HOUR / 10);
    expect(lastingLife({ renewBefore: HOUR - 1 }), 'whole milliseconds').toBe(HOUR / 10);
    expect(lastingLife(null)).toBe(HOUR);
  });
});

describe('backoff', () => {
  it('doubles from 5 s to an hour, with the upper half as jitter', () => {
    expect([1, 2, 3, 4].map((failures) => backoff(failures, 1))).toEqual([5_000, 10_000, 20_000, 40_000]);
    expect(backoff(1, 0)).toBe(2_500);
    expect(backoff(50, 1)).toBe(HOUR);
    expect(backoff(10_000, 0)).toBe(HOUR / 2);
  });
});
