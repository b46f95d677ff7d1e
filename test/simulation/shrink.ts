import type { Schedule } from './draw-schedule.ts';
import { simulate } from './simulate.ts';
import type { Outcome } from './simulate.ts';

/** A failing schedule with as little in it as still fails the same invariant. */
export interface Shrunk {
  readonly seed: number;
  /** Ids of the faults, storms and incidents that are left. */
  readonly keep: ReadonlySet<string>;
  readonly outcome: Outcome;
}

/** Runs that a shrinking may take: it is for people, who wait for it. */
const MOST_RUNS = 400;

/**
 * Takes faults and incidents away, half of them at a time, then fewer, as long as the same invariant fails; draws are keyed,
 * so what is left stays where it was. @returns null where the schedule does not fail when it is run again.
 */
export async function shrink(schedule: Schedule): Promise<Shrunk | null> {
  let runs = 0;
  const run = (keep: ReadonlySet<string> | null): Promise<Outcome> => {
    runs += 1;
    return simulate(schedule, { keep });
  };
  const whole = await run(null);
  if (whole.violation === null) return null;
  const { invariant } = whole.violation;
  const fails = (outcome: Outcome): boolean => outcome.violation?.invariant === invariant;

  let left = [...new Set([...whole.met.map((each) => each.id), ...schedule.incidents.map((each) => each.id)])];
  const kept = await run(new Set(left));
  if (!fails(kept)) return { seed: schedule.seed, keep: new Set(left), outcome: whole };
  let best = kept;
  for (let size = Math.ceil(left.length / 2); size >= 1 && runs < MOST_RUNS;) {
    let isSmaller = false;
    for (let from = 0; from < left.length && runs < MOST_RUNS;) {
      const fewer = [...left.slice(0, from), ...left.slice(from + size)];
      const outcome = await run(new Set(fewer));
      if (fails(outcome)) {
        left = fewer;
        best = outcome;
        isSmaller = true;
      } else from += size;
    }
    // what is left may have become needless by what went
    if (!isSmaller || size > left.length) size = size === 1 ? 0 : Math.ceil(size / 2);
  }
  return { seed: schedule.seed, keep: new Set(left), outcome: best };
}
