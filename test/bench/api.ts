import { closeSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BareCalls } from './api-bare.ts';
import { FAILING } from './api-ledger.ts';
import type { ApiCalls, ScanDelay } from './api-process.ts';
import { benchConfig, TOKEN } from './bench-config.ts';
import type { EmulatorCalls } from './emulator-process.ts';
import { spread } from './figures.ts';
import type { Aim, Assertion, Spread } from './figures.ts';
import { get, load, p99 } from './http-load.ts';
import { start } from './remote.ts';

/** One call of the API, beside a bare Fastify route that answers with the same bytes. */
export interface RouteFigures {
  readonly name: string;
  readonly bytes: number;
  /** Requests a second. */
  readonly daemon: Spread;
  readonly bare: Spread;
  /** The daemon's rate in parts of the bare route's. */
  readonly ratio: Spread;
  /** Milliseconds, over all rounds. */
  readonly daemonP99: number;
  readonly bareP99: number;
}

export interface ApiFigures {
  readonly credentials: number;
  readonly routes: readonly RouteFigures[];
  /** Null: not measured. */
  readonly scan: ScanDelay | null;
  readonly assertions: readonly Assertion[];
}

const headers = { authorization: `Bearer ${TOKEN}` };

/** Of the bare route's rate. */
const AIMED_RATIO = 0.5;
/** Milliseconds. */
const AIMED_DELAY = 50;

export interface ApiOptions {
  readonly folder: string;
  readonly credentials: number;
  readonly rounds: number;
  /** Of the requests for a page, a round; of what is larger, fewer. */
  readonly requests: number;
  /** Measures the metrics with series of each credential, and nothing else. */
  readonly series: boolean;
  readonly progress: (text: string) => void;
}

/** Over real sockets, client, daemon, issuer and bare server each in a process of its own. The two servers take turns. */
export async function measureApi({
  folder,
  credentials,
  rounds,
  requests,
  series,
  progress,
}: ApiOptions): Promise<ApiFigures> {
  mkdirSync(folder, { recursive: true });
  const output = openSync(join(folder, 'daemon.log'), 'w');
  const options = { output, execArgv: [] };
  const emulator = start<EmulatorCalls>('./emulator-process.ts', options);
  const daemon = start<ApiCalls>('./api-process.ts', options);
  const bare = start<BareCalls>('./api-bare.ts', options);
  try {
    progress(`API: a ledger of ${credentials} credentials`);
    const key = 'bench';
    const place = await emulator.calls.open({ key, groups: [{ credentials, description: 'app-{n}' }] });
    const config = join(folder, 'rekeyd.yaml');
    writeFileSync(config, benchConfig(place), { mode: 0o600 });
    const [plain, detailed] = await daemon.calls.open(config, key, credentials);
    const cases = series
      ? [{ name: `metrics, with the series of ${credentials}`, port: detailed, path: '/metrics', count: 8 }]
      : await callsOf(plain, requests);
    const files = [];
    for (const [index, { port, path }] of cases.entries()) {
      const { type, body } = await get({ port, path, headers });
      const file = join(folder, `answer-${index}`);
      writeFileSync(file, body);
      files.push({ path: `/answer-${index}`, file, type, bytes: body.byteLength });
    }
    const barePort = await bare.calls.open(files);
    const routes: RouteFigures[] = [];
    for (const [index, { name, port, path, count }] of cases.entries()) {
      progress(`API: ${name}`);
      const beside = { port: barePort, path: `/answer-${index}`, headers };
      const both = [];
      for (let round = 0; round <= rounds; round += 1) {
        const pair = { daemon: await load({ port, path, headers }, count), bare: await load(beside, count) };
        // the first round warms both up
        if (round > 0) both.push(pair);
      }
      routes.push({
        name,
        bytes: files[index]?.bytes ?? 0,
        daemon: spread(both.map((each) => each.daemon.rate)),
        bare: spread(both.map((each) => each.bare.rate)),
        ratio: spread(both.map((each) => each.daemon.rate / each.bare.rate)),
        daemonP99: p99(both.flatMap((each) => each.daemon.latencies)),
        bareP99: p99(both.flatMap((each) => each.bare.latencies)),
      });
    }
    if (series) return { credentials, routes, scan: null, assertions: [] };
    progress('API: a scan');
    await emulator.calls.takeRequests();
    const scan = await daemon.calls.scan();
    const asked = JSON.stringify(await emulator.calls.takeRequests());
    const wanted = Math.min(1_000, Math.floor(credentials / FAILING));
    const counted = (await pageOf(plain, '?state=failing&limit=1000')).items.length;
    const assertions = [
      { name: 'the filter finds who is failing', holds: counted === wanted, saw: String(counted) },
      { name: 'the scan of the API bench finds nothing due', holds: asked === '{"listCredentials":1}', saw: asked },
    ];
    return { credentials, routes, scan, assertions };
  } finally {
    await daemon.end();
    await bare.end();
    await emulator.end();
    closeSync(output);
  }
}

interface Case {
  readonly name: string;
  readonly port: number;
  readonly path: string;
  readonly count: number;
}

async function callsOf(port: number, requests: number): Promise<Case[]> {
  const { nextCursor } = await pageOf(port, '?limit=1000');
  const after = `&cursor=${encodeURIComponent(nextCursor ?? '')}`;
  return [
    { name: 'a page of 100', port, path: `/v1/credentials?limit=100${after}`, count: requests },
    { name: 'a page of 100, by state', port, path: '/v1/credentials?state=failing&limit=100', count: requests },
    { name: 'a page of 1000', port, path: '/v1/credentials?limit=1000', count: Math.ceil(requests / 10) },
    { name: 'status', port, path: '/v1/status', count: requests },
    { name: 'metrics', port, path: '/metrics', count: requests },
  ];
}

async function pageOf(port: number, query: string): Promise<{ items: unknown[]; nextCursor: string | null }> {
  const { body } = await get({ port, path: `/v1/credentials${query}`, headers });
  return JSON.parse(body.toString()) as { items: unknown[]; nextCursor: string | null };
}

export function apiAims({ credentials, routes, scan }: ApiFigures): Aim[] {
  return [
    ...routes.map(({ name, ratio }) => ({
      name: `API, ${name}: rate beside a bare route`,
      aim: String(AIMED_RATIO),
      is: ratio.median.toFixed(2),
      met: ratio.median >= AIMED_RATIO,
    })),
    ...(scan === null
      ? []
      : [
          {
            name: `event-loop delay in a scan of ${credentials}, p99`,
            aim: `under ${AIMED_DELAY} ms`,
            is: `${scan.p99.toFixed(1)} ms`,
            met: scan.p99 < AIMED_DELAY,
          },
        ]),
  ];
}

export function apiLines({ credentials, routes, scan }: ApiFigures): string[] {
  return [
    '',
    `the API over ${credentials} credentials, requests a second beside a bare Fastify route with the same bytes (median; ratio: median, least, most)`,
    ...routes.map(
      ({ name, bytes, daemon, bare, ratio, daemonP99, bareP99 }) =>
        `  ${name}, ${bytes} bytes: rekeyd ${daemon.median.toFixed(0)}, bare ${bare.median.toFixed(0)}, ratio ${ratio.median.toFixed(2)} ` +
        `(${ratio.min.toFixed(2)} to ${ratio.max.toFixed(2)}), p99 ${daemonP99.toFixed(1)} ms and ${bareP99.toFixed(1)} ms`,
    ),
    ...(scan === null
      ? []
      : [
          `  event-loop delay while a scan ran for ${scan.seconds.toFixed(2)} s: p99 ${scan.p99.toFixed(1)} ms, longest ${scan.max.toFixed(0)} ms`,
        ]),
  ];
}
