import { readFile } from 'node:fs/promises';
import { backends, openIssuer, openLedger, openVault } from '../../src/compose/backends.ts';
import { realPorts } from '../../src/compose/ports.ts';
import { loadSettings } from '../../src/config/load.ts';
import { createDaemon } from '../../src/daemon/daemon.ts';
import type { Ports } from '../../src/domain/ports.ts';
import type { Ledger } from '../../src/ledger/contract.ts';
import type { World } from '../../src/rotation/world.ts';
import type { Log } from '../../src/telemetry/log.ts';
import { createLog } from '../../src/telemetry/pino-log.ts';
import { createEvents } from '../../src/telemetry/telling.ts';
import { vaultTypes } from '../../src/vaults/registry.ts';
import { serve } from './remote.ts';
import { startStopwatch } from './stopwatch.ts';
import type { Effort } from './stopwatch.ts';
import { WorkCounter } from './work.ts';
import type { Work } from './work.ts';

/** A scan with all the work that it found. */
export interface ScanFigures extends Effort {
  readonly looked: number;
  readonly work: Work;
}

/** What the ledger holds afterwards. */
export interface LedgerFigures {
  readonly states: Readonly<Record<string, number>>;
  readonly rotations: Readonly<Record<string, number>>;
  /** One document of each kind, for the bare loop to write. */
  readonly documents: readonly string[];
}

let ahead = 0;
let fire: () => void = () => undefined;
let finished = Promise.withResolvers<number>();
let ledger: Ledger | null = null;
const counter = new WorkCounter();

/** The real ports; the clock can be moved on, and the schedule fires only when it is told to. */
const ports: Ports = {
  ...realPorts,
  clock: { now: () => realPorts.clock.now() + ahead, monotonic: () => realPorts.clock.monotonic() },
  ticker: {
    sleep: (duration, signal) => realPorts.ticker.sleep(duration, signal),
    schedule: (_cron, _timezone, scan) => {
      fire = scan;
      return { next: () => null, stop: () => undefined };
    },
  },
};

const implementation = {
  /** Starts a daemon over real backends, with the first scan. */
  async open(config: string): Promise<ScanFigures> {
    const log = listening(
      createLog({ level: 'info', format: 'json', destination: process.stdout, clock: ports.clock }),
    );
    const settings = await loadSettings([config], { readFile, env: {}, backends });
    const around = { ports, log, meter: counter.meter };
    ledger = await openLedger(settings, false, around);
    counter.watch(ledger);
    const world: World = {
      ...ports,
      settings,
      issuers: new Map([...settings.issuers.keys()].map((name) => [name, openIssuer(settings, name, around)])),
      vaults: new Map(
        await Promise.all(
          [...settings.vaults.keys()].map(
            async (name) => [name, (await openVault(settings, name, around)).vault] as const,
          ),
        ),
      ),
      vaultTypes,
      ledger,
      log,
      events: createEvents({ log, meter: counter.meter }),
      meter: counter.meter,
      processId: ports.ids.unique(),
    };
    const watch = startStopwatch();
    await createDaemon(world, { version: 'bench' }).start();
    return figures(watch);
  },

  advance(by: number): void {
    ahead += by;
  },

  /** The schedule fires: a scan, and all the work that it finds. */
  scan(): Promise<ScanFigures> {
    const watch = startStopwatch();
    fire();
    return figures(watch);
  },

  async look(): Promise<LedgerFigures> {
    const opened = ledger;
    if (opened === null) throw new Error('not opened');
    const states = await opened.countsByState();
    const rotations: Record<string, number> = {};
    let rotation: unknown = null;
    for (let cursor: string | null = null, more = true; more; more = cursor !== null) {
      const page: Awaited<ReturnType<Ledger['rotations']>> = await opened.rotations({}, 1000, cursor);
      for (const each of page.items) {
        rotations[each.state] = (rotations[each.state] ?? 0) + 1;
        if (each.reason === 'expiring') rotation ??= each;
      }
      cursor = page.nextCursor;
    }
    const credential = (await opened.credentials({}, 1, null)).items[0];
    return {
      states: Object.fromEntries(states.map(({ state, count }) => [state, count])),
      rotations,
      documents: [JSON.stringify(credential), JSON.stringify(rotation)],
    };
  },

  /** The most memory that this process ever had, in bytes. */
  peakMemory(): number {
    return process.resourceUsage().maxRSS * 1024;
  },
};

async function figures(watch: () => Effort): Promise<ScanFigures> {
  const looked = await finished.promise;
  const effort = watch();
  finished = Promise.withResolvers();
  return { ...effort, looked, work: counter.take() };
}

/** A log that tells when a scan is over; the lines go where they would go anyway. */
function listening(log: Log): Log {
  const heard = (event: string, fields: Readonly<Record<string, unknown>> = {}): void => {
    if (event === 'scan-finished') finished.resolve(Number(fields['looked']));
    if (event === 'scan-failed') finished.reject(new Error(`the scan failed: ${String(fields['error'])}`));
  };
  const level =
    (name: 'debug' | 'info' | 'warn' | 'error'): Log['info'] =>
    (event, message, fields) => {
      log[name](event, message, fields);
      heard(event, fields);
    };
  return {
    debug: level('debug'),
    info: level('info'),
    warn: level('warn'),
    error: level('error'),
    with: (fields) => log.with(fields),
  };
}

export type DaemonCalls = typeof implementation;
serve(implementation);
