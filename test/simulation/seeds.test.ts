import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { drawFullSchedule, drawSchedule } from './draw-schedule.ts';
import { REGRESSION_SEEDS } from './regression-seeds.ts';
import { simulate } from './simulate.ts';

/** As many seeds as fit into this much computing, in a process of its own: `npm run sim` runs more. */
const SECONDS = 20;

async function sim(...args: readonly string[]): Promise<string> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'main.ts'), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let printed = '';
  child.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  await once(child, 'close');
  return printed;
}

describe('the simulation', () => {
  it(`holds for 1000 seeds, or as many as ${SECONDS} s hold`, async () => {
    const printed = await sim('--seeds', '1000', '--seconds', String(SECONDS), '--workers', '1');
    process.stdout.write(printed);
    const [, schedules, violations] = /(\d+) schedules, (\d+) violations\n$/.exec(printed) ?? [];
    expect(Number(schedules)).toBeGreaterThan(50);
    expect(violations).toBe('0');
  });

  it.each(REGRESSION_SEEDS)('holds for seed $seed, which once found that $found', async ({ seed }) => {
    expect((await simulate(drawSchedule(seed))).violation).toBeNull();
  });

  it('goes the same way for the same seed, told or not, and another way for another', async () => {
    const first = await simulate(drawSchedule(7));
    const again = await simulate(drawSchedule(7), { told: true });
    expect(again.hash).toBe(first.hash);
    expect(again.timeline.length).toBeGreaterThan(10);
    expect((await simulate(drawSchedule(8))).hash).not.toBe(first.hash);
  });

  it('does not move the rest when a fault is taken away', async () => {
    const seed = 21;
    const whole = await simulate(drawFullSchedule(seed));
    const ids = new Set(whole.met.map((each) => each.id));
    for (const incident of drawFullSchedule(seed).incidents) ids.add(incident.id);
    const same = await simulate(drawFullSchedule(seed), { keep: ids });
    expect(same.hash).toBe(whole.hash);
    const [last] = whole.met.slice(-1);
    ids.delete(last?.id ?? '');
    const fewer = await simulate(drawFullSchedule(seed), { keep: ids });
    expect(fewer.met.map((each) => each.id)).toEqual(whole.met.slice(0, fewer.met.length).map((each) => each.id));
  });

  it('lets nobody reach the real time, chance or network', async () => {
    const outcome = await simulate(drawSchedule(1), { prepare: () => void Date.now() });
    expect(outcome.violation).toMatchObject({ invariant: 'S0' });
    expect(outcome.violation?.what).toContain('Date.now was used past the ports');
  });
});
