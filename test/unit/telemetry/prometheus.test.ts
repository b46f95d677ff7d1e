import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { createMetricsPage } from '../../../src/daemon/gauges.ts';
import { createPrometheus } from '../../../src/telemetry/prometheus.ts';
import { silentLog } from '../../../src/telemetry/log.ts';
import { createManualPorts } from '../../fakes/manual-ports.ts';

/** contract.md, 'Metrics': names and labels that may never change. */
const CONTRACT: Readonly<Record<string, readonly string[]>> = {
  rekeyd_credential_expires_timestamp_seconds: ['issuer', 'credential', 'name', 'managed'],
  rekeyd_secret_renew_timestamp_seconds: ['issuer', 'credential', 'name'],
  rekeyd_credentials: ['issuer', 'state'],
  rekeyd_rotations_total: ['issuer', 'reason', 'outcome'],
  rekeyd_rotation_duration_seconds: ['issuer'],
  rekeyd_deliveries_total: ['vault', 'outcome'],
  rekeyd_destination_behind: ['issuer', 'credential', 'vault', 'entry'],
  rekeyd_retirements_total: ['issuer', 'outcome'],
  rekeyd_retirements_blocked: ['issuer'],
  rekeyd_orphans_total: ['issuer', 'outcome'],
  rekeyd_windows_missed_total: ['issuer'],
  rekeyd_scan_duration_seconds: [],
  rekeyd_scan_last_success_timestamp_seconds: ['issuer'],
  rekeyd_resync_lag_seconds: ['issuer'],
  rekeyd_issuer_requests_total: ['issuer', 'operation', 'outcome'],
  rekeyd_vault_requests_total: ['vault', 'operation', 'outcome'],
  rekeyd_breaker_open: ['issuer'],
  rekeyd_mode: ['mode'],
  rekeyd_paused: ['issuer', 'credential'],
  rekeyd_build_info: ['version'],
};

function wholeRegistry() {
  const prometheus = createPrometheus({ version: '1.2.3' });
  createMetricsPage({
    registry: prometheus.registry,
    ledger: {
      countsByState: () => Promise.resolve([]),
      credentials: () => Promise.resolve({ items: [], nextCursor: null }),
    },
    ...createManualPorts(),
    log: silentLog,
    mode: 'active',
    issuers: [],
    perCredential: 'auto',
    ledgerProblem: () => Promise.resolve(null),
    status: () => Promise.resolve({ breakers: [], bulk: null, paused: { paused: false, until: null, note: null } }),
  });
  return prometheus;
}

/** prom-client keeps a metric's label names in a field that its types do not show. */
function labelsOf(metric: unknown): readonly string[] {
  return (metric as { labelNames: readonly string[] }).labelNames;
}

describe('the registry', () => {
  it('has every metric of the contract, with its labels', () => {
    const { registry } = wholeRegistry();
    for (const [name, labels] of Object.entries(CONTRACT)) {
      const metric = registry.getSingleMetric(name);
      expect(metric, name).toBeDefined();
      expect(labelsOf(metric), name).toEqual(labels);
    }
  });

  it('has the process metrics', async () => {
    const text = await wholeRegistry().registry.metrics();
    expect(text).toContain('process_cpu_seconds_total');
    expect(text).toContain('nodejs_eventloop_lag_seconds');
  });

  it('exposes what docs/metrics.md describes, no more and no less, with the same labels', async () => {
    const page = await readFile(new URL('../../../docs/metrics.md', import.meta.url), 'utf8');
    const described = new Map(
      [...page.matchAll(/^\| `(rekeyd_\w+)(?:\{([\w,]+)\})?` /gm)].map(([, name = '', labels]) => [
        name,
        labels?.split(',') ?? [],
      ]),
    );
    const exposed = new Map(
      wholeRegistry()
        .registry.getMetricsAsArray()
        .filter(({ name }) => name.startsWith('rekeyd_'))
        .map((metric) => [metric.name, labelsOf(metric)]),
    );
    expect(Object.fromEntries(described)).toEqual(Object.fromEntries(exposed));
  });
});

describe('the meter', () => {
  it('counts what it is told, in seconds', async () => {
    const { meter, registry } = createPrometheus({ version: '1.2.3' });
    meter.issuerRequest('data8', 'createSecret', 'ok');
    meter.issuerRequest('data8', 'createSecret', 'ok');
    meter.issuerRequest('data8', 'createSecret', 'no-answer');
    meter.issuerRequest('data8', 'createSecret', 'throttled');
    meter.vaultRequest('local', 'deliver', 'conflict');
    meter.vaultRequest('local', 'read', 'not-found');
    meter.rotation('data8', 'expiring', 'ok');
    meter.rotationDuration('data8', 61_000);
    meter.delivery('local', 'failed');
    meter.retirement('data8', 'ok');
    meter.orphan('data8', 'lost');
    meter.scan(1_500);
    meter.scanSucceeded('data8', Date.UTC(2030, 0, 1));
    const lines = (await registry.metrics()).split('\n');
    for (const line of [
      'rekeyd_issuer_requests_total{issuer="data8",operation="createSecret",outcome="ok"} 2',
      'rekeyd_issuer_requests_total{issuer="data8",operation="createSecret",outcome="lost"} 1',
      'rekeyd_issuer_requests_total{issuer="data8",operation="createSecret",outcome="failed"} 1',
      'rekeyd_issuer_request_faults_total{issuer="data8",operation="createSecret",fault="no-answer"} 1',
      'rekeyd_issuer_request_faults_total{issuer="data8",operation="createSecret",fault="throttled"} 1',
      'rekeyd_vault_requests_total{vault="local",operation="deliver",outcome="failed"} 1',
      'rekeyd_vault_requests_total{vault="local",operation="read",outcome="ok"} 1',
      'rekeyd_vault_request_faults_total{vault="local",operation="deliver",fault="conflict"} 1',
      'rekeyd_rotations_total{issuer="data8",reason="expiring",outcome="ok"} 1',
      'rekeyd_rotation_duration_seconds_sum{issuer="data8"} 61',
      'rekeyd_rotation_duration_seconds_bucket{le="60",issuer="data8"} 0',
      'rekeyd_rotation_duration_seconds_bucket{le="300",issuer="data8"} 1',
      'rekeyd_deliveries_total{vault="local",outcome="failed"} 1',
      'rekeyd_retirements_total{issuer="data8",outcome="ok"} 1',
      'rekeyd_orphans_total{issuer="data8",outcome="lost"} 1',
      'rekeyd_scan_duration_seconds_sum 1.5',
      'rekeyd_scan_last_success_timestamp_seconds{issuer="data8"} 1893456000',
      'rekeyd_build_info{version="1.2.3"} 1',
    ]) {
      expect(lines).toContain(line);
    }
  });

  it('tells whether the configuration in use is what its files say', async () => {
    const { meter, registry } = createPrometheus({ version: '1' });
    meter.configTaken(Date.UTC(2030, 0, 1));
    expect(await registry.metrics()).toContain('rekeyd_config_reload_success 1\n');
    meter.configRefused();
    const text = await registry.metrics();
    expect(text).toContain('rekeyd_config_reload_success 0\n');
    expect(text).toContain('rekeyd_config_last_reload_timestamp_seconds 1893456000\n');
  });

  it('forgets when an issuer was last listed that is not configured any more', async () => {
    const { meter, registry } = createPrometheus({ version: '1' });
    meter.scanSucceeded('data8', 1_000);
    meter.issuerGone('data8');
    expect(await registry.metrics()).not.toContain('scan_last_success_timestamp_seconds{');
  });

  it('has the counters of a webhook from the start, and leaves them as they are where they are known', async () => {
    const { meter, registry } = createPrometheus({ version: '1' });
    const counters = async () =>
      (await registry.metrics()).split('\n').filter((line) => line.includes('webhook="ops"'));
    meter.webhookAdded('ops');
    const label = (outcome: string) => `rekeyd_webhook_deliveries_total{webhook="ops",outcome="${outcome}"}`;
    expect(await counters()).toEqual([`${label('ok')} 0`, `${label('failed')} 0`, `${label('lost')} 0`]);
    meter.webhook('ops', 'failed');
    meter.webhookAdded('ops');
    expect(await counters()).toEqual([`${label('ok')} 0`, `${label('failed')} 1`, `${label('lost')} 0`]);
  });

  it('shares nothing with another of its kind', async () => {
    const first = createPrometheus({ version: '1' });
    const second = createPrometheus({ version: '2' });
    first.meter.scan(1_000);
    expect(await second.registry.metrics()).toContain('rekeyd_scan_duration_seconds_count 0');
  });
});
