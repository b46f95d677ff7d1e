import type { Settings } from '../config/settings.ts';
import { createMetricsPage } from '../daemon/gauges.ts';
import { safeMessage } from '../domain/errors.ts';
import type { Ports } from '../domain/ports.ts';
import { createHttpServer } from '../http/server.ts';
import type { HttpAddress } from '../http/server.ts';
import type { Log } from '../telemetry/log.ts';
import { EventFeed } from '../telemetry/feed.ts';
import { createPrometheus } from '../telemetry/prometheus.ts';
import { post } from '../webhooks/post.ts';
import { startWebhooks } from '../webhooks/webhooks.ts';
import { assemble } from './assemble.ts';
import type { Surroundings } from './backends.ts';
import { Releasers } from './releasers.ts';
import { onStopSignal } from './stop-signals.ts';

export interface RunOptions {
  readonly settings: Settings;
  readonly ports: Ports;
  readonly log: Log;
  readonly version: string;
  /** As in `Surroundings`. */
  readonly reread?: Surroundings['reread'];
  /** Called once HTTP is up, before the first scan. */
  readonly listening?: (address: HttpAddress) => void;
}

/**
 * Runs daemon and HTTP until SIGTERM or SIGINT. Everything that was opened is closed, also where the start fails.
 * @returns the exit code: 0 after a signal, 1 where it could not start or stop; it does not throw.
 */
export async function runDaemon({ settings, ports, log, version, listening, reread }: RunOptions): Promise<number> {
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
  try {
    const { meter, registry } = createPrometheus({ version });
    const feed = new EventFeed(ports.clock, ports.ids.unique().slice(0, 8));
    const { world, daemon } = await assemble(settings, { ports, log, meter, ...(reread && { reread }) }, releasers, {
      version,
      readOnly: false,
      listeners: [feed],
    });
    await world.ledger.check();
    const metrics = createMetricsPage({
      ...ports,
      registry,
      ledger: world.ledger,
      log,
      mode,
      issuers: [...settings.issuers.keys()],
      ownClients: new Map(
        [...world.issuers].flatMap(([name, { ownClientId }]) =>
          ownClientId === undefined ? [] : [[name, ownClientId]],
        ),
      ),
      perCredential: settings.metrics.perCredential,
      retirementOpening: (record, at) => daemon.retirementOpening(record, at),
      status: () => daemon.status(),
    });
    // closed after the daemon and HTTP, so that the last is told too
    releasers.push('webhooks', startWebhooks(settings.webhooks, feed, { ports, log, meter, post }));
    const server = createHttpServer({
      settings: settings.http,
      daemon,
      metrics,
      log,
      events: world.events,
      feed,
      ...ports,
    });
    releasers.push('http', () => server.close());
    const address = await server.start();
    listening?.(address);
    // Before it is started: a start that fails half-way is stopped, too.
    releasers.push('daemon', () => daemon.stop());
    await daemon.start();
    await asked.promise;
    return 0;
  } catch (error) {
    log.error('start-failed', 'rekeyd cannot run', { error: safeMessage(error) });
    return 1;
  } finally {
    await releasers.close();
    forget();
    log.info('stopped', 'rekeyd has stopped');
  }
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
}
