import { describe, expect, it } from 'vitest';
import { SkewEstimate } from '../../../src/issuers/data8/skew.ts';
import { createManualPorts } from '../../fakes/manual-ports.ts';

const start = Date.UTC(2030, 0, 1, 12);

function estimate(): { skew: SkewEstimate; headers: (offset: number, more?: Record<string, string>) => Headers } {
  const { clock } = createManualPorts(start);
  const headers = (offset: number, more = {}): Headers =>
    new Headers({ date: new Date(start + offset).toUTCString(), ...more });
  return { skew: new SkewEstimate(clock), headers };
}

describe('clock skew', () => {
  it('I19: is null before the first answer', () => {
    expect(estimate().skew.current).toBeNull();
  });

  it('I19: comes from Date, at the middle of the way, half a second into its second', () => {
    const { skew, headers } = estimate();
    skew.observe(200, headers(90_000), 2_000);
    expect(skew.current).toBe(90_000 + 500 + 1_000);
    skew.observe(404, headers(-90_000), 0);
    expect(skew.current).toBe(-90_000 + 500);
  });

  it('I19: an answer out of a cache, of a proxy, or without a readable Date changes nothing', () => {
    const { skew, headers } = estimate();
    skew.observe(200, headers(5_000), 0);
    skew.observe(200, headers(90_000, { age: '0' }), 0);
    skew.observe(503, headers(90_000), 0);
    skew.observe(302, headers(90_000), 0);
    skew.observe(200, new Headers({ date: 'yesterday' }), 0);
    skew.observe(200, new Headers(), 0);
    expect(skew.current).toBe(5_500);
  });
});
