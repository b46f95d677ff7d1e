import { parentPort, workerData } from 'node:worker_threads';
import { runSeeds } from './seeds.ts';
import type { SeedRange } from './seeds.ts';

// One of the threads that main.ts shares the seeds among. It sends each violation as it is found, then the result.
parentPort?.postMessage({
  result: await runSeeds(workerData as SeedRange, (seed, violation) => parentPort?.postMessage({ seed, violation })),
});
