import { setFlagsFromString } from 'node:v8';

const FLAG = '--heap-growing-percent';

/**
 * From now on the heap grows by 30 % at a time: what runs beside its consumers is to be small. See docs/benchmarks.md for what
 * it brings. Not told on the command line, for there V8 takes such a flag as a reason to compile Node's own modules anew
 * at each start; so this is for when they are loaded. What a person has told node stays.
 */
export function keepHeapSmall(): void {
  if (process.execArgv.some((arg) => arg.replaceAll('_', '-').startsWith(FLAG))) return;
  setFlagsFromString(`${FLAG}=30`);
}
