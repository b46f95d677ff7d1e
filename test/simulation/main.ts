import { performance } from 'node:perf_hooks';
import { drawSchedule } from './draw-schedule.ts';
import { simulate } from './simulate.ts';
function print(...what: readonly unknown[]): void {
  process.stdout.write(`${what.map((each) => (typeof each === 'string' ? each : JSON.stringify(each))).join(' ')}\n`);
}
const n = Number(process.argv[2] ?? 20),
  from = Number(process.argv[3] ?? 1),
  told = process.argv[4] === 'told';
const began = performance.now();
let events = 0,
  bad = 0;
const kinds: Record<string, number> = {};
for (let seed = from; seed < from + n; seed += 1) {
  const o = await simulate(drawSchedule(seed), { told });
  events += o.events;
  if (told)
    for (const e of o.timeline)
      print(
        new Date(e.at).toISOString().slice(0, 23),
        e.who,
        e.what,
        e.about === null ? '' : JSON.stringify(e.about).slice(0, 300),
      );
  if (o.violation) {
    bad++;
    kinds[o.violation.invariant] = (kinds[o.violation.invariant] ?? 0) + 1;
    print(seed, o.violation.invariant, o.violation.what, new Date(o.violation.at).toISOString());
  }
}
const s = (performance.now() - began) / 1000;
print(
  kinds,
  `${n} schedules, ${bad} violations, ${(n / s).toFixed(1)}/s, ${(events / s).toFixed(0)} events/s, ${(events / n).toFixed(0)} events each`,
);
