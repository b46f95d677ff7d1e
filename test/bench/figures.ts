import type { Effort } from './stopwatch.ts';

/** The middle of several measurements, and how far they lie apart. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** @throws RangeError where there is none. */
export function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const [min] = sorted;
  const max = sorted.at(-1);
  const low = sorted[Math.floor((sorted.length - 1) / 2)];
  const high = sorted[Math.ceil((sorted.length - 1) / 2)];
  if (min === undefined || max === undefined || low === undefined || high === undefined) {
    throw new RangeError('nothing was measured');
  }
  return { min, max, median: (low + high) / 2 };
}

/** A daemon beside the bare loop that does the same work. */
export interface Comparison {
  readonly name: string;
  readonly credentials: number;
  /** Seconds. */
  readonly daemon: Spread;
  readonly bare: Spread;
  /** The rate of the daemon in parts of that of the bare loop: the medians; and the least and the most of the rounds. */
  readonly ratio: Spread;
  /** The same of the CPU time that the two processes used: it is steady on a machine that is busy with other things. */
  readonly cpuRatio: Spread;
  /** Of one round. */
  readonly requests: number;
  readonly commits: number;
  readonly encryptions: number;
  readonly decryptions: number;
}

export interface Round {
  readonly daemon: Effort;
  readonly bare: Effort;
}

export function compareRounds(rounds: readonly Round[]): Pick<Comparison, 'daemon' | 'bare' | 'ratio' | 'cpuRatio'> {
  return {
    daemon: spread(rounds.map((each) => each.daemon.took / 1000)),
    bare: spread(rounds.map((each) => each.bare.took / 1000)),
    ratio: ratioOf(rounds, 'took'),
    cpuRatio: ratioOf(rounds, 'cpu'),
  };
}

function ratioOf(rounds: readonly Round[], by: keyof Effort): Spread {
  const medians = [spread(rounds.map((each) => each.bare[by])), spread(rounds.map((each) => each.daemon[by]))] as const;
  const each = spread(rounds.map(({ bare, daemon }) => bare[by] / daemon[by]));
  return { ...each, median: medians[0].median / medians[1].median };
}

/** What must hold: where it does not, the bench fails. */
export interface Assertion {
  readonly name: string;
  readonly holds: boolean;
  readonly saw: string;
}

/** What is wished for: it is told whether it was met. */
export interface Aim {
  readonly name: string;
  readonly aim: string;
  readonly is: string;
  readonly met: boolean;
}
