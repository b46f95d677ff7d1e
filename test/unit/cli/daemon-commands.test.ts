import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CredentialView, RotationView } from '../../../src/daemon/api.ts';
import { cli, settingsFor } from './bench.ts';

interface Seen {
  readonly method: string;
  readonly url: string;
  readonly token: string | undefined;
  readonly body: unknown;
}

type Answer = { readonly status?: number; readonly body: unknown } | undefined;

let folder: string;
let socket: string;
let server: Server;
let seen: Seen[];
/** What the daemon of a test answers, by `METHOD path`; an array is answered one by one, the last again and again. */
let answers: Record<string, Answer | Answer[]>;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rekeyd-cli-'));
  socket = join(folder, 's.sock');
  seen = [];
  answers = {};
  server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(socket, resolve));
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await rm(folder, { recursive: true, force: true });
});

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  let text = '';
  for await (const part of request) text += String(part);
  const url = request.url ?? '';
  seen.push({
    method: request.method ?? '',
    url,
    token: request.headers.authorization,
    body: text === '' ? null : JSON.parse(text),
  });
  const known = answers[`${request.method ?? ''} ${url.split('?')[0] ?? ''}`];
  const next = Array.isArray(known) ? (known.length > 1 ? known.shift() : known[0]) : known;
  const { status = 200, body } = next ?? { status: 404, body: { title: 'Not Found', detail: 'no such thing' } };
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function credential(changes: Partial<CredentialView> = {}): CredentialView {
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

function rotation(changes: Partial<RotationView> = {}): RotationView {
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

const C1 = 'GET /v1/credentials/data8/c1';
const ROTATE = 'POST /v1/credentials/data8/c1/rotate';
const accepted = { status: 202, body: { rotationId: 'r1', grace: '14d' } };

function onSocket() {
  return {
    settings: settingsFor({ http: { host: '127.0.0.1', port: 0, requestsPerSecond: 100_000, socket, tokens: [] } }),
  };
}

describe('status', () => {
  it('follows all pages over the socket of the configuration, and shows expiry also of what is only watched', async () => {
    const watched = credential({
      clientId: 'c2',
      name: 'other',
      state: 'unmanaged',
      reason: 'unmanaged',
      current: null,
      renewAt: null,
      secrets: [
        { secretId: '1', expires: '2026-03-02T12:00:00.000Z', role: 'unmanaged', deleteAfter: null },
        { secretId: '2', expires: '2026-03-31T12:00:00.000Z', role: 'unmanaged', deleteAfter: null },
      ],
    });
    answers = {
      'GET /v1/credentials': [
        { body: { items: [credential()], nextCursor: 'next page' } },
        { body: { items: [watched], nextCursor: null } },
      ],
      'GET /v1/status': {
        body: {
          instance: 'prod',
          mode: 'active',
          lastScan: { startedAt: '2026-03-01T11:50:00.000Z', error: null },
          nextScan: '2026-03-01T12:05:00.000Z',
          paused: { paused: false, until: null, note: null },
          breakers: [],
        },
      },
    };
    const ran = await cli(['status', '--state', 'ok'], onSocket());
    expect(ran.code).toBe(0);
    expect(ran.out).toMatch(/data8\/c1 +prod-crm +ok +up-to-date +in 61d +in 31d/);
    expect(ran.out).toMatch(/data8\/c2 +other +unmanaged +unmanaged +in 30d/);
    expect(ran.err).toBe('instance prod, mode active, last scan 10m ago, next in 5m\n');
    expect(seen.map((one) => one.url)).toEqual([
      '/v1/credentials?state=ok&limit=200',
      '/v1/credentials?state=ok&limit=200&cursor=next+page',
      '/v1/status',
    ]);
    expect(seen[0]?.token).toBeUndefined();
  });

  it('--json prints JSON only, and reads no configuration where a socket is given', async () => {
    answers = { 'GET /v1/credentials': { body: { items: [credential()], nextCursor: null } } };
    const ran = await cli(['status', '--json', '--socket', socket]);
    expect(ran).toMatchObject({ code: 0, err: '', loaded: [] });
    expect(JSON.parse(ran.out)).toEqual({ items: [credential()], nextCursor: null });
  });

  it('exits 1 with what to do where no daemon answers', async () => {
    const ran = await cli(['status', '--socket', join(folder, 'nobody.sock')]);
    expect(ran).toMatchObject({ code: 1, out: '' });
    expect(ran.err).toContain('(ENOENT)');
    expect(ran.err).toContain('rekeyd run');
  });

  it('exits 2 where the configuration has no socket and no URL is given', async () => {
    expect((await cli(['status'])).code).toBe(2);
  });
});

describe('the way to the daemon by URL', () => {
  let tcp: Server;
  let url: string;
  beforeEach(async () => {
    tcp = createServer((request, response) => void answer(request, response));
    await new Promise<void>((resolve) => tcp.listen(0, '127.0.0.1', resolve));
    const address = tcp.address();
    url = `http://127.0.0.1:${typeof address === 'object' ? (address?.port ?? 0) : 0}`;
    answers = { 'GET /v1/credentials': { body: { items: [], nextCursor: null } } };
  });
  afterEach(async () => {
    tcp.closeAllConnections();
    await new Promise((resolve) => tcp.close(resolve));
  });

  it('takes the token from a file, else from REKEYD_TOKEN, and never prints it', async () => {
    const file = join(folder, 'token');
    await writeFile(file, 'from-file\n');
    const byOption = await cli(['status', '--json', '--url', `${url}/`, '--token-file', file]);
    const byEnv = await cli(['status', '--json'], { env: { REKEYD_URL: url, REKEYD_TOKEN: 'from-env' } });
    expect([byOption.code, byEnv.code]).toEqual([0, 0]);
    expect(seen.map((one) => one.token)).toEqual(['Bearer from-file', 'Bearer from-env']);
    expect(byOption.out + byOption.err + byEnv.out + byEnv.err).not.toMatch(/from-/);
  });

  it('tells what the daemon refused', async () => {
    answers = {
      'GET /v1/credentials': {
        status: 401,
        body: { title: 'Unauthorized', detail: 'a token is needed', reason: null },
      },
    };
    const ran = await cli(['status', '--url', url]);
    expect(ran.code).toBe(1);
    expect(ran.err).toContain('401: a token is needed');
    expect(ran.err).toContain('--token-file');
  });

  it('S9: does not follow a redirect with its token', async () => {
    answers = { 'GET /v1/credentials': { status: 307, body: {} } };
    expect((await cli(['status', '--url', url], { env: { REKEYD_TOKEN: 't' } })).code).toBe(1);
    expect(seen).toHaveLength(1);
  });

  it.each(['http://rekeyd.example:8080', 'ftp://x', 'nonsense', 'http://user:hunter2@127.0.0.1:1'])(
    'exits 2 for the URL %s',
    async (bad) => {
      const ran = await cli(['status', '--url', bad], { env: { REKEYD_TOKEN: 'canary' } });
      expect(ran.code).toBe(2);
      expect(ran.err).not.toContain('hunter2');
    },
  );

  it('exits 2 for a token file that is missing or empty', async () => {
    const empty = join(folder, 'empty');
    await writeFile(empty, '\n');
    expect((await cli(['status', '--url', url, '--token-file', empty])).code).toBe(2);
    expect((await cli(['status', '--url', url, '--token-file', join(folder, 'no')])).code).toBe(2);
  });
});

describe('rotate', () => {
  it('triggers with grace and note, and prints the id', async () => {
    answers = { [C1]: { body: credential() }, [ROTATE]: accepted };
    const ran = await cli(['rotate', 'data8/c1', '--grace', '48h', '--note', 'leaked'], onSocket());
    expect(ran).toMatchObject({ code: 0, out: 'r1\n' });
    expect(seen.at(-1)?.body).toEqual({ grace: '2d', note: 'leaked' });
  });

  it('finds a credential by name, and says where a name is ambiguous or unknown', async () => {
    const all = [
      credential(),
      credential({ clientId: 'c2', name: 'twice' }),
      credential({ clientId: 'c3', name: 'twice' }),
    ];
    answers = { 'GET /v1/credentials': { body: { items: all, nextCursor: null } }, [ROTATE]: accepted };
    expect((await cli(['rotate', 'data8/prod-crm'], onSocket())).code).toBe(0);
    expect((await cli(['rotate', 'prod-crm'], onSocket())).code).toBe(0);
    const twice = await cli(['rotate', 'twice'], onSocket());
    expect(twice.code).toBe(2);
    expect(twice.err).toContain('data8/c2');
    expect((await cli(['rotate', 'nobody'], onSocket())).code).toBe(1);
  });

  it('--wait shows each step once and ends with 0 when it is delivered everywhere', async () => {
    const create = { step: 'create', at: '2026-03-01T12:00:01.000Z', outcome: 'ok' } as const;
    const deliver = { step: 'deliver', at: '2026-03-01T12:00:05.000Z', outcome: 'ok' } as const;
    answers = {
      [C1]: { body: credential({ state: 'rotating' }) },
      [ROTATE]: accepted,
      'GET /v1/rotations/r1': [
        { body: rotation() },
        { body: rotation({ steps: [create] }) },
        { body: rotation({ steps: [create, deliver], state: 'grace', deliveredAt: '2026-03-01T12:00:06.000Z' }) },
      ],
    };
    const ran = await cli(['rotate', 'data8/c1', '--wait'], onSocket());
    expect(ran).toMatchObject({ code: 0, out: 'r1\n' });
    expect(ran.err.match(/ {2}create {2}ok/g)).toHaveLength(1);
    expect(ran.err).toContain('delivered everywhere');
  });

  it.each([
    ['abandoned', { rotation: rotation({ state: 'abandoned', error: 'response lost' }), credential: credential() }],
    ['blocked', { rotation: rotation(), credential: credential({ state: 'blocked', reason: 'cap-reached' }) }],
    [
      'failing',
      { rotation: rotation(), credential: credential({ state: 'failing', failures: 1, lastError: 'vault down' }) },
    ],
  ])('--wait ends with 1 when it is %s', async (word, world) => {
    answers = {
      [C1]: [{ body: credential() }, { body: world.credential }],
      [ROTATE]: accepted,
      'GET /v1/rotations/r1': { body: world.rotation },
    };
    const ran = await cli(['rotate', 'data8/c1', '--wait'], onSocket());
    expect(ran.code).toBe(1);
    expect(ran.err).toContain(word);
  });

  it('--wait does not give up for a failure that was there before', async () => {
    const failing = credential({ state: 'failing', failures: 3 });
    answers = {
      [C1]: { body: failing },
      [ROTATE]: accepted,
      'GET /v1/rotations/r1': [
        { body: rotation() },
        { body: rotation({ state: 'grace', deliveredAt: '2026-03-01T12:00:06.000Z' }) },
      ],
    };
    expect((await cli(['rotate', 'data8/c1', '--wait'], onSocket())).code).toBe(0);
  });

  it('--wait ends with 1 when it is out of time', async () => {
    answers = { [C1]: { body: credential() }, [ROTATE]: accepted, 'GET /v1/rotations/r1': { body: rotation() } };
    const ran = await cli(['rotate', 'data8/c1', '--wait', '--timeout', '3s'], onSocket());
    expect(ran.code).toBe(1);
    expect(ran.err).toContain('not delivered everywhere within 3s');
    expect(seen.filter((one) => one.url === '/v1/rotations/r1').length).toBe(4);
  });

  it('a refusal says why and exits 1', async () => {
    answers = {
      [C1]: { body: credential() },
      [ROTATE]: { status: 409, body: { title: 'Conflict', detail: 'it is paused', reason: 'paused' } },
    };
    const ran = await cli(['rotate', 'data8/c1'], onSocket());
    expect(ran).toMatchObject({ code: 1, err: 'rekeyd: the daemon answered 409: it is paused (paused)\n' });
  });
});

describe('pause and resume', () => {
  it('pauses one until a time from now, and everything', async () => {
    const paused = { body: { paused: true, until: '2026-03-02T12:00:00.000Z', note: null } };
    answers = {
      [C1]: { body: credential() },
      'POST /v1/credentials/data8/c1/pause': paused,
      'POST /v1/pause': paused,
      'POST /v1/resume': { body: { paused: false, until: null, note: null } },
    };
    const one = await cli(['pause', 'data8/c1', '--until', '24h', '--note', 'freeze'], onSocket());
    expect(one).toMatchObject({ code: 0, out: 'data8/c1 (prod-crm): paused until 2026-03-02T12:00:00.000Z\n' });
    expect(seen.at(-1)?.body).toEqual({ until: '2026-03-02T12:00:00.000Z', note: 'freeze' });
    expect((await cli(['pause', '--all', '--until', '2026-03-02T12:00:00Z'], onSocket())).code).toBe(0);
    expect(await cli(['resume', '--all'], onSocket())).toMatchObject({ code: 0, out: 'everything: not paused\n' });
    expect(seen.at(-1)).toMatchObject({ url: '/v1/resume', body: {} });
  });
});

describe('scan, retire and forget', () => {
  it('ask the daemon', async () => {
    answers = {
      'POST /v1/scan': { status: 202, body: { scanId: 's1' } },
      'POST /v1/rotations/r1/retire': { status: 202, body: rotation() },
      [C1]: { body: credential() },
      'POST /v1/credentials/data8/c1/forget': { body: credential() },
    };
    expect(await cli(['scan'], onSocket())).toMatchObject({ code: 0, out: 's1\n' });
    expect(await cli(['retire', 'r1'], onSocket())).toMatchObject({ code: 0, out: 'r1\n' });
    expect(await cli(['forget', 'data8/c1', 'local', 'old/entry'], onSocket())).toMatchObject({ code: 0 });
    expect(seen.at(-1)?.body).toEqual({ vault: 'local', entry: 'old/entry' });
  });
});

describe('rekeyd log-level', () => {
  const DEBUG = { level: 'debug', configured: 'info', until: '2030-01-01T00:15:00.000Z' };

  it('shows it, and sets it for a while', async () => {
    answers = {
      'GET /v1/log-level': { body: { level: 'info', configured: 'info', until: null } },
      'PUT /v1/log-level': { body: DEBUG },
    };
    expect(await cli(['log-level', '--socket', socket])).toMatchObject({ code: 0, out: 'info\n' });
    expect(await cli(['log-level', 'debug', '--socket', socket])).toMatchObject({
      code: 0,
      out: 'debug until 2030-01-01T00:15:00.000Z, then info\n',
    });
    expect(seen.at(-1)?.body).toEqual({ level: 'debug' });
    await cli(['log-level', 'debug', '--for', '1h', '--json', '--socket', socket]);
    expect(seen.at(-1)?.body).toMatchObject({ level: 'debug', until: expect.stringMatching(/Z$/) as string });
  });

  it('exits 2 for a level that it does not know, silence included', async () => {
    expect((await cli(['log-level', 'loud', '--socket', socket])).code).toBe(2);
    expect((await cli(['log-level', 'silent', '--socket', socket])).code).toBe(2);
    expect(seen).toEqual([]);
  });
});
