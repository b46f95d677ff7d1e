import { createHash } from 'node:crypto';
import type { CredentialView, DaemonApi, RotationView, StatusView } from '../../../src/daemon/api.ts';
import type { BulkPreview, BulkView } from '../../../src/daemon/bulk/bulk-api.ts';
import type { CoverageView, ForecastView } from '../../../src/daemon/overview.ts';
import { createHttpServer } from '../../../src/http/server.ts';
import type { HttpAddress, HttpOptions, HttpServer } from '../../../src/http/server.ts';
import { LogLevelSwitch } from '../../../src/telemetry/log-level.ts';
import type { AdjustableLog } from '../../../src/telemetry/log-level.ts';
import type { Log, LogFields } from '../../../src/telemetry/log.ts';
import { EventFeed } from '../../../src/telemetry/feed.ts';
import { silentMeter } from '../../../src/telemetry/meter.ts';
import { createEvents } from '../../../src/telemetry/telling.ts';
import { createManualPorts } from '../../fakes/manual-ports.ts';
import type { ManualPorts } from '../../fakes/manual-ports.ts';

export const NOW = Date.UTC(2030, 0, 1);
export const ROTATION_ID = '01914b1e-7f00-7000-8000-000000000001';
export const OPERATOR = 'operator-token-0123456789';
export const VIEWER = 'viewer-token-0123456789';

/** A view with things on it that must not get out. */
export const CREDENTIAL: CredentialView & { readonly internal: string } = {
  internal: 'must-not-get-out',
  issuer: 'data8',
  clientId: 'client-1',
  name: 'prod-crm',
  description: 'crm (prod)',
  policy: 'default',
  state: 'ok',
  reason: 'up-to-date',
  current: { secretId: '12', generation: 2, expires: '2030-02-01T00:00:00.000Z' },
  renewAt: '2030-01-15T00:00:00.000Z',
  secrets: [{ secretId: '12', expires: null, role: 'current', deleteAfter: null }],
  destinations: [
    {
      vault: 'local',
      entry: 'prod/crm',
      generation: 2,
      secretId: '12',
      deliveredAt: '2029-12-01T00:00:00.000Z',
      state: 'served',
      error: null,
      former: false,
    },
  ],
  failures: 0,
  lastError: null,
  pausedUntil: null,
};

export const ROTATION: RotationView = {
  id: ROTATION_ID,
  issuer: 'data8',
  clientId: 'client-1',
  name: 'prod-crm',
  generation: 2,
  trigger: 'manual',
  reason: 'manual',
  note: null,
  actor: 'ci',
  bulkId: null,
  retriedAs: null,
  state: 'grace',
  secretId: '12',
  supersedes: ['11'],
  startedAt: '2029-12-01T00:00:00.000Z',
  deliveredAt: '2029-12-01T00:00:10.000Z',
  deleteAfter: '2029-12-15T00:00:00.000Z',
  finishedAt: null,
  error: null,
  steps: [{ step: 'intend', at: '2029-12-01T00:00:00.000Z', outcome: 'ok' }],
};

export const STATUS: StatusView = {
  version: '1.2.3',
  instance: 'test',
  mode: 'active',
  startedAt: '2029-12-31T00:00:00.000Z',
  uptime: 86_400,
  paused: { paused: false, until: null, note: null },
  lastScan: null,
  nextScan: '2030-01-01T00:15:00.000Z',
  bulk: null,
  breakers: [{ issuer: 'data8', open: false, until: null }],
  credentials: { ignored: 0, unmanaged: 1, paused: 0, blocked: 0, failing: 0, rotating: 0, grace: 0, due: 0, ok: 2 },
};

export const COVERAGE: CoverageView = {
  totals: { unmanaged: 1, withoutDestination: 0, expired: 0, unknown: 0, formerDestinations: 0 },
  unmanaged: [{ issuer: 'data8', clientId: 'client-2', name: 'client-2' }],
  withoutDestination: [],
  expired: [],
  unknown: [],
  formerDestinations: [],
};

export const FORECAST: ForecastView = {
  from: '2030-01-01T00:00:00.000Z',
  to: '2030-01-31T00:00:00.000Z',
  totals: { rotations: 0, deletions: 0, held: 0, outsideWindows: 0 },
  days: [],
  bunched: [],
  items: [],
};

export const PREVIEW: BulkPreview = {
  matched: 2,
  rotate: 1,
  skip: 1,
  skippedFor: { paused: 1 },
  inGrace: 0,
  atLeast: '0s',
  digest: '0123456789abcdef'.repeat(4),
  items: [
    {
      issuer: 'data8',
      clientId: 'client-1',
      name: 'prod-crm',
      state: 'ok',
      action: 'rotate',
      reason: null,
      expires: '2030-02-01T00:00:00.000Z',
    },
  ],
};

export const BULK: BulkView = {
  id: ROTATION_ID,
  state: 'running',
  match: '*',
  grace: '1h',
  note: 'breach',
  force: false,
  actor: 'ci',
  from: '127.0.0.1',
  total: 1,
  counts: { waiting: 0, rotating: 1, delivered: 0, failed: 0, skipped: 0 },
  heldBy: null,
  unwell: [],
  startedAt: '2030-01-01T00:00:00.000Z',
  finishedAt: null,
  cancelledBy: null,
};

type Call = readonly [method: keyof DaemonApi, ...args: unknown[]];

/** A daemon that answers with the views above and keeps what it was asked. `change` replaces single methods. */
export function fakeDaemon(change: Partial<DaemonApi> = {}): { daemon: DaemonApi; calls: Call[] } {
  const calls: Call[] = [];
  const answer =
    <T>(method: keyof DaemonApi, value: T) =>
    (...args: unknown[]): Promise<T> => {
      calls.push([method, ...args]);
      return Promise.resolve(value);
    };
  const daemon: DaemonApi = {
    status: answer('status', STATUS),
    unready: answer('unready', []),
    scan: () => {
      calls.push(['scan']);
      return { scanId: 'scan-1' };
    },
    credentials: answer('credentials', { items: [CREDENTIAL], nextCursor: 'next' }),
    credential: answer('credential', CREDENTIAL),
    rotations: answer('rotations', { items: [ROTATION], nextCursor: null }),
    rotation: answer('rotation', ROTATION),
    coverage: answer('coverage', COVERAGE),
    forecast: answer('forecast', FORECAST),
    previewBulk: answer('previewBulk', PREVIEW),
    startBulk: answer('startBulk', BULK),
    bulks: answer('bulks', [BULK]),
    bulk: answer('bulk', BULK),
    cancelBulk: answer('cancelBulk', BULK),
    rotate: answer('rotate', { rotationId: ROTATION_ID, grace: '14d' }),
    pause: answer('pause', { paused: true, until: null, note: null }),
    resume: answer('resume', { paused: false, until: null, note: null }),
    retire: answer('retire', ROTATION),
    forget: answer('forget', CREDENTIAL),
    ...change,
  };
  return { daemon, calls };
}

export const sha256 = (token: string): string => createHash('sha256').update(token).digest('hex');

/** A log that keeps its lines as text. */
export function keptLog(): { log: Log; lines: string[] } {
  const lines: string[] = [];
  const write = (level: string) => (event: string, message: string, fields?: LogFields) => {
    lines.push(JSON.stringify({ level, event, message, ...fields }));
  };
  const log: Log = {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    with: () => log,
  };
  return { log, lines };
}

export interface Running extends AsyncDisposable {
  readonly server: HttpServer;
  readonly address: HttpAddress;
  readonly calls: Call[];
  readonly lines: string[];
  /** Moves the heartbeat on. */
  readonly clock: ManualPorts['clock'];
  readonly feed: EventFeed;
  /** As operator, unless `token` says otherwise; null: without one. */
  ask(path: string, init?: RequestInit, token?: string | null): Promise<Response>;
}

/** A server on a port of its own over a fake daemon. */
export async function serve(
  change: Partial<HttpOptions> = {},
  daemonChange: Partial<DaemonApi> = {},
): Promise<Running> {
  const { daemon, calls } = fakeDaemon(daemonChange);
  const { log, lines } = keptLog();
  const { clock, ticker } = createManualPorts(NOW);
  const feed = new EventFeed(clock, 'epoch');
  const events = createEvents({ log, meter: silentMeter, listeners: [feed] });
  const adjustable: AdjustableLog = { ...log, level: 'info' };
  const server = createHttpServer({
    daemon,
    metrics: {
      contentType: 'text/plain; version=0.0.4; charset=utf-8',
      render: () => Promise.resolve('rekeyd_up 1\n'),
    },
    clock,
    ticker,
    log,
    logLevel: new LogLevelSwitch(adjustable, { clock, ticker, events }),
    events,
    feed,
    settings: {
      host: '127.0.0.1',
      port: 0,
      requestsPerSecond: 100_000,
      socket: null,
      tokens: [
        { name: 'dashboards', role: 'viewer', sha256: sha256(VIEWER) },
        { name: 'ci', role: 'operator', sha256: sha256(OPERATOR) },
      ],
    },
    ...change,
  });
  const address = await server.start();
  return {
    server,
    address,
    calls,
    lines,
    clock,
    feed,
    ask: (path, init = {}, token = OPERATOR) => {
      const headers = new Headers(init.headers);
      if (token !== null) headers.set('authorization', `Bearer ${token}`);
      return fetch(address.url + path, { ...init, headers, redirect: 'manual' });
    },
    [Symbol.asyncDispose]: () => server.close(),
  };
}

export const json = (body: unknown, method = 'POST'): RequestInit => ({
  method,
  body: typeof body === 'string' ? body : JSON.stringify(body),
  headers: { 'content-type': 'application/json' },
});

/** The problem that a response holds, checked for its shape. */
export async function problemOf(response: Response): Promise<Record<string, unknown>> {
  if (response.headers.get('content-type') !== 'application/problem+json; charset=utf-8') {
    throw new Error(`${response.status} with ${response.headers.get('content-type')}: ${await response.text()}`);
  }
  const problem = (await response.json()) as Record<string, unknown>;
  if (problem['status'] !== response.status) throw new Error(`status ${String(problem['status'])} in the body`);
  if (!String(problem['type']).startsWith('urn:rekeyd:problem:')) throw new Error(`type ${String(problem['type'])}`);
  if (typeof problem['title'] !== 'string' || typeof problem['detail'] !== 'string')
    throw new Error('no title or detail');
  return problem;
}
