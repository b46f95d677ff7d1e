import { Gauge } from 'prom-client';
import type { Registry } from 'prom-client';
import { MODES } from '../config/settings.ts';
import type { Mode } from '../config/settings.ts';
import { CREDENTIAL_STATES } from '../domain/credential-state.ts';
import { safeMessage } from '../domain/errors.ts';
import type { Clock, Ticker } from '../domain/ports.ts';
import type { Duration } from '../domain/time.ts';
import type { Ledger } from '../ledger/contract.ts';
import type { CredentialRecord } from '../ledger/records.ts';
import type { Log } from '../telemetry/log.ts';
import type { StatusView } from './api.ts';
import { Survey, SURVEYED } from './gauge-survey.ts';
import type { Calendar, Sample, Surveyed } from './gauge-survey.ts';

/** Above this many credentials, `metrics.perCredential: auto` leaves the series of single credentials out. */
export const PER_CREDENTIAL_LIMIT = 10_000;
const PAGE = 500;
/** A survey of the ledger is used for this many times as long as it took: scrapes take a tenth of the time at most. */
const REST = 10;

/** Read at every scrape: what comes from the settings may change while the process runs. */
export interface GaugeSources {
  readonly registry: Registry;
  readonly ledger: Pick<Ledger, 'credentials' | 'countsByState'>;
  readonly clock: Clock;
  readonly ticker: Pick<Ticker, 'sleep'>;
  readonly log: Log;
  readonly mode: Mode;
  /** Names of the configured issuers: each has its series from the start, zeros included, and no other has any. */
  readonly issuers: readonly string[];
  /** The client that rekeyd itself is at each issuer. */
  readonly ownClients?: ReadonlyMap<string, string>;
  readonly perCredential: 'auto' | boolean;
  /** What maintenance windows say. Absent: there are none. */
  readonly calendar?: Calendar;
  /** Daemon.counts. Absent: as the ledger has them. */
  counts?(): ReturnType<Ledger['countsByState']>;
  /** A record with the dates of its deletions as pauses have put them off. Absent: as they are stored. */
  dated?(record: CredentialRecord): CredentialRecord;
  /** What keeps the ledger from being written; null: nothing does. Daemon.ledgerProblem. */
  ledgerProblem(): Promise<string | null>;
  /** What the ledger's records do not say: DaemonApi.status. */
  status(): Promise<Pick<StatusView, 'breakers' | 'bulk' | 'paused'>>;
}

/** What `GET /metrics` answers with. */
export interface MetricsPage {
  readonly contentType: string;
  /**
   * The text, the ledger's gauges computed now; calls at the same time share one look. It does not throw for a ledger
   * that cannot be read: its gauges are left out then, and `rekeyd_ledger_up` is 0. That is 0, too, where the ledger cannot
   * be written: what is read of it is shown all the same.
   */
  render(): Promise<string>;
}

/** Registers the gauges that are computed when asked for. Each is described in docs/metrics.md. */
export function createMetricsPage(sources: GaugeSources): MetricsPage {
  const { registry, ledger, clock, log } = sources;
  const gauges = registerGauges(registry);
  let surveyed: { readonly samples: Samples; readonly until: Duration } | null = null;
  let rendering: Promise<string> | null = null;

  return {
    contentType: registry.contentType,
    render: () => (rendering ??= render().finally(() => (rendering = null))),
  };

  async function render(): Promise<string> {
    const { issuers } = sources;
    fill(
      gauges.mode,
      MODES.map((mode) => ({ labels: { mode }, value: mode === sources.mode ? 1 : 0 })),
    );
    // reading goes on where the disk is full or has gone read-only: only a write tells
    const unwritable = await sources.ledgerProblem();
    if (unwritable !== null) log.warn('ledger-unwritable', 'the ledger could not be written', { error: unwritable });
    try {
      const counts = (await (sources.counts?.() ?? ledger.countsByState())).filter(({ issuer }) =>
        issuers.includes(issuer),
      );
      const total = counts.reduce((sum, { count }) => sum + count, 0);
      const samples = await survey(total);
      const { breakers, bulk, paused } = await sources.status();
      // From here on nothing is awaited: no scrape sees half of it.
      for (const name of SURVEYED) fill(gauges[name], samples[name]);
      gauges.paused.set(EVERYTHING, paused.paused ? 1 : 0);
      fill(gauges.credentials, countSamples(counts, issuers));
      fill(gauges.breaker, breakerSamples(breakers, issuers));
      gauges.bulk.set(bulk?.remaining ?? 0);
      gauges.ledgerUp.set(unwritable === null ? 1 : 0);
    } catch (error) {
      for (const name of [...SURVEYED, 'credentials', 'breaker'] as const) gauges[name].reset();
      gauges.ledgerUp.set(0);
      log.warn('metrics-incomplete', 'the ledger could not be read for the metrics', { error: safeMessage(error) });
    }
    return registry.metrics();
  }

  async function survey(total: number): Promise<Samples> {
    const began = clock.monotonic();
    if (surveyed !== null && began < surveyed.until) return surveyed.samples;
    const detailed = sources.perCredential === 'auto' ? total <= PER_CREDENTIAL_LIMIT : sources.perCredential;
    const result = new Survey(clock.now(), sources.issuers, detailed, sources.ownClients, sources.calendar);
    let cursor: string | null = null;
    do {
      const page: Awaited<ReturnType<Ledger['credentials']>> = await ledger.credentials({}, PAGE, cursor);
      for (const record of page.items) result.add(sources.dated?.(record) ?? record);
      cursor = page.nextCursor;
      // An embedded ledger answers without a turn of the event loop; others want one between the pages.
      if (cursor !== null) await sources.ticker.sleep(0);
    } while (cursor !== null);
    const ended = clock.monotonic();
    surveyed = { samples: result.samples(), until: ended + REST * (ended - began) };
    return surveyed.samples;
  }
}

type Samples = Readonly<Record<Surveyed, readonly Sample[]>>;

/** The labels of the pause of everything. */
const EVERYTHING = { issuer: '*', credential: '*' };

function registerGauges(registry: Registry) {
  const gauge = (name: string, help: string, labelNames: readonly string[] = []): Gauge =>
    new Gauge({ name, help, labelNames, registers: [registry] });
  return {
    ownExpires: gauge(
      'rekeyd_own_secret_expires_timestamp_seconds',
      'When the first of the live secrets of the client ends that rekeyd itself logs in with.',
      ['issuer'],
    ),
    expires: gauge(
      'rekeyd_credential_expires_timestamp_seconds',
      'When the served secret ends; where none is served, the last of its secrets to end.',
      ['issuer', 'credential', 'name', 'managed'],
    ),
    renew: gauge('rekeyd_secret_renew_timestamp_seconds', 'When the served secret is due for renewal.', [
      'issuer',
      'credential',
      'name',
    ]),
    start: gauge(
      'rekeyd_rotation_start_timestamp_seconds',
      'From when maintenance windows let the renewal of the served secret begin.',
      ['issuer', 'credential', 'name'],
    ),
    credentials: gauge('rekeyd_credentials', 'Credentials by state.', ['issuer', 'state']),
    behind: gauge('rekeyd_destination_behind', '1: the destination does not serve the current secret.', [
      'issuer',
      'credential',
      'vault',
      'entry',
    ]),
    retirementsBlocked: gauge(
      'rekeyd_retirements_blocked',
      'Superseded secrets that live on though no grace is running: their deletion waits for a proof or a person.',
      ['issuer'],
    ),
    resyncLag: gauge('rekeyd_resync_lag_seconds', 'How late the most overdue look at a credential is.', ['issuer']),
    breaker: gauge('rekeyd_breaker_open', '1: no new rotation is started at the issuer.', ['issuer']),
    mode: gauge('rekeyd_mode', '1 for the present mode.', ['mode']),
    paused: gauge('rekeyd_paused', '1: paused. issuer="*", credential="*": everything.', ['issuer', 'credential']),
    bulk: gauge(
      'rekeyd_bulk_remaining',
      'Credentials of the bulk rotation that runs that are neither delivered nor given up. 0: none runs.',
    ),
    ledgerUp: gauge(
      'rekeyd_ledger_up',
      '0: the ledger cannot be written; or it could not be read for this scrape, and its gauges are left out.',
    ),
  };
}

function fill(gauge: Gauge, samples: readonly Sample[]): void {
  gauge.reset();
  for (const { labels, value } of samples) gauge.set(labels, value);
}

function countSamples(counts: Awaited<ReturnType<Ledger['countsByState']>>, issuers: readonly string[]): Sample[] {
  return issuers.flatMap((issuer) =>
    CREDENTIAL_STATES.map((state) => ({
      labels: { issuer, state },
      value: counts
        .filter((each) => each.issuer === issuer && each.state === state)
        .reduce((sum, { count }) => sum + count, 0),
    })),
  );
}

function breakerSamples(breakers: StatusView['breakers'], issuers: readonly string[]): Sample[] {
  const open = new Set(breakers.filter((breaker) => breaker.open).map(({ issuer }) => issuer));
  const names = new Set([...issuers, ...open]);
  return [...names].map((issuer) => ({ labels: { issuer }, value: open.has(issuer) ? 1 : 0 }));
}
