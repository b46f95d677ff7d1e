import { performance } from 'node:perf_hooks';
import { beforeAll, describe, expect, it } from 'vitest';
import { Chance } from './chance.ts';
import { describePoints, pointsOf, runWith } from './crash-points.ts';
import type { CrashPoint, CrashRun } from './crash-points.ts';

/** `all`, or how many of all pairs are drawn; the default takes some seconds. */
const wanted = process.env['REKEYD_PAIRS'] ?? '400';
const SEED = 1;

/** Runs with one crash each, and which. */
const singles: { readonly point: CrashPoint; readonly run: CrashRun }[] = [];
let undisturbed: CrashRun;

function report(what: string, count: number, began: number): void {
  const seconds = (performance.now() - began) / 1000;
  process.stdout.write(`${what}: ${count} runs in ${seconds.toFixed(1)} s, ${(count / seconds).toFixed(0)}/s\n`);
}

beforeAll(async () => {
  undisturbed = await runWith([]);
});

describe('P1: killed at a call, run again', () => {
  it('P1: nothing happens to it', () => {
    expect(undisturbed.problem).toBeNull();
    const texts = undisturbed.calls.map(({ text }) => text);
    // every kind of change is in it
    for (const call of [
      'issuer.createSecret',
      'issuer.updateSecret',
      'issuer.deleteSecret',
      'a.deliver',
      'b.deliver',
      'disk.commit',
    ]) {
      expect(
        texts.some((text) => text.includes(call)),
        call,
      ).toBe(true);
    }
  });

  it('P1, I1, V2: at each call: before it leaves, when it is applied, before it is answered', async () => {
    const began = performance.now();
    for (const point of pointsOf(undisturbed)) singles.push({ point, run: await runWith([point]) });
    const bad = singles.filter(({ run }) => run.problem !== null);
    report('single crashes', singles.length, began);
    expect(bad.map(({ point, run }) => `${describePoints([point], run)}: ${run.problem ?? ''}`)).toEqual([]);
  });

  it('P1: and once more at each later one', async () => {
    const pairs = singles.flatMap(({ point, run }) =>
      pointsOf(run, point.call + 1).map((second): readonly CrashPoint[] => [point, second]),
    );
    const chance = new Chance(SEED);
    const drawn = wanted === 'all' ? pairs : pairs.filter(() => chance.chance('pair', Number(wanted) / pairs.length));
    const began = performance.now();
    const bad: string[] = [];
    for (const pair of drawn) {
      const run = await runWith(pair);
      if (run.problem !== null) bad.push(`${describePoints(pair, run)}: ${run.problem}`);
    }
    report(`pairs of crashes, of ${pairs.length} (REKEYD_PAIRS=all runs all)`, drawn.length, began);
    expect(bad).toEqual([]);
  });
});
