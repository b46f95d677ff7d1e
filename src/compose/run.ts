import { exitOf } from '../cli/exit.ts';
import type { Settings } from '../config/settings.ts';
import { createDaemon } from '../daemon/daemon.ts';
import type { Calendar } from '../daemon/gauge-survey.ts';
import { createMetricsPage } from '../daemon/gauges.ts';
import type { MetricsPage } from '../daemon/gauges.ts';
import { safeMessage } from '../domain/errors.ts';
import type { Ports } from '../domain/ports.ts';
import type { Duration } from '../domain/time.ts';
import { createHttpServer } from '../http/server.ts';
import type { HttpAddress } from '../http/server.ts';
import { EventFeed } from '../telemetry/feed.ts';
import { LogLevelSwitch } from '../telemetry/log-level.ts';
import type { AdjustableLog } from '../telemetry/log-level.ts';
import type { Log } from '../telemetry/log.ts';
import { createPrometheus } from '../telemetry/prometheus.ts';
import { post } from '../webhooks/post.ts';
import { Webhooks } from '../webhooks/webhooks.ts';
import { worldOf } from './assemble.ts';
import { openLedger } from './backends.ts';
import type { Surroundings } from './backends.ts';
import type { ConfigFiles, FileStates } from './config-files.ts';
import { openBackends } from './opened.ts';
import { Releasers } from './releasers.ts';
import { renewalStarts } from './renewal-starts.ts';
import { Reloader } from './reloader.ts';
import { Setups } from './setups.ts';
import { keepHeapSmall } from './small-heap.ts';
import { onReloadSignal } from './reload-signal.ts';
import { onStopSignal } from './stop-signals.ts';

export interface RunOptions {
  readonly settings: Settings;
  readonly ports: Ports;
  readonly log: AdjustableLog;
  readonly version: string;
  /** As in `Surroundings`. */
  readonly reread?: Surroundings['reread'];
  /** Where the settings came from, and what those files held: loaded again on SIGHUP and when they change. Absent: never. */
  readonly source?: { readonly files: ConfigFiles; readonly seen: FileStates };
  /** Called once HTTP is up, before the first scan. */
  readonly listening?: (address: HttpAddress) => void;
}

/** Between listening and the first scan. */
const FIRST_ANSWERS: Duration = 50;

/**
 * Runs daemon and HTTP until SIGTERM or SIGINT. Everything that was opened is closed, also where the start fails.
 * @returns the exit code: 0 after a signal, 2 where what is configured cannot be used, 1 where it could not start for any
 * other cause; it does not throw.
 */
export async function runDaemon(options: RunOptions): Promise<number> {
  const { settings, log, version, source } = options;
  const { instance, mode } = settings;
  log.info('starting', 'rekeyd starts', { version, instance, mode, node: process.version });
  logConfiguration(settings, log);
  const releasers = new Releasers(log);
  const asked = Promise.withResolvers<undefined>();
  // From the very start: a signal in the middle of opening stops it just as well.
  const forget = onStopSignal(
    () => {
      asked.resolve(undefined);
      return Promise.resolve();
    },
    (message) => log.info('stopping', message),
  );
  // what is asked for before it is up is done then
  const reload = source === undefined ? null : onReloadSignal(log);
  try {
    const { reloader } = await open(options, releasers);
    if (source !== undefined && reloader !== null) {
      reloader.start(source.seen);
      reload?.to(() => void reloader.request('signal'));
    }
    await asked.promise;
    return 0;
  } catch (error) {
    log.error('start-failed', 'rekeyd cannot run', { error: safeMessage(error) });
    return exitOf(error).code;
  } finally {
    await releasers.close();
    reload?.forget();
    forget();
    log.info('stopped', 'rekeyd has stopped');
  }
}

async function open(options: RunOptions, releasers: Releasers): Promise<{ readonly reloader: Reloader | null }> {
  const { settings, ports, log, version, reread, source } = options;
  const { meter, registry } = createPrometheus({ version });
  meter.configTaken(ports.clock.now());
  const feed = new EventFeed(ports.clock, ports.ids.unique().slice(0, 8));
  const around: Surroundings = { ports, log, meter, ...(reread && { reread }) };
  // The ledger first: without it nothing may be changed anywhere, so nothing else is worth opening.
  const ledger = await openLedger(settings, false, around);
  releasers.push('ledger', () => ledger.close());
  const world = worldOf(await openBackends(settings, around, { readOnly: false }), ledger, around, [feed]);
  const setups = new Setups({ world, daemon: createDaemon(world, { version }) });
  releasers.push('vaults and issuers', () => setups.close());
  await ledger.check();
  // closed after the daemon and HTTP, so that the last is told too
  const webhooks = new Webhooks(settings.webhooks, feed, { ports, log, meter, post });
  releasers.push('webhooks', () => webhooks.close());
  const logLevel = new LogLevelSwitch(log, { ...ports, events: world.events });
  releasers.push('log level', () => {
    logLevel.close();
    return Promise.resolve();
  });
  const server = createHttpServer({
    settings: settings.http,
    daemon: setups.asDaemon(),
    metrics: metricsPage(setups, registry),
    log,
    logLevel,
    events: world.events,
    feed,
    ...ports,
  });
  releasers.push('http', () => server.close());
  const address = await server.start();
  options.listening?.(address);
  // The first scan loads fetch and the calendars of time zones, 0.1 s in one piece: who asks at the start is answered before.
  await ports.ticker.sleep(FIRST_ANSWERS);
  keepHeapSmall();
  // Before it is started: a start that fails half-way is stopped, too.
  releasers.push('daemon', () => setups.stop());
  await setups.current.daemon.start();
  if (source === undefined) return { reloader: null };
  const adopt = async (next: Settings): Promise<void> => {
    logConfiguration(next, log);
    webhooks.adopt(next.webhooks);
    await server.adopt(next.http);
  };
  const reloader = new Reloader({ files: source.files, setups, around, adopt });
  releasers.push('reloader', () => reloader.close());
  return { reloader };
}

/** What is told of the present is what is in use at each scrape. */
function metricsPage(setups: Setups, registry: Parameters<typeof createMetricsPage>[0]['registry']): MetricsPage {
  const { clock, ticker, ledger, log } = setups.current.world;
  const settings = () => setups.current.world.settings;
  return createMetricsPage({
    registry,
    ledger,
    clock,
    ticker,
    log,
    get mode() {
      return settings().mode;
    },
    get issuers() {
      return [...settings().issuers.keys()];
    },
    get ownClients() {
      return new Map(
        [...setups.current.world.issuers].flatMap(([name, { ownClientId }]) =>
          ownClientId === undefined ? [] : [[name, ownClientId]],
        ),
      );
    },
    get perCredential() {
      return settings().metrics.perCredential;
    },
    get calendar(): Calendar {
      const { world, daemon } = setups.current;
      return {
        retirementOpening: (record, at) => daemon.retirementOpening(record, at),
        renewalStart: renewalStarts(world),
      };
    },
    counts: () => setups.current.daemon.counts(),
    dated: (record) => setups.current.daemon.dated(record),
    ledgerProblem: () => setups.current.daemon.ledgerProblem(),
    status: () => setups.current.daemon.status(),
  });
}

function logConfiguration(settings: Settings, log: Log): void {
  const { schedule, timezone, http } = settings;
  log.info('configuration', 'what was configured', {
    schedule,
    timezone,
    issuers: [...settings.issuers.keys()],
    vaults: [...settings.vaults.keys()],
    rules: settings.rules.length,
    ledger: settings.ledger.type,
    tokens: http.tokens.length,
    oidc: (http.oidc ?? []).map(({ issuer }) => issuer),
  });
  for (const { name } of http.tokens.filter(({ isShort }) => isShort === true)) {
    log.warn('token-short', 'A token has fewer than 16 characters and might be guessed: make a longer one', {
      tokenName: name,
    });
  }
}
