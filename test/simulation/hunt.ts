import { parseArgs } from 'node:util';
import { drawSchedule } from './draw-schedule.ts';
import { simulate } from './simulate.ts';

/** What a hunt found: one line of JSON on standard output. */
export interface Catch {
  /** Seeds that were run. */
  readonly tried: number;
  readonly found: readonly { readonly seed: number; readonly invariant: string; readonly what: string }[];
}

/**
 * Runs the given seeds, until one breaks an invariant that is expected to; `--all`: all of them. What else breaks is told,
 * and does not end the hunt.
 */
const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '' },
    expects: { type: 'string', default: '' },
    all: { type: 'boolean', default: false },
  },
});
const expected = values.expects.split(',');
const found: { seed: number; invariant: string; what: string }[] = [];
let tried = 0;
for (const seed of seedsOf(values.seeds)) {
  tried += 1;
  const { violation } = await simulate(drawSchedule(seed));
  if (violation === null) continue;
  found.push({ seed, invariant: violation.invariant, what: violation.what });
  if (!values.all && expected.includes(violation.invariant)) break;
}
process.stdout.write(`${JSON.stringify({ tried, found } satisfies Catch)}\n`);

/** `3,7,1-500`: in this order, each once. */
function seedsOf(text: string): Set<number> {
  return new Set(
    text.split(',').flatMap((part) => {
      const [first, last = first] = part.split('-').map(Number);
      if (first === undefined || last === undefined) return [];
      return Array.from({ length: last - first + 1 }, (_, index) => first + index);
    }),
  );
}
