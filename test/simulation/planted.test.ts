import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import type { Catch } from './hunt.ts';
import { MOST_SEEDS, withEdit } from './planted-bug.ts';
import type { PlantedBug } from './planted-bug.ts';
import { PLANTED_BUGS } from './planted-bugs.ts';

/** With `REKEYD_PLANTED_SEARCH=1` each bug is searched from seed 1 on; else the seeds that are known to find it come first. */
const WHOLE = `1-${MOST_SEEDS}`;
const isSearch = process.env['REKEYD_PLANTED_SEARCH'] === '1';
const run = promisify(execFile);
const pathOf = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** Runs seeds in a process of its own, with one bug planted, or none. */
async function hunt(bug: PlantedBug | null, seeds: string): Promise<Catch> {
  const planted = bug === null ? [] : ['--import', new URL('plant.ts', import.meta.url).href];
  const how = bug === null ? ['--all'] : ['--expects', bug.expects.join()];
  const { stdout } = await run(process.execPath, [...planted, pathOf('hunt.ts'), '--seeds', seeds, ...how], {
    env: { ...process.env, REKEYD_PLANTED_BUG: bug?.name },
  });
  return JSON.parse(stdout) as Catch;
}

const told: string[] = [];
afterAll(() => {
  process.stdout.write(`${told.sort().join('\n')}\n`);
});

describe('planting a bug', () => {
  const edit = { file: 'some.ts', find: 'here', replace: 'there' };

  it('replaces the one place that is meant', () => {
    expect(withEdit('only here.', edit)).toBe('only there.');
  });

  it.each(['nowhere', 'here and here'])('refuses a source that went on: %s', (text) => {
    expect(() => withEdit(text.replace('nowhere', 'gone'), edit)).toThrow('some.ts');
  });

  it('knows quick seeds only within those of the whole search', () => {
    const beyond = PLANTED_BUGS.filter(({ seeds }) => seeds.some((seed) => seed < 1 || seed > MOST_SEEDS));
    expect(beyond).toEqual([]);
  });
});

describe.concurrent('the simulation', () => {
  it.each(PLANTED_BUGS)(`finds within ${MOST_SEEDS} seeds: $name`, async (bug) => {
    const { tried, found } = await hunt(bug, isSearch ? WHOLE : [...bug.seeds, WHOLE].join());
    const caught = found.find(({ invariant }) => bug.expects.includes(invariant));
    const others = [...new Set(found.map(({ invariant }) => invariant))].join(', ');
    expect(caught, `not found in ${tried} seeds; what broke instead: ${others || 'nothing'}`).toBeDefined();
    if (caught === undefined) return;
    const { invariant, seed, what } = caught;
    told.push(`${bug.name}: found by ${invariant} at seed ${seed} (${tried} tried): ${what}`);
  });

  it('finds nothing in the same seeds where no bug is planted', async () => {
    const seeds = isSearch ? WHOLE : PLANTED_BUGS.flatMap((bug) => bug.seeds).join();
    const { tried, found } = await hunt(null, seeds);
    expect(found).toEqual([]);
    told.push(`(no bug: nothing found in ${tried} seeds)`);
  });
});
