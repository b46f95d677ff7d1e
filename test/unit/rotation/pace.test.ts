import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Breaker } from '../../../src/daemon/breaker.ts';
import { Pace } from '../../../src/daemon/pace.ts';
import { nextResync } from '../../../src/daemon/roster.ts';
import { Slots } from '../../../src/daemon/slots.ts';
import { DAY, HOUR, MINUTE } from '../../../src/domain/time.ts';
import { createManualPorts } from '../../fakes/manual-ports.ts';
import { NOW } from './given.ts';

describe('the breaker', () => {
  it('opens after so many different credentials in a row, and closes by a success after the cooldown', async () => {
    const { clock } = createManualPorts(NOW);
    const breaker = new Breaker(clock, { failures: 3, cooldown: 15 * MINUTE });
    for (let again = 0; again < 5; again += 1) breaker.failed('one');
    breaker.failed('two');
    expect(breaker.openUntil).toBeNull();
    expect(breaker.failed('three')).toBe(true);
    expect(breaker.openUntil).toBe(NOW + 15 * MINUTE);
    await clock.advance(15 * MINUTE);
    expect(breaker.openUntil).toBeNull();
    // half open: one failure opens it again
    expect(breaker.failed('four')).toBe(true);
    await clock.advance(15 * MINUTE);
    expect(breaker.worked()).toBe(true);
    expect(breaker.failed('five')).toBe(false);
    expect(breaker.openUntil).toBeNull();
  });

  it('P8: is open for its cooldown, whatever is done to the clock meanwhile', async () => {
    const { clock } = createManualPorts(NOW);
    const breaker = new Breaker(clock, { failures: 1, cooldown: 15 * MINUTE });
    clock.jump(2 * DAY);
    breaker.failed('one');
    clock.jump(-2 * DAY);
    expect(breaker.openUntil).toBe(NOW + 15 * MINUTE);
    clock.jump(2 * DAY);
    await clock.advance(14 * MINUTE);
    expect(breaker.openUntil).not.toBeNull();
    await clock.advance(MINUTE);
    expect(breaker.openUntil).toBeNull();
  });
});

describe('the pace', () => {
  it('gives exactly so many places an hour, also over a restart', () => {
    const pace = new Pace(3, [NOW - 2 * HOUR, NOW - 30 * MINUTE]);
    expect(pace.reserve(NOW)).toBe(true);
    expect(pace.reserve(NOW)).toBe(true);
    expect(pace.reserve(NOW)).toBe(false);
    expect(pace.spentUntil(NOW)).toBe(NOW + 30 * MINUTE);
    expect(pace.reserve(NOW + 30 * MINUTE)).toBe(true);
    expect(pace.reserve(NOW + 30 * MINUTE)).toBe(false);
  });
});

describe('the next full look', () => {
  it('is ahead, within resync, and at the same phase each time', () => {
    fc.assert(
      fc.property(
        fc.string(),
        fc.integer({ min: 1000, max: 48 * HOUR }),
        fc.integer({ min: 0, max: HOUR }),
        (clientId, resync, later) => {
          const first = nextResync({ issuer: 'data8', clientId }, resync, NOW + later);
          expect(first).toBeGreaterThan(NOW + later);
          expect(first).toBeLessThanOrEqual(NOW + later + resync);
          expect(nextResync({ issuer: 'data8', clientId }, resync, first)).toBe(first + resync);
        },
      ),
    );
  });

  it('is spread evenly over many credentials', () => {
    const tenths = new Array<number>(10).fill(0);
    for (let n = 0; n < 10_000; n += 1) {
      const at = nextResync({ issuer: 'data8', clientId: `client-${n}` }, HOUR, NOW);
      const tenth = Math.min(9, Math.floor(((at - NOW) / HOUR) * 10));
      tenths[tenth] = (tenths[tenth] ?? 0) + 1;
    }
    for (const count of tenths) expect(count).toBeGreaterThan(800);
  });
});

describe('slots', () => {
  it('lets work that was begun go ahead of new work', async () => {
    const slots = new Slots(1);
    const order: string[] = [];
    await slots.take();
    const waiting = [slots.take().then(() => order.push('new')), slots.take(true).then(() => order.push('begun'))];
    slots.give();
    await waiting[1];
    slots.give();
    await Promise.all(waiting);
    expect(order).toEqual(['begun', 'new']);
  });
});
