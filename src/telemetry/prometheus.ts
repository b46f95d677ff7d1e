import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { SECOND } from '../domain/time.ts';
import type { Outcome } from '../domain/rotation-state.ts';
import type { Meter, RequestEnd } from './meter.ts';

/** Seconds. From an urgent rotation without settling, over `verify.settle` (15 min), to a destination that is down. */
export const ROTATION_BUCKETS = [1, 5, 15, 60, 300, 900, 1_200, 1_800, 3_600, 10_800, 43_200, 86_400];
/** Seconds. From a scan that only lists, to a resync of everything. */
export const SCAN_BUCKETS = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900];
/** What can become of an event at a webhook. */
const WEBHOOK_OUTCOMES: readonly Outcome[] = ['ok', 'failed', 'lost'];

/**
 * A Meter over prom-client, with a registry of its own: what is counted as it happens, the process's metrics and
 * `rekeyd_build_info`. What is computed when asked for is registered beside it by daemon/gauges.ts. Every metric is
 * described in docs/metrics.md.
 */
export function createPrometheus(options: { readonly version: string }): { meter: Meter; registry: Registry } {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });

  new Gauge({ name: 'rekeyd_build_info', help: 'Always 1.', labelNames: ['version'], registers }).set(
    { version: options.version },
    1,
  );
  const issuerRequests = new Counter({
    name: 'rekeyd_issuer_requests_total',
    help: 'Requests to issuers, their token endpoints included.',
    labelNames: ['issuer', 'operation', 'outcome'],
    registers,
  });
  const issuerFaults = new Counter({
    name: 'rekeyd_issuer_request_faults_total',
    help: 'Requests to issuers that did not end well, by what was wrong.',
    labelNames: ['issuer', 'operation', 'fault'],
    registers,
  });
  const vaultRequests = new Counter({
    name: 'rekeyd_vault_requests_total',
    help: 'Requests to vaults.',
    labelNames: ['vault', 'operation', 'outcome'],
    registers,
  });
  const vaultFaults = new Counter({
    name: 'rekeyd_vault_request_faults_total',
    help: 'Requests to vaults that did not end well, by what was wrong.',
    labelNames: ['vault', 'operation', 'fault'],
    registers,
  });
  const rotations = new Counter({
    name: 'rekeyd_rotations_total',
    help: 'Rotations that were delivered everywhere or given up, by what made them due.',
    labelNames: ['issuer', 'reason', 'outcome'],
    registers,
  });
  const rotationDuration = new Histogram({
    name: 'rekeyd_rotation_duration_seconds',
    help: 'From intent to delivered everywhere.',
    labelNames: ['issuer'],
    buckets: ROTATION_BUCKETS,
    registers,
  });
  const deliveries = new Counter({
    name: 'rekeyd_deliveries_total',
    help: 'Deliveries to one destination.',
    labelNames: ['vault', 'outcome'],
    registers,
  });
  const retirements = new Counter({
    name: 'rekeyd_retirements_total',
    help: 'Deletions of superseded secrets.',
    labelNames: ['issuer', 'outcome'],
    registers,
  });
  const orphans = new Counter({
    name: 'rekeyd_orphans_total',
    help: 'Deletions of secrets that rekeyd made and that nothing serves.',
    labelNames: ['issuer', 'outcome'],
    registers,
  });
  const windowsMissed = new Counter({
    name: 'rekeyd_windows_missed_total',
    help: 'Rotations that began outside of their maintenance windows, for none came in time.',
    labelNames: ['issuer'],
    registers,
  });
  const webhooks = new Counter({
    name: 'rekeyd_webhook_deliveries_total',
    help: 'Events that webhooks were to be told, by what became of each: lost ones were dropped, since too many waited.',
    labelNames: ['webhook', 'outcome'],
    registers,
  });
  const scans = new Histogram({
    name: 'rekeyd_scan_duration_seconds',
    help: 'From the start of a scan until its work is dispatched.',
    buckets: SCAN_BUCKETS,
    registers,
  });
  const scanSuccess = new Gauge({
    name: 'rekeyd_scan_last_success_timestamp_seconds',
    help: 'When an issuer was last listed whole.',
    labelNames: ['issuer'],
    registers,
  });
  const configSuccess = new Gauge({
    name: 'rekeyd_config_reload_success',
    help: '0: what the configuration files say now cannot be used, the configuration before goes on.',
    registers,
  });
  configSuccess.set(1);
  const configTaken = new Gauge({
    name: 'rekeyd_config_last_reload_timestamp_seconds',
    help: 'When the configuration in use was loaded.',
    registers,
  });

  return {
    registry,
    meter: {
      issuerRequest: (issuer, operation, end) => {
        issuerRequests.inc({ issuer, operation, outcome: outcomeOf(end) });
        if (end !== 'ok') issuerFaults.inc({ issuer, operation, fault: end });
      },
      vaultRequest: (vault, operation, end) => {
        const fault = end === 'ok' || end === 'not-found' ? null : end; // an absent entry is what was asked for
        vaultRequests.inc({ vault, operation, outcome: fault === null ? 'ok' : outcomeOf(fault) });
        if (fault !== null) vaultFaults.inc({ vault, operation, fault });
      },
      rotation: (issuer, reason, outcome) => rotations.inc({ issuer, reason, outcome }),
      rotationDuration: (issuer, duration) => rotationDuration.observe({ issuer }, duration / SECOND),
      delivery: (vault, outcome) => deliveries.inc({ vault, outcome }),
      retirement: (issuer, outcome) => retirements.inc({ issuer, outcome }),
      orphan: (issuer, outcome) => orphans.inc({ issuer, outcome }),
      windowMissed: (issuer) => windowsMissed.inc({ issuer }),
      webhookAdded: (name) => {
        for (const outcome of WEBHOOK_OUTCOMES) webhooks.inc({ webhook: name, outcome }, 0);
      },
      webhook: (name, outcome) => webhooks.inc({ webhook: name, outcome }),
      scan: (duration) => scans.observe(duration / SECOND),
      scanSucceeded: (issuer, at) => scanSuccess.set({ issuer }, at / SECOND),
      issuerGone: (issuer) => scanSuccess.remove({ issuer }),
      configTaken: (at) => {
        configSuccess.set(1);
        configTaken.set(at / SECOND);
      },
      configRefused: () => configSuccess.set(0),
    },
  };
}

/** In the words of the contract: nobody knows what became of a request without an answer. */
function outcomeOf(end: RequestEnd): Outcome {
  if (end === 'ok') return 'ok';
  return end === 'no-answer' ? 'lost' : 'failed';
}
