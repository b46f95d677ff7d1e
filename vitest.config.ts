import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/longest-first.ts';

/** Where a machine is to read the results: `.ci/run` counts them. */
const report = process.env['REKEYD_TEST_REPORT'];

/** What V8 compiled of the sources, without their types, for the many small programs that tests start from them. */
const compiled = { NODE_COMPILE_CACHE: join(import.meta.dirname, 'node_modules/.cache/rekeyd-tests') };

/** `npm test` runs every project but those that need servers or Docker; `vitest run --project unit` runs one. */
// vitest reads its configuration from the default export; it is the one place where a default export is allowed.
export default defineConfig({
  test: {
    testTimeout: 20_000,
    // many tests wait for something: two files at a time, also on two cores
    maxWorkers: Math.max(2, availableParallelism() - 1),
    sequence: { sequencer: LongestFirst },
    reporters: report === undefined ? ['default'] : ['default', ['json', { outputFile: report }]],
    projects: [
      // `isolate: false`: one process after the other would load the same modules again for each file
      {
        extends: true,
        test: { name: 'unit', isolate: false, include: ['test/unit/**/*.test.ts'], env: compiled },
      },
      { extends: true, test: { name: 'conformance', isolate: false, include: ['test/conformance/**/*.test.ts'] } },
      { extends: true, test: { name: 'scenarios', isolate: false, include: ['test/scenarios/**/*.test.ts'] } },
      {
        extends: true,
        test: { name: 'helm', include: ['test/helm/**/*.test.ts'], testTimeout: 60_000, hookTimeout: 60_000 },
      },
      {
        extends: true,
        test: {
          name: 'simulation',
          include: ['test/simulation/**/*.test.ts'],
          env: compiled,
          testTimeout: 600_000,
          // hunts in processes of their own, beside the other files: more at a time only stand in each other's way
          maxConcurrency: 2,
        },
      },
      {
        extends: true,
        test: {
          name: 'containers',
          include: ['test/containers/**/*.test.ts'],
          testTimeout: 120_000,
          fileParallelism: false,
        },
      },
      {
        extends: true,
        test: {
          name: 'servers',
          include: ['test/servers/**/*.test.ts'],
          globalSetup: ['test/process/build.ts'],
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'process',
          include: ['test/process/**/*.test.ts'],
          globalSetup: ['test/process/build.ts'],
          testTimeout: 120_000,
          // they wait for processes far more than they compute; vitest asks that they come by themselves then
          maxWorkers: 5,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
