import { describe, expect, it } from 'vitest';
import { RateLimiter } from '../../../src/domain/rate-limiter.ts';
import { SECOND } from '../../../src/domain/time.ts';
import { createManualPorts } from '../../fakes/manual-ports.ts';

describe('RateLimiter', () => {
  it('lets a burst of a fifth of a second go, then holds the rate', async () => {
    const ports = createManualPorts();
    const limiter = new RateLimiter(10, ports);
    const times: number[] = [];
    for (let i = 0; i < 12; i++) void limiter.take().then(() => times.push(ports.clock.monotonic()));
    await ports.clock.advance(2 * SECOND);
    expect(times).toEqual([0, 0, 100, 200, 300, 400, 500, 600, 700, 800, 900, 1000]);
  });

  it('serves in the order of asking', async () => {
    const ports = createManualPorts();
    const limiter = new RateLimiter(4, ports);
    const order: number[] = [];
    for (let i = 0; i < 6; i++) void limiter.take().then(() => order.push(i));
    await ports.clock.advance(10 * SECOND);
    expect(order).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it('loses no slot to a caller who gave up, and tells that caller why', async () => {
    const ports = createManualPorts();
    const limiter = new RateLimiter(1, ports);
    await limiter.take();
    const gone = new AbortController();
    const reason = new Error('given up');
    const second = limiter.take(gone.signal);
    const times: number[] = [];
    void limiter.take().then(() => times.push(ports.clock.monotonic()));
    await ports.clock.advance(500);
    gone.abort(reason);
    await expect(second).rejects.toBe(reason);
    await ports.clock.advance(10 * SECOND);
    expect(times).toEqual([1000]);
  });

  it('leaves no timer behind when the last waiting caller gives up, and serves the next one', async () => {
    const ports = createManualPorts();
    const limiter = new RateLimiter(1, ports);
    await limiter.take();
    const gone = new AbortController();
    const second = limiter.take(gone.signal);
    gone.abort(new Error('given up'));
    await expect(second).rejects.toThrow('given up');
    await ports.clock.settle();
    expect(ports.clock.pending).toBe(0);
    await ports.clock.until(limiter.take());
    expect(ports.clock.monotonic()).toBe(1000);
  });

  it('serves one who came in the very moment in which the last one gave up', async () => {
    const ports = createManualPorts();
    const limiter = new RateLimiter(1, ports);
    await limiter.take();
    const gone = new AbortController();
    const second = limiter.take(gone.signal);
    gone.abort(new Error('given up'));
    const third = limiter.take();
    await expect(second).rejects.toThrow('given up');
    await ports.clock.until(third);
    expect(ports.clock.monotonic()).toBe(1000);
  });

  it('does not save up more than its burst while nobody asks', async () => {
    const ports = createManualPorts();
    const limiter = new RateLimiter(10, ports);
    await ports.clock.advance(60 * SECOND);
    const times: number[] = [];
    for (let i = 0; i < 4; i++) void limiter.take().then(() => times.push(ports.clock.monotonic() - 60 * SECOND));
    await ports.clock.advance(SECOND);
    expect(times).toEqual([0, 0, 100, 200]);
  });

  it('refuses a rate that is none', () => {
    expect(() => new RateLimiter(0, createManualPorts())).toThrow(RangeError);
    expect(() => new RateLimiter(Number.NaN, createManualPorts())).toThrow(RangeError);
  });
});
