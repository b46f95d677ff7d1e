import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CredentialView, StatusView } from '../../src/daemon/api.ts';
import { REASONS } from '../../src/domain/reason.ts';
import { OUTCOMES } from '../../src/domain/rotation-state.ts';
import { client, HttpSite, one, OPERATOR, UNMANAGED, VIEWER } from './http-site.ts';

let on: HttpSite;

beforeAll(async () => {
  on = await HttpSite.open();
}, 60_000);
afterAll(() => on.close());

/** Every value of a label in a text of Prometheus. */
function labels(text: string, name: string): string[] {
  return [...text.matchAll(new RegExp(`[{,]${name}="([^"]*)"`, 'g'))].map(([, value = '']) => value);
}

describe('reading', () => {
  it('health and metrics need no token', async () => {
    for (const path of ['/livez', '/healthz'])
      expect((await on.call('GET', path, undefined, null)).body).toEqual({ status: 'ok' });
    expect(await on.call('GET', '/readyz', undefined, null)).toMatchObject({
      status: 200,
      body: { status: 'ok', reasons: [] },
    });
    const { status, headers, body } = await on.call('GET', '/metrics', undefined, null);
    expect(status).toBe(200);
    expect(headers.get('content-type')).toMatch(/^text\/plain/);
    const text = String(body['text']);
    expect(text).toMatch(
      new RegExp(`^rekeyd_credential_expires_timestamp_seconds\\{[^}]*credential="${client(1)}"[^}]*\\} \\d+`, 'm'),
    );
    expect(text).toMatch(/^rekeyd_credentials\{issuer="data8",state="unmanaged"\} \d+/m);
    expect(text).toMatch(/^rekeyd_issuer_requests_total\{issuer="data8",operation="\w+",outcome="ok"\} \d+/m);
    expect(text).toMatch(/^rekeyd_deliveries_total\{vault="local",outcome="ok"\} [1-9]/m);
    expect(text).toMatch(/^rekeyd_scan_last_success_timestamp_seconds\{issuer="data8"\} \d+/m);
    expect(text).toMatch(/^process_cpu_seconds_total/m);
    expect(labels(text, 'outcome')).toContain('ok');
    expect(labels(text, 'outcome').filter((outcome) => !new Set<string>(OUTCOMES).has(outcome))).toEqual([]);
    expect(labels(text, 'reason').filter((reason) => !new Set<string>(REASONS).has(reason))).toEqual([]);
  });

  it('the status, by token and by socket', async () => {
    const { status, body } = await on.call('GET', '/v1/status', undefined, VIEWER);
    expect(status).toBe(200);
    const view = body as unknown as StatusView;
    expect(view).toMatchObject({ instance: 'web', mode: 'active', paused: { paused: false, until: null, note: null } });
    expect(view.credentials.unmanaged).toBeGreaterThanOrEqual(1);
    expect(Date.parse(view.nextScan ?? '')).toBeGreaterThan(Date.now() - 2_000);
    expect(view.lastScan?.error).toBeNull();
    expect(view.breakers).toEqual([{ issuer: 'data8', open: false, until: null }]);
    expect((await on.site.ask('GET', '/v1/status')).status).toBe(200);
  });

  it('credentials, by page and by state', async () => {
    const first = await on.call('GET', '/v1/credentials?limit=5', undefined, VIEWER);
    const { items, nextCursor } = first.body as { items: CredentialView[]; nextCursor: string };
    expect(items).toHaveLength(5);
    const second = await on.call(
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
    const unmanaged = await on.call('GET', '/v1/credentials?state=unmanaged&issuer=data8', undefined, VIEWER);
    expect((unmanaged.body['items'] as CredentialView[]).map((each) => each.clientId)).toContain(client(UNMANAGED));
    expect((unmanaged.body['items'] as CredentialView[]).every((each) => each.state === 'unmanaged')).toBe(true);
  });

  it('one credential, with its secrets and destinations', async () => {
    const view = await on.credential(7);
    expect(view).toMatchObject({
      issuer: 'data8',
      clientId: client(7),
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
    for (const path of ['/v1/scan', '/v1/pause', '/v1/resume', `${one(1)}/rotate`, `${one(1)}/forget`]) {
      expect((await on.call('POST', path, undefined, VIEWER)).status, path).toBe(403);
      expect((await on.call('POST', path, undefined, null)).status, path).toBe(401);
      expect((await on.call('POST', path, undefined, `${OPERATOR}x`)).status, path).toBe(401);
    }
    for (const path of ['/v1/status', '/v1/credentials', one(1), '/v1/rotations']) {
      expect((await on.call('GET', path, undefined, VIEWER)).status, path).toBe(200);
      expect((await on.call('GET', path, undefined, null)).status, path).toBe(401);
    }
  });

  it('S4: strangers who try, time and again, are in the log, but cannot push other events out of the stream', async () => {
    for (let n = 0; n < 60; n += 1) expect((await on.call('POST', '/v1/bulk', undefined, null)).status).toBe(401);
    expect((await on.call('POST', '/v1/bulk/preview', { match: 'nobody' })).status).toBe(200);
    await on.daemon.until(/"act":"POST \/v1\/bulk\/preview"/);
    const tries = (text: string): number => text.split('"act":"POST /v1/bulk"').length - 1;
    expect(tries(on.daemon.out)).toBe(60);
    const told = tries(await keptEvents('"act":"POST /v1/bulk/preview"'));
    expect(told).toBeLessThanOrEqual(10);
  });
});

/** What `GET /v1/events` has kept, as far as the first that holds `end`. */
async function keptEvents(end: string): Promise<string> {
  const headers = { authorization: `Bearer ${VIEWER}`, 'last-event-id': 'another-1' };
  const { body } = await fetch(`${on.url}/v1/events`, { headers });
  const decoder = new TextDecoder();
  let text = '';
  for await (const piece of body!) {
    text += decoder.decode(piece as Uint8Array, { stream: true });
    if (text.includes(end)) return text;
  }
  throw new Error(`the stream ended without ${end}: ${text.slice(-1_000)}`);
}

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
    const answer = await on.call(method, path, body);
    expect(answer.status, JSON.stringify(answer.body)).toBe(status);
    expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(answer.body).toMatchObject({ status, type: expect.stringMatching(/^urn:rekeyd:problem:/) as string });
  });

  it('says why a credential without a rule is not rotated', async () => {
    const { body } = await on.call('POST', `${one(UNMANAGED)}/rotate`, {});
    expect(body).toMatchObject({ status: 409, reason: 'unmanaged' });
  });
});
