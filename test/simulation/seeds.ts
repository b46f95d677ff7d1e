import { performance } from 'node:perf_hooks';
import { drawFullSchedule, drawSchedule } from './draw-schedule.ts';
import { simulate } from './simulate.ts';
import type { Violation } from './world-plan.ts';

/** A range of seeds to run, and how. */
export interface SeedRange {
  readonly from: number;
  readonly count: number;
  /** Only every so many of them: the share of one of several workers. */
  readonly stride: number;
  /** Thirty days, three credentials, three vaults, whatever the seed would draw. */
  readonly full: boolean;
  /** Ends early once this thread has computed for so long, so that it is as many on a busy machine; null: never. */
  readonly seconds: number | null;
}

/** How a range went. */
export interface RangeResult {
  readonly schedules: number;
  readonly events: number;
  readonly seconds: number;
  readonly violations: readonly (Violation & { readonly seed: number })[];
}

/** Of so many seeds one is run twice: the same seed must go the same way. */
const TWICE = 50;

/** Runs seeds one after the other. What does not hold is kept, and told as it is found. */
export async function runSeeds(
  range: SeedRange,
  found: (seed: number, violation: Violation) => void = () => undefined,
): Promise<RangeResult> {
  const began = performance.now();
  const cpu = process.threadCpuUsage();
  const computed = (): number => {
    const { user, system } = process.threadCpuUsage(cpu);
    return (user + system) / 1_000_000;
  };
  const violations: (Violation & { seed: number })[] = [];
  let schedules = 0;
  let events = 0;
  const keep = (seed: number, violation: Violation): void => {
    violations.push({ seed, ...violation });
    found(seed, violation);
  };
  for (let seed = range.from; seed < range.from + range.count; seed += range.stride) {
    const draw = range.full ? drawFullSchedule : drawSchedule;
    const outcome = await simulate(draw(seed));
    schedules += 1;
    events += outcome.events;
    if (outcome.violation !== null) keep(seed, outcome.violation);
    if (schedules === 1 || schedules % TWICE === 0) {
      const again = await simulate(draw(seed));
      if (again.hash !== outcome.hash) {
        keep(seed, { invariant: 'S0', what: `it went another way: ${outcome.hash}, ${again.hash}`, at: 0 });
      }
    }
    if (range.seconds !== null && computed() > range.seconds) break;
  }
  return { schedules, events, seconds: (performance.now() - began) / 1000, violations };
}
