import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { PER_CREDENTIAL_LIMIT } from '../../src/daemon/gauges.ts';
import { apiAims, apiLines, measureApi } from './api.ts';
import { compareRotation, compareScan } from './comparisons.ts';
import type { Aim, Assertion, Comparison } from './figures.ts';
import { measureMemory } from './memory.ts';
import type { MemoryFigures } from './memory.ts';
import { compareStartUp } from './start-up.ts';
import { compareVaults } from './vault-deliveries.ts';
import { startUpLines, vaultLines } from './vault-table.ts';

/** Of the bare loop's rate. */
const AIMED_RATIO = 0.8;
/** Of the deliveries of a backend's own library. */
const AIMED_VAULT_RATIO = 0.9;
/** Of the time in which a bare server starts. */
const AIMED_START = 2;
const AIMED_PEAK = 300_000_000;

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    /** Fewer credentials and rounds, for CI: the assertions are the same. */
    short: { type: 'boolean', default: false },
    profiles: { type: 'string' },
  },
});
const folder = mkdtempSync(join(tmpdir(), 'rekeyd-bench-'));
const progress = (text: string) => void process.stderr.write(`${text}\n`);
const size = values.short
  ? { all: 1_000, due: 50, rotated: 100, remembered: 10_000, entries: 24, rounds: 1, listed: 3_000, requests: 200 }
  : {
      all: 10_000,
      due: 100,
      rotated: 1_000,
      remembered: 100_000,
      entries: 100,
      rounds: 3,
      listed: 100_000,
      requests: 1_000,
    };

try {
  const options = { folder, rounds: size.rounds, profiles: values.profiles ?? null, progress };
  const scan = await compareScan(size.all, size.due, options);
  const rotation = await compareRotation(size.rotated, options);
  const vaults = await compareVaults({ ...options, folder: join(folder, 'vaults'), entries: size.entries });
  const startUp = await compareStartUp(join(folder, 'start-up'), 1 + 2 * size.rounds);
  const { listed, requests, rounds } = size;
  const calls = { folder: join(folder, 'api'), credentials: listed, requests, rounds, series: false, progress };
  // of more, `metrics.perCredential: auto` leaves the series of single credentials out
  const detailed = { ...calls, folder: join(folder, 'series'), credentials: Math.min(listed, PER_CREDENTIAL_LIMIT) };
  const api = [await measureApi(calls), await measureApi({ ...detailed, series: true })];
  const memory: MemoryFigures[] = [];
  for (const rule of ['unmanaged', 'managed'] as const) {
    memory.push(await measureMemory(size.remembered, rule, { folder: join(folder, rule), progress }));
  }
  const comparisons = [scan.comparison, rotation.comparison];
  const assertions = [
    ...scan.assertions,
    ...rotation.assertions,
    ...vaults.assertions,
    ...api.flatMap((each) => each.assertions),
  ];
  const aims = [...comparisons.map(rateAim), ...memory.map(memoryAim)];
  for (const { type, ratio } of vaults.vaults) {
    const met = ratio.median >= AIMED_VAULT_RATIO;
    aims.push({
      name: `${type}: deliveries beside the bare library`,
      aim: `${AIMED_VAULT_RATIO}`,
      is: ratio.median.toFixed(2),
      met,
    });
  }
  const met = startUp.times < AIMED_START;
  aims.push({ name: 'start-up beside a bare server', aim: `under ${AIMED_START}`, is: startUp.times.toFixed(1), met });
  aims.push(...api.flatMap(apiAims));
  const machine = { node: process.version, cpus: cpus().length, model: cpus()[0]?.model ?? 'unknown' };
  if (values.json) {
    process.stdout.write(
      `${JSON.stringify({ machine, size, comparisons, vaults, startUp, api, memory, assertions, aims }, null, 2)}\n`,
    );
  } else {
    process.stdout.write(
      tableOf(
        comparisons,
        [...vaultLines(vaults), ...startUpLines(startUp), ...api.flatMap(apiLines)],
        memory,
        assertions,
        aims,
      ),
    );
  }
  // an aim that is not met is told; what does not hold is a failure
  if (assertions.some((each) => !each.holds)) process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
// a library of the bare loops keeps a timer for long; nothing of this program is under way any more
process.exit();

function rateAim({ name, ratio }: Comparison): Aim {
  const met = ratio.median >= AIMED_RATIO;
  return { name: `${name}: rate beside the bare loop`, aim: `${AIMED_RATIO}`, is: ratio.median.toFixed(2), met };
}

function memoryAim(figures: MemoryFigures): Aim {
  const peak = Math.max(figures.firstContact, figures.scans, figures.reads, figures.restarted);
  return {
    name: `peak memory, ${figures.credentials} ${figures.rule}`,
    aim: megabytes(AIMED_PEAK),
    is: megabytes(peak),
    met: peak <= AIMED_PEAK,
  };
}

function tableOf(
  comparisons: readonly Comparison[],
  more: readonly string[],
  memory: readonly MemoryFigures[],
  assertions: readonly Assertion[],
  aims: readonly Aim[],
): string {
  const lines = ['', 'comparison (seconds: median; ratio: median, least, most)'];
  for (const each of comparisons) {
    const { ratio, cpuRatio } = each;
    lines.push(
      `  ${each.name}, ${each.credentials} credentials: rekeyd ${each.daemon.median.toFixed(2)}, bare ${each.bare.median.toFixed(2)}, ` +
        `ratio ${ratio.median.toFixed(2)} (${ratio.min.toFixed(2)} to ${ratio.max.toFixed(2)}), of CPU time ${cpuRatio.median.toFixed(2)}`,
      `    each round: ${each.requests} requests, ${each.commits} commits, ${each.encryptions} encryptions, ${each.decryptions} decryptions`,
    );
  }
  lines.push(...more, '', 'peak memory of the daemon (resident)');
  for (const each of memory) {
    lines.push(
      `  ${each.credentials} ${each.rule}: first contact ${megabytes(each.firstContact)} (${each.took.toFixed(0)} s), scans ${megabytes(each.scans)}, ` +
        `metrics and pages ${megabytes(each.reads)}, after a restart ${megabytes(each.restarted)}`,
    );
  }
  lines.push('', 'assertions');
  for (const each of assertions) lines.push(`  ${each.holds ? 'holds' : 'FAILS'}  ${each.name}: ${each.saw}`);
  lines.push('', 'aims');
  for (const each of aims)
    lines.push(`  ${each.met ? 'met    ' : 'not met'}  ${each.name}: ${each.is} (aim ${each.aim})`);
  return `${lines.join('\n')}\n`;
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1_000_000)} MB`;
}
