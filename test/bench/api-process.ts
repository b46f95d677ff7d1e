import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { assemble } from '../../src/compose/assemble.ts';
import { backends } from '../../src/compose/backends.ts';
import { realPorts } from '../../src/compose/ports.ts';
import { Releasers } from '../../src/compose/releasers.ts';
import { loadSettings } from '../../src/config/load.ts';
import { createMetricsPage } from '../../src/daemon/gauges.ts';
import type { Ports } from '../../src/domain/ports.ts';
import { createHttpServer } from '../../src/http/server.ts';
import { EventFeed } from '../../src/telemetry/feed.ts';
import { LogLevelSwitch } from '../../src/telemetry/log-level.ts';
import type { Meter } from '../../src/telemetry/meter.ts';
import { createLog } from '../../src/telemetry/pino-log.ts';
import { createPrometheus } from '../../src/telemetry/prometheus.ts';
import { fillLedger } from './api-ledger.ts';
import { TOKEN } from './bench-config.ts';
import { serve } from './remote.ts';

/** Of the event loop, in milliseconds, while a scan ran. */
export interface ScanDelay {
  readonly seconds: number;
  readonly p99: number;
  readonly max: number;
}

let fire: () => void = () => undefined;
let finished = Promise.withResolvers<undefined>();
/** The real ports; the schedule fires only when it is told to. */
const ports: Ports = {
  ...realPorts,
  ticker: {
    sleep: (duration, signal) => realPorts.ticker.sleep(duration, signal),
    schedule: (_cron, _timezone, scan) => {
      fire = scan;
      return { next: () => null, stop: () => undefined };
    },
  },
};

const implementation = {
  /**
   * Fills the ledger, starts a daemon over it, and opens HTTP twice: the metrics of the first leave single credentials out.
   * @param key of the emulator's seed. @returns the ports.
   */
  async open(config: string, key: string, credentials: number): Promise<readonly [number, number]> {
    const settings = await loadSettings([config], { readFile, env: {}, backends });
    const log = createLog({ level: 'warn', format: 'json', destination: process.stdout, clock: ports.clock });
    const { meter } = createPrometheus({ version: 'bench' });
    const feed = new EventFeed(ports.clock, 'bench');
    const heard: Meter = {
      ...meter,
      scan: (duration) => {
        meter.scan(duration);
        finished.resolve(undefined);
      },
    };
    const { world, daemon } = await assemble(settings, { ports, log, meter: heard }, new Releasers(log), {
      version: 'bench',
      readOnly: false,
      listeners: [feed],
    });
    await fillLedger(world, key, credentials);
    await daemon.start();
    await finished.promise;
    const open = async (perCredential: boolean): Promise<number> => {
      const { registry } = createPrometheus({ version: 'bench' });
      const issuers = [...settings.issuers.keys()];
      const status = () => daemon.status();
      const metrics = createMetricsPage({
        ...ports,
        registry,
        ledger: world.ledger,
        log,
        mode: settings.mode,
        issuers,
        perCredential,
        ledgerProblem: () => daemon.ledgerProblem(),
        status,
      });
      const sha256 = createHash('sha256').update(TOKEN).digest('hex');
      const tokens = [{ name: 'bench', role: 'viewer' as const, sha256 }];
      const http = { host: '127.0.0.1', port: 0, requestsPerSecond: 100_000, socket: null, tokens };
      const { events } = world;
      const logLevel = new LogLevelSwitch(log, { ...ports, events });
      const server = createHttpServer({ ...ports, daemon, metrics, log, logLevel, events, feed, settings: http });
      return (await server.start()).port;
    };
    return [await open(false), await open(true)];
  },

  /** The schedule fires: a scan that finds nothing due. */
  async scan(): Promise<ScanDelay> {
    finished = Promise.withResolvers();
    const delays = monitorEventLoopDelay({ resolution: 1 });
    const began = performance.now();
    delays.enable();
    fire();
    await finished.promise;
    delays.disable();
    const seconds = (performance.now() - began) / 1000;
    return { seconds, p99: delays.percentile(99) / 1e6, max: delays.max / 1e6 };
  },
};

export type ApiCalls = typeof implementation;
serve(implementation);
