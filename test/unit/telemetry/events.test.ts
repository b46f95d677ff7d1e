import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { EVENTS, EVENT_NAMES, levelOf } from '../../../src/telemetry/events.ts';
import type { RekeydEvent } from '../../../src/telemetry/events.ts';
import { EventFeed, KEPT_EVENTS } from '../../../src/telemetry/feed.ts';
import { silentLog } from '../../../src/telemetry/log.ts';
import { createPrometheus } from '../../../src/telemetry/prometheus.ts';
import { silentMeter } from '../../../src/telemetry/meter.ts';
import { createEvents } from '../../../src/telemetry/telling.ts';
import { recordingLog } from '../../scenarios/recording-log.ts';

const page = await readFile(new URL('../../../docs/events.md', import.meta.url), 'utf8');
const credential = { issuer: 'data8', clientId: 'c', name: 'shop' };
const rotation = { ...credential, reason: 'expiring', rotationId: 'r', generation: 2 } as const;
const deletion = { ...credential, secretId: '1' };
const delivery = {
  issuer: 'data8',
  clientId: 'c',
  name: 'shop',
  reason: 'expiring',
  rotationId: null,
  vault: 'a',
  entry: 'shop',
  generation: 2,
  secretId: '2',
} as const;

describe('docs/events.md', () => {
  it('explains each event with its level and its fields, in the order of the list, and no other', () => {
    const rows = [...page.matchAll(/^\| `([a-z-]+)` +\| (\w+)[^|]*\| ([^|]*)\|/gm)];
    const documented = rows.map(([, name = '', level = '', fields = '']) => [
      name,
      level,
      [...fields.matchAll(/`(\w+)`/g)].map(([, field]) => field),
    ]);
    expect(documented).toEqual(
      EVENT_NAMES.map((name) => [name, EVENTS[name].level, Object.keys(EVENTS[name].shape.shape)]),
    );
  });
});

describe('events', () => {
  it('go to the log under their name, and on to whoever listens', () => {
    const lines: Parameters<typeof recordingLog>[0] = [];
    const heard: RekeydEvent[] = [];
    const events = createEvents({
      log: recordingLog(lines),
      meter: silentMeter,
      listeners: [{ tell: (event) => void heard.push(event) }],
    });
    events.tell({ type: 'secret-created', ...rotation, secretId: '2' });
    expect(lines).toEqual([{ level: 'info', event: 'secret-created', fields: { ...rotation, secretId: '2' } }]);
    expect(heard).toEqual([{ type: 'secret-created', ...rotation, secretId: '2' }]);
    events.tell({ type: 'scan-finished', scanId: 's', looked: 0, failedIssuers: 0, seconds: 1 });
    expect(lines[1]).toMatchObject({ level: 'debug', event: 'scan-finished' });
    expect(heard).toHaveLength(1);
  });

  it('are louder where somebody should look', () => {
    const state = { type: 'credential-state', ...credential, reason: 'cap-reached', was: 'ok' } as const;
    expect(levelOf({ ...state, state: 'blocked' })).toBe('warn');
    expect(levelOf({ ...state, state: 'grace' })).toBe('info');
    expect(levelOf({ type: 'scan-finished', scanId: 's', looked: 0, failedIssuers: 1, seconds: 1 })).toBe('info');
  });

  it('tell a deletion that waits once for each reason', () => {
    const lines: Parameters<typeof recordingLog>[0] = [];
    const events = createEvents({ log: recordingLog(lines), meter: silentMeter });
    const waits = { type: 'deletion-waiting', ...deletion } as const;
    events.tell({ ...waits, reason: 'still-served' });
    events.tell({ ...waits, reason: 'still-served' });
    events.tell({ ...waits, reason: 'still-served', secretId: '9' });
    events.tell({ ...waits, reason: 'destination-unproven' });
    events.tell({ type: 'secret-retired', ...deletion, reason: 'grace-over', rotationId: null, outcome: 'deleted' });
    events.tell({ ...waits, reason: 'destination-unproven' });
    expect(lines.map(({ fields }) => [fields['secretId'], fields.reason])).toEqual([
      ['1', 'still-served'],
      ['9', 'still-served'],
      ['1', 'destination-unproven'],
      ['1', 'grace-over'],
      ['1', 'destination-unproven'],
    ]);
  });

  it('are counted', async () => {
    const { meter, registry } = createPrometheus({ version: '1' });
    const events = createEvents({ log: silentLog, meter });
    const gone = { ...deletion, reason: 'grace-over', rotationId: null, outcome: 'deleted' } as const;
    const abandoned = { type: 'rotation-abandoned', ...rotation, step: null, error: null, retriedAs: null } as const;
    events.tell({ type: 'rotation-settled', ...rotation, supersedes: [], deleteAfter: null, seconds: 20 });
    events.tell({ ...abandoned, reason: 'issuer-failed', wanted: 'expiring', outcome: 'failed' });
    for (const type of ['entry-delivered', 'entry-kept', 'delivery-overtaken'] as const)
      events.tell({ type, ...delivery });
    events.tell({ type: 'delivery-failed', ...delivery, error: 'down' });
    events.tell({ type: 'secret-retired', ...gone });
    events.tell({ type: 'secret-reaped', ...gone });
    for (const action of ['retire', 'reap'] as const)
      events.tell({ type: 'deletion-failed', ...deletion, reason: 'grace-over', action, error: 'down' });
    events.tell({ type: 'window-missed', ...rotation, expires: null });
    events.tell({ type: 'scan-finished', scanId: 's', looked: 1, failedIssuers: 0, seconds: 3 });
    const lines = (await registry.metrics()).split('\n');
    for (const line of [
      'rekeyd_rotations_total{issuer="data8",reason="expiring",outcome="ok"} 1',
      'rekeyd_rotations_total{issuer="data8",reason="expiring",outcome="failed"} 1',
      'rekeyd_rotation_duration_seconds_sum{issuer="data8"} 20',
      'rekeyd_deliveries_total{vault="a",outcome="ok"} 2',
      'rekeyd_deliveries_total{vault="a",outcome="failed"} 1',
      'rekeyd_deliveries_total{vault="a",outcome="skipped"} 1',
      'rekeyd_retirements_total{issuer="data8",outcome="ok"} 1',
      'rekeyd_retirements_total{issuer="data8",outcome="failed"} 1',
      'rekeyd_orphans_total{issuer="data8",outcome="ok"} 1',
      'rekeyd_orphans_total{issuer="data8",outcome="failed"} 1',
      'rekeyd_windows_missed_total{issuer="data8"} 1',
      'rekeyd_scan_duration_seconds_sum 3',
    ])
      expect(lines).toContain(line);
  });
});

describe('the feed', () => {
  it('keeps a bounded number, and says where some are gone', () => {
    const feed = new EventFeed({ now: () => 0 }, 'e');
    for (let n = 0; n < KEPT_EVENTS + 10; n += 1) feed.tell({ type: 'breaker-closed', issuer: 'data8' });
    expect(feed.resume('e-5')).toEqual({ missed: true, next: 11 });
    expect(feed.resume('e-10')).toEqual({ missed: false, next: 11 });
    const last = KEPT_EVENTS + 10;
    expect(feed.resume(`e-${last}`)).toEqual({ missed: false, next: last + 1 });
    expect(feed.resume(null)).toEqual({ missed: false, next: last + 1 });
    for (const odd of ['e-', 'e-x', 'e--1', 'e-99999999', 'f-1', '\u0000']) {
      expect(feed.resume(odd), odd).toEqual({ missed: true, next: 11 });
    }
    expect([10, 11, last].map((number) => feed.at(number)?.id)).toEqual([undefined, 'e-11', `e-${last}`]);
    expect([feed.at(10), feed.at(last + 1)]).toEqual([null, undefined]);
  });
});
