import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import type { CredentialView, RotationView } from '../../../src/daemon/api.ts';
import { settingsFor } from './bench.ts';

/** A request as the daemon of a test saw it. */
interface Seen {
  readonly method: string;
  readonly url: string;
  readonly token: string | undefined;
  readonly body: unknown;
}

export type Answer = { readonly status?: number; readonly body: unknown } | undefined;

/** A daemon that answers what a test tells it to, over a socket of its own. */
export interface RecordedDaemon {
  folder: string;
  socket: string;
  server: Server;
  seen: Seen[];
  /** By `METHOD path`; an array is answered one by one, the last again and again. */
  answers: Record<string, Answer | Answer[]>;
}

/** Starts one before each test of the file, and ends it after. */
export function recordedDaemon(): RecordedDaemon {
  const daemon: RecordedDaemon = { folder: '', socket: '', server: createServer(), seen: [], answers: {} };

  beforeEach(async () => {
    daemon.folder = await mkdtemp(join(tmpdir(), 'rekeyd-cli-'));
    daemon.socket = join(daemon.folder, 's.sock');
    daemon.seen = [];
    daemon.answers = {};
    daemon.server = createServer((request, response) => void answer(daemon, request, response));
    await new Promise<void>((resolve) => daemon.server.listen(daemon.socket, resolve));
  });

  afterEach(async () => {
    daemon.server.closeAllConnections();
    await new Promise((resolve) => daemon.server.close(resolve));
    await rm(daemon.folder, { recursive: true, force: true });
  });
  return daemon;
}

/** Answers a request as the daemon would, whatever it came in by. */
export async function answer(
  daemon: RecordedDaemon,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  let text = '';
  for await (const part of request) text += String(part);
  const url = request.url ?? '';
  daemon.seen.push({
    method: request.method ?? '',
    url,
    token: request.headers.authorization,
    body: text === '' ? null : JSON.parse(text),
  });
  const known = daemon.answers[`${request.method ?? ''} ${url.split('?')[0] ?? ''}`];
  const next = Array.isArray(known) ? (known.length > 1 ? known.shift() : known[0]) : known;
  const { status = 200, body } = next ?? { status: 404, body: { title: 'Not Found', detail: 'no such thing' } };
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

export function credential(changes: Partial<CredentialView> = {}): CredentialView {
  return {
    issuer: 'data8',
    clientId: 'c1',
    name: 'prod-crm',
    description: 'CRM (prod)',
    policy: 'default',
    state: 'ok',
    reason: 'up-to-date',
    current: { secretId: '4', generation: 2, expires: '2026-05-01T12:00:00.000Z' },
    renewAt: '2026-04-01T12:00:00.000Z',
    secrets: [],
    destinations: [],
    failures: 0,
    lastError: null,
    pausedUntil: null,
    ...changes,
  };
}

export function rotation(changes: Partial<RotationView> = {}): RotationView {
  return {
    id: 'r1',
    issuer: 'data8',
    clientId: 'c1',
    name: 'prod-crm',
    generation: 3,
    trigger: 'manual',
    reason: 'manual',
    note: null,
    actor: 'socket',
    bulkId: null,
    retriedAs: null,
    state: 'intended',
    secretId: null,
    supersedes: ['4'],
    startedAt: '2026-03-01T12:00:00.000Z',
    deliveredAt: null,
    deleteAfter: null,
    finishedAt: null,
    error: null,
    steps: [],
    ...changes,
  };
}

/** Settings whose socket is the daemon's. */
export function onSocket({ socket }: RecordedDaemon) {
  return {
    settings: settingsFor({ http: { host: '127.0.0.1', port: 0, requestsPerSecond: 100_000, socket, tokens: [] } }),
  };
}
