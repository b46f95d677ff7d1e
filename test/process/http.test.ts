import { execFile, spawnSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CredentialView, RotationView, StatusView } from '../../src/daemon/api.ts';
import { seededClientId } from '../../src/emulator/seed.ts';
import type { Running } from './binary.ts';
import { EmulatedIssuer } from './emulated-issuer.ts';
import { ISSUER, settled, Site } from './site.ts';

const KEY = 'http';
const client = (n: number): string => seededClientId(KEY, n);
const one = (n: number): string => `/v1/credentials/data8/${client(n)}`;
const OPERATOR = 'operator-token-0123456789abcdef';
const VIEWER = 'viewer-token-0123456789abcdef';
/** One for each test that changes something, so that none meets what another left behind. */
const [ROTATED, JOINED, PAUSED, RETIRED, FORGOTTEN, BY_COMMAND, BY_CURL, UNMANAGED] = [1, 2, 3, 4, 5, 6, 7, 8];

const config = (destinations: readonly string[]): string => `instance: web
schedule: "* * * * * *"
resync: 2s
ledger: { type: sqlite, path: ./rekeyd.db }
http:
  port: 0
  socket: ./rekeyd.sock
  tokens: [{ name: ci, role: operator, token: ${OPERATOR} }, { name: eyes, role: viewer, token: ${VIEWER} }]
limits: { createsPerDay: 1000, rotationsPerHour: 1000, maxLiveSecrets: 20 }
${ISSUER}vaults:
  local: { type: file, path: ./vault, key: ./vault.key }
  plain: { type: directory, path: ./plain }
policies:
  default: { lifetime: 2h, renewBefore: 1h, grace: 30m, provisional: 20s, verify: { timeout: 8s, settle: 0s } }
credentials:
  - issuer: data8
    match: { description: "{app} (prod)" }
    deliver: [${destinations.join(', ')}]
`;
const LOCAL = '{ vault: local, name: "{app}" }';
const PLAIN = '{ vault: plain, name: "{app}.json" }';

let issuer: EmulatedIssuer;
let site: Site;
let daemon: Running;
let url: string;

beforeAll(async () => {
  issuer = await EmulatedIssuer.start({
    seed: {
      key: KEY,
      groups: [
        { credentials: 7, description: 'app-{n} (prod)', secretDescription: 'made by hand' },
        { credentials: 1, description: 'somebody else', secretDescription: 'made by hand' },
      ],
    },
  });
  site = await Site.open(issuer.env, config([LOCAL, PLAIN]));
  await start();
  const waiting = await settled(async () => {
    // eight of ours, and the issuer's own client
    const states = (await site.credentials()).map((each) => `${each.name} ${each.state}`);
    return states.length === 9 ? states.filter((each) => !/ ok$|unmanaged$/.test(each)) : ['not all are known'];
  }, 30_000);
  expect(waiting).toEqual([]);
}, 60_000);

afterAll(async () => {
  await site.close();
  await issuer.stop();
});

async function start(): Promise<void> {
  daemon = await site.start();
  url = /"url":"([^"]+)"/.exec(daemon.out)?.[1] ?? '';
}

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, unknown>;
}

async function call(method: string, path: string, body?: unknown, token: string | null = OPERATOR): Promise<Answer> {
  const response = await fetch(`${url}${path}`, {
    method,
    headers: {
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  const isJson = /json/.test(response.headers.get('content-type') ?? '');
  return {
    status: response.status,
    headers: response.headers,
    body: isJson ? (JSON.parse(text) as Answer['body']) : { text },
  };
}

/** Triggers a rotation, and waits until it is delivered everywhere. */
async function rotate(n: number, body: object = {}): Promise<RotationView> {
  const { status, body: answer } = await call('POST', `${one(n)}/rotate`, body);
  expect(status, JSON.stringify(answer)).toBe(202);
  return delivered(String(answer['rotationId']));
}

async function delivered(id: string): Promise<RotationView> {
  let view: RotationView | null = null;
  const late = await settled(async () => {
    view = (await call('GET', `/v1/rotations/${id}`)).body as unknown as RotationView;
    return view.deliveredAt === null ? [`rotation ${id} is ${view.state}: ${view.error ?? ''}`] : [];
  }, 20_000);
  expect(late).toEqual([]);
  return view as unknown as RotationView;
}

async function credential(n: number): Promise<CredentialView> {
  return (await call('GET', one(n))).body as unknown as CredentialView;
}

describe('reading', () => {
  it('health and metrics need no token', async () => {
    for (const path of ['/livez', '/healthz'])
      expect((await call('GET', path, undefined, null)).body).toEqual({ status: 'ok' });
    expect(await call('GET', '/readyz', undefined, null)).toMatchObject({
      status: 200,
      body: { status: 'ok', reasons: [] },
    });
    const { status, headers, body } = await call('GET', '/metrics', undefined, null);
    expect(status).toBe(200);
    expect(headers.get('content-type')).toMatch(/^text\/plain/);
    const text = String(body['text']);
    expect(text).toMatch(
      new RegExp(
        `^rekeyd_credential_expires_timestamp_seconds\\{[^}]*credential="${client(ROTATED)}"[^}]*\\} \\d+`,
        'm',
      ),
    );
    expect(text).toMatch(/^rekeyd_credentials\{issuer="data8",state="unmanaged"\} \d+/m);
    expect(text).toMatch(/^rekeyd_issuer_requests_total\{issuer="data8",operation="\w+",outcome="ok"\} \d+/m);
    expect(text).toMatch(/^rekeyd_deliveries_total\{vault="local",outcome="ok"\} [1-9]/m);
    expect(text).toMatch(/^rekeyd_scan_last_success_timestamp_seconds\{issuer="data8"\} \d+/m);
    expect(text).toMatch(/^process_cpu_seconds_total/m);
  });

  it('the status, by token and by socket', async () => {
    const { status, body } = await call('GET', '/v1/status', undefined, VIEWER);
    expect(status).toBe(200);
    const view = body as unknown as StatusView;
    expect(view).toMatchObject({ instance: 'web', mode: 'active', paused: { paused: false, until: null, note: null } });
    expect(view.credentials.unmanaged).toBeGreaterThanOrEqual(1);
    expect(Date.parse(view.nextScan ?? '')).toBeGreaterThan(Date.now() - 2_000);
    expect(view.lastScan?.error).toBeNull();
    expect(view.breakers).toEqual([{ issuer: 'data8', open: false, until: null }]);
    expect((await site.ask('GET', '/v1/status')).status).toBe(200);
  });

  it('credentials, by page and by state', async () => {
    const first = await call('GET', '/v1/credentials?limit=5', undefined, VIEWER);
    const { items, nextCursor } = first.body as { items: CredentialView[]; nextCursor: string };
    expect(items).toHaveLength(5);
    const second = await call(
      'GET',
      `/v1/credentials?limit=5&cursor=${encodeURIComponent(nextCursor)}`,
      undefined,
      VIEWER,
    );
    const rest = second.body as { items: CredentialView[]; nextCursor: string | null };
    expect(rest.nextCursor).toBeNull();
    const all = [...items, ...rest.items].map((each) => each.clientId);
    expect(new Set(all).size).toBe(all.length);
    expect(all).toEqual(expect.arrayContaining([1, 2, 3, 4, 5, 6, 7, 8].map(client)));
    const unmanaged = await call('GET', '/v1/credentials?state=unmanaged&issuer=data8', undefined, VIEWER);
    expect((unmanaged.body['items'] as CredentialView[]).map((each) => each.clientId)).toContain(client(UNMANAGED));
    expect((unmanaged.body['items'] as CredentialView[]).every((each) => each.state === 'unmanaged')).toBe(true);
  });

  it('one credential, with its secrets and destinations', async () => {
    const view = await credential(BY_CURL);
    expect(view).toMatchObject({
      issuer: 'data8',
      clientId: client(BY_CURL),
      name: 'app-000007-prod',
      description: 'app-000007 (prod)',
      policy: 'default',
      failures: 0,
      lastError: null,
      pausedUntil: null,
    });
    expect(view.destinations.map(({ vault, entry, state, error }) => ({ vault, entry, state, error }))).toEqual([
      { vault: 'local', entry: 'app-000007', state: 'served', error: null },
      { vault: 'plain', entry: 'app-000007.json', state: 'served', error: null },
    ]);
    const roles = new Map(view.secrets.map((each) => [each.secretId, each.role]));
    expect(roles.get(view.current?.secretId ?? '')).toBe('current');
    expect([...roles.values()].filter((role) => role === 'unmanaged')).toHaveLength(1);
    for (const text of [view.renewAt, view.current?.expires])
      expect(text).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  });
});

describe('who may', () => {
  it('a viewer reads and acts not; without a token, or with a wrong one, nobody does', async () => {
    for (const path of ['/v1/scan', '/v1/pause', '/v1/resume', `${one(ROTATED)}/rotate`, `${one(ROTATED)}/forget`]) {
      expect((await call('POST', path, undefined, VIEWER)).status, path).toBe(403);
      expect((await call('POST', path, undefined, null)).status, path).toBe(401);
      expect((await call('POST', path, undefined, `${OPERATOR}x`)).status, path).toBe(401);
    }
    for (const path of ['/v1/status', '/v1/credentials', one(ROTATED), '/v1/rotations']) {
      expect((await call('GET', path, undefined, VIEWER)).status, path).toBe(200);
      expect((await call('GET', path, undefined, null)).status, path).toBe(401);
    }
  });
});

describe('what is refused', () => {
  it.each([
    ['GET', '/v1/nothing', undefined, 404],
    ['GET', '/v1/credentials/data8/nobody', undefined, 404],
    ['GET', `/v1/credentials/elsewhere/${client(1)}`, undefined, 404],
    ['GET', '/v1/rotations/01890000-0000-7000-8000-000000000000', undefined, 404],
    ['POST', '/v1/credentials/data8/nobody/rotate', {}, 404],
    ['POST', '/v1/credentials/data8/nobody/pause', {}, 404],
    ['POST', '/v1/credentials/data8/nobody/resume', {}, 404],
    ['POST', '/v1/credentials/data8/nobody/forget', { vault: 'local', entry: 'x' }, 404],
    ['POST', '/v1/rotations/01890000-0000-7000-8000-000000000000/retire', {}, 404],
    ['POST', `${one(1)}/forget`, { vault: 'local', entry: 'never' }, 404],
    ['POST', `${one(1)}/forget`, { vault: 'local', entry: 'app-000001' }, 409],
    ['POST', `${one(UNMANAGED)}/rotate`, {}, 409],
    ['GET', '/v1/credentials?state=nonsense', undefined, 400],
    ['GET', '/v1/credentials?limit=0', undefined, 400],
    ['GET', '/v1/credentials?limit=1001', undefined, 400],
    ['GET', '/v1/credentials?cursor=nonsense', undefined, 400],
    ['GET', '/v1/rotations?state=ok', undefined, 400],
    ['POST', `${one(1)}/rotate`, { grace: 'soon' }, 400],
    ['POST', `${one(1)}/rotate`, { notes: 'x' }, 400],
    ['POST', `${one(1)}/rotate`, { note: 'x'.repeat(501) }, 400],
    ['POST', `${one(1)}/rotate`, '{"note":', 400],
    ['POST', `${one(1)}/pause`, { until: '2020-01-01T00:00:00Z' }, 400],
    ['POST', `${one(1)}/forget`, {}, 400],
    ['DELETE', one(1), undefined, 405],
    ['GET', '/v1/scan', undefined, 405],
  ] as const)('%s %s %o: %i', async (method, path, body, status) => {
    const answer = await call(method, path, body);
    expect(answer.status, JSON.stringify(answer.body)).toBe(status);
    expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(answer.body).toMatchObject({ status, type: expect.stringMatching(/^urn:rekeyd:problem:/) as string });
  });

  it('says why a credential without a rule is not rotated', async () => {
    const { body } = await call('POST', `${one(UNMANAGED)}/rotate`, {});
    expect(body).toMatchObject({ status: 409, reason: 'unmanaged' });
  });
});

describe('acting', () => {
  it('rotate: 202 with its place, and every step with its time; in grace a new one', async () => {
    const before = await credential(ROTATED);
    const answer = await call('POST', `${one(ROTATED)}/rotate`, { note: 'seen in a chat', grace: '20m' });
    expect(answer).toMatchObject({ status: 202, body: { grace: '20m' } });
    const id = String(answer.body['rotationId']);
    expect(answer.headers.get('location')).toBe(`/v1/rotations/${id}`);
    const done = await delivered(id);
    expect(done).toMatchObject({
      issuer: 'data8',
      clientId: client(ROTATED),
      trigger: 'manual',
      reason: 'manual',
      note: 'seen in a chat',
      actor: 'ci',
      state: 'grace',
      supersedes: [before.current?.secretId],
      error: null,
    });
    expect(done.generation).toBeGreaterThan(before.current?.generation ?? 0);
    expect(done.steps.map(({ step, outcome }) => `${step} ${outcome}`)).toEqual([
      'intend ok',
      'create ok',
      'verify ok',
      'extend ok',
      'deliver ok',
      'settle ok',
    ]);
    expect(Date.parse(done.deleteAfter ?? '') - Date.parse(done.deliveredAt ?? '')).toBe(20 * 60_000);
    const after = await credential(ROTATED);
    expect(after).toMatchObject({ state: 'grace', current: { secretId: done.secretId, generation: done.generation } });
    expect(after.secrets.find((each) => each.secretId === before.current?.secretId)).toMatchObject({
      role: 'superseded',
      deleteAfter: done.deleteAfter,
    });
    expect((await rotate(ROTATED)).id).not.toBe(id);
    const { body } = await call('GET', `/v1/rotations?issuer=data8&clientId=${client(ROTATED)}`, undefined, VIEWER);
    const history = (body['items'] as RotationView[]).map((each) => each.generation);
    expect(history).toEqual([...history].sort((a, b) => b - a));
    expect(history.length).toBeGreaterThanOrEqual(3);
  });

  it('rotate again while one is in flight: the same, and a shorter grace is taken over', async () => {
    issuer.faults({ acceptAfter: 2_000 });
    const first = await call('POST', `${one(JOINED)}/rotate`, {});
    const second = await call('POST', `${one(JOINED)}/rotate`, { grace: '5m' });
    const third = await call('POST', `${one(JOINED)}/rotate`, { grace: '10m' });
    issuer.faults({});
    expect(first.body).toMatchObject({ grace: '30m' });
    expect(second).toMatchObject({ status: 202, body: { rotationId: first.body['rotationId'], grace: '5m' } });
    expect(third).toMatchObject({ status: 202, body: { rotationId: first.body['rotationId'], grace: '5m' } });
    const done = await delivered(String(first.body['rotationId']));
    expect(Date.parse(done.deleteAfter ?? '') - Date.parse(done.deliveredAt ?? '')).toBe(5 * 60_000);
  });

  it('pause and resume one', async () => {
    const paused = await call('POST', `${one(PAUSED)}/pause`, { until: '24h', note: 'change freeze' });
    expect(paused).toMatchObject({ status: 200, body: { paused: true, note: 'change freeze' } });
    expect(Date.parse(String(paused.body['until'])) - Date.now()).toBeGreaterThan(23 * 3_600_000);
    expect(await credential(PAUSED)).toMatchObject({
      state: 'paused',
      reason: 'paused',
      pausedUntil: paused.body['until'],
    });
    expect(await call('POST', `${one(PAUSED)}/rotate`, {})).toMatchObject({ status: 409, body: { reason: 'paused' } });
    const resumed = await call('POST', `${one(PAUSED)}/resume`);
    expect(resumed).toMatchObject({ status: 200, body: { paused: false, until: null } });
    await rotate(PAUSED);
  });

  it('pause and resume everything', async () => {
    expect(await call('POST', '/v1/pause', { note: 'all hands' })).toMatchObject({
      status: 200,
      body: { paused: true },
    });
    try {
      const { body } = await call('GET', '/v1/status');
      expect(body).toMatchObject({ paused: { paused: true, until: null, note: 'all hands' } });
      expect(await credential(PAUSED)).toMatchObject({ state: 'paused' });
      expect(await call('POST', `${one(PAUSED)}/rotate`, {})).toMatchObject({
        status: 409,
        body: { reason: 'paused' },
      });
    } finally {
      expect(await call('POST', '/v1/resume')).toMatchObject({ status: 200, body: { paused: false } });
    }
    await rotate(PAUSED);
  });

  it('retire: ends the grace; the old secret goes, and a second time there is nothing to end', async () => {
    const old = (await credential(RETIRED)).current?.secretId;
    const { id } = await rotate(RETIRED);
    const answer = await call('POST', `/v1/rotations/${id}/retire`);
    expect(answer).toMatchObject({ status: 202, body: { id } });
    const left = await settled(async () => {
      const { body } = await call('GET', `/v1/rotations/${id}`);
      return body['state'] === 'done' ? [] : [String(body['state'])];
    }, 15_000);
    expect(left).toEqual([]);
    const truth = issuer.truth();
    expect(truth.find((each) => String(each.clientSecretId) === old)?.deleted).not.toBeNull();
    expect(truth.filter((each) => each.description === 'made by hand' && each.deleted !== null)).toEqual([]);
    expect((await call('POST', `/v1/rotations/${id}/retire`)).status).toBe(409);
  });

  it('scan', async () => {
    const answer = await call('POST', '/v1/scan');
    expect(answer).toMatchObject({ status: 202, body: { scanId: expect.stringMatching(/^[0-9a-f-]{36}$/) as string } });
  });

  it('by the command line: over the socket, and over the port with a token', async () => {
    const rotated = await site.run([
      'rotate',
      `data8/${client(BY_COMMAND)}`,
      '--wait',
      '--note',
      'by hand',
      '--timeout',
      '20s',
    ]);
    expect(rotated.code, rotated.err).toBe(0);
    expect(rotated.err).toContain('delivered everywhere');
    expect((await call('GET', `/v1/rotations/${rotated.out.trim()}`)).body).toMatchObject({
      actor: 'socket',
      note: 'by hand',
    });

    await writeFile(site.path('token'), `${OPERATOR}\n`);
    const way = ['--url', url, '--token-file', site.path('token')];
    expect((await site.run(['pause', 'app-000006-prod', '--until', '2h', ...way])).code).toBe(0);
    expect(await credential(BY_COMMAND)).toMatchObject({ state: 'paused' });
    const held = await site.run(['rotate', 'app-000006-prod', '--wait', ...way]);
    expect(held.code).toBe(1);
    expect(held.err).toContain('paused');
    expect((await site.run(['resume', 'app-000006-prod', ...way])).code).toBe(0);
    expect((await site.run(['rotate', 'app-000006-prod', '--wait', '--timeout', '20s', ...way])).code).toBe(0);
    const status = await site.run(['status', '--json', ...way]);
    expect(JSON.parse(status.out)).toEqual(expect.anything());
    await writeFile(site.path('token'), VIEWER);
    expect((await site.run(['rotate', 'app-000006-prod', ...way])).code).toBe(1);
  }, 60_000);
});

describe.skipIf(spawnSync('curl', ['--version']).status !== 0)('docs/http.md', async () => {
  const page = await readFile(new URL('../../docs/http.md', import.meta.url), 'utf8');
  const examples = [...page.matchAll(/^```sh\n# run: (\w+)\n(.*?)^```/gms)].map(([, name = '', script = '']) => ({
    name,
    script,
  }));

  it('has its examples', () => {
    expect(examples.map((each) => each.name)).toEqual(['socket', 'port', 'credential', 'bulk']);
  });

  it.each(examples)('the examples of $name work', async ({ script }) => {
    const env = {
      PATH: process.env['PATH'] ?? '',
      REKEYD_SOCKET: site.socket,
      REKEYD_URL: url,
      REKEYD_TOKEN: OPERATOR,
      ISSUER: 'data8',
      CLIENT_ID: client(BY_CURL),
    };
    const { stdout } = await promisify(execFile)('sh', ['-e', '-u', '-c', script], { env });
    // each line of an example is a call that answers with JSON
    expect(stdout.startsWith('{')).toBe(true);
  });
});

describe('forget', () => {
  it('a former destination holds deletions back until it is forgotten', async () => {
    daemon.kill('SIGTERM');
    expect((await daemon.ended()).code).toBe(0);
    await site.configure(config([LOCAL]));
    await start();
    const place = { vault: 'plain', entry: 'app-000005.json' };
    const find = (view: CredentialView) => view.destinations.find((each) => each.vault === 'plain');
    const seen = await settled(
      async () => (find(await credential(FORGOTTEN))?.former === true ? [] : ['not seen yet']),
      15_000,
    );
    expect(seen).toEqual([]);
    const old = (await credential(FORGOTTEN)).current?.secretId;
    const { id } = await rotate(FORGOTTEN, { grace: '0s' });
    const isDeleted = async (): Promise<boolean> =>
      issuer.truth().find((each) => String(each.clientSecretId) === old)?.deleted !== null;
    // the file that no rule names any more still serves it
    expect(
      await settled(async () => ((await credential(FORGOTTEN)).state === 'grace' ? [] : ['not in grace']), 10_000),
    ).toEqual([]);
    expect(await isDeleted()).toBe(false);
    const forgotten = await call('POST', `${one(FORGOTTEN)}/forget`, place);
    expect(forgotten.status).toBe(200);
    expect(find(forgotten.body as unknown as CredentialView)).toBeUndefined();
    expect((await call('POST', `${one(FORGOTTEN)}/forget`, place)).status).toBe(404);
    expect(await settled(async () => ((await isDeleted()) ? [] : ['not deleted']), 15_000)).toEqual([]);
    const rotation = (await call('GET', `/v1/rotations/${id}`)).body;
    expect(['grace', 'done']).toContain(rotation['state']);
  }, 60_000);
});
