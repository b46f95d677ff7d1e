import { describe, expect, it } from 'vitest';
import { realClock, realIds, realRandom } from '../../../src/compose/ports.ts';
import { birthOf, formatMarker, parseMarker } from '../../../src/domain/marker.ts';

describe('the real ports', () => {
  it('a rotation id is a UUIDv7 that carries its time, and is never the same twice', () => {
    const at = Date.parse('2026-02-03T04:05:06.789Z');
    const ids = Array.from({ length: 200 }, () => realIds.rotationId(at));
    expect(new Set(ids).size).toBe(200);
    for (const id of ids) expect(birthOf(id)).toBe(at);
    const marker = { instance: 'a', generation: 1, rotationId: ids[0] ?? '', destinations: '00000000' };
    expect(parseMarker(formatMarker(marker))).toEqual(marker);
  });

  it('random numbers are in [0, 1) and spread', () => {
    const numbers = Array.from({ length: 2000 }, () => realRandom.next());
    expect(Math.min(...numbers)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...numbers)).toBeLessThan(1);
    const mean = numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
    expect(Math.abs(mean - 0.5)).toBeLessThan(0.1);
  });

  it('the monotonic clock does not go back', () => {
    const before = realClock.monotonic();
    expect(realClock.monotonic()).toBeGreaterThanOrEqual(before);
    expect(realIds.unique()).not.toBe(realIds.unique());
  });
});
