import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { drawFullSchedule, drawSchedule } from './draw-schedule.ts';
import type { RangeResult, SeedRange } from './seeds.ts';
import { shrink } from './shrink.ts';
import type { Violation } from './world-plan.ts';
import { simulate } from './simulate.ts';
import { formatTimeline } from './timeline.ts';

/** `npm run sim -- …`: see docs/simulation.md. The last line is `N schedules, M violations`. */

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1000' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
    keep: { type: 'string' },
    full: { type: 'boolean', default: false },
    seconds: { type: 'string' },
    workers: { type: 'string' },
    quiet: { type: 'boolean', default: false },
  },
});

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** One seed, with its timeline; `--keep` is what a shrunk one printed. */
async function replay(seed: number): Promise<number> {
  const keep =
    values.keep === undefined ? null : new Set(values.keep.split(',').map((each) => each.replaceAll('~', ' ')));
  const schedule = values.full ? drawFullSchedule(seed) : drawSchedule(seed);
  const outcome = await simulate(schedule, { keep, told: true });
  if (!values.quiet) print(formatTimeline(outcome.timeline));
  print(`seed ${seed}: trace ${outcome.hash}, ${outcome.events} events`);
  if (outcome.violation !== null) tell(seed, outcome.violation);
  print(`1 schedules, ${outcome.violation === null ? 0 : 1} violations`);
  return outcome.violation === null ? 0 : 1;
}

function tell(seed: number, { invariant, what, at }: Violation): void {
  print(`seed ${seed}: ${invariant} at ${new Date(at).toISOString()}: ${what}`);
}

/** Makes the first violation small, and prints how to see it again. */
async function explain(seed: number): Promise<void> {
  print(`shrinking seed ${seed}`);
  const shrunk = await shrink(values.full ? drawFullSchedule(seed) : drawSchedule(seed));
  if (shrunk === null) {
    print(`seed ${seed} holds when it is run alone`);
    return;
  }
  const told = await simulate(values.full ? drawFullSchedule(seed) : drawSchedule(seed), {
    keep: shrunk.keep,
    told: true,
  });
  print(formatTimeline(told.timeline));
  const keep = [...shrunk.keep].map((each) => each.replaceAll(' ', '~')).join(',');
  print(`again: npm run sim -- --seed ${seed}${values.full ? ' --full' : ''} --keep '${keep}'`);
}

async function runAll(): Promise<number> {
  const count = Number(values.seeds);
  const from = Number(values.from);
  const workers = Math.min(count, Number(values.workers ?? availableParallelism()));
  print(`seeds ${from} to ${from + count - 1}, ${workers} workers`);
  const results = await Promise.all(
    Array.from({ length: workers }, (_, index) =>
      share({
        from: from + index,
        count: count - index,
        stride: workers,
        full: values.full,
        seconds: values.seconds === undefined ? null : Number(values.seconds),
      }),
    ),
  );
  const sum = (part: (result: RangeResult) => number): number => results.reduce((total, each) => total + part(each), 0);
  const seconds = Math.max(...results.map((each) => each.seconds));
  const schedules = sum((each) => each.schedules);
  const events = sum((each) => each.events);
  print(
    `${(schedules / seconds).toFixed(1)} schedules a second, ${Math.round(events / seconds)} events a second, ` +
      `${Math.round(events / schedules)} events a schedule, ${seconds.toFixed(0)} s on ${workers} threads`,
  );
  const violations = results.flatMap((each) => each.violations).sort((a, b) => a.seed - b.seed);
  const [first] = violations;
  if (first !== undefined && !values.quiet) await explain(first.seed);
  print(`${schedules} schedules, ${violations.length} violations`);
  return violations.length === 0 ? 0 : 1;
}

function share(range: SeedRange): Promise<RangeResult> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./worker.ts', import.meta.url), { workerData: range });
    worker.on('message', (message: { result: RangeResult } | { seed: number; violation: Violation }) => {
      if ('result' in message) resolve(message.result);
      else tell(message.seed, message.violation);
    });
    worker.on('error', reject);
  });
}

process.exitCode = values.seed === undefined ? await runAll() : await replay(Number(values.seed));
