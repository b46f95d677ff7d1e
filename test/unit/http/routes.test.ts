import { describe, expect, it } from 'vitest';
import { Refusal } from '../../../src/daemon/api.ts';
import type { RotateRequest } from '../../../src/daemon/api.ts';
import { CREDENTIAL_STATES } from '../../../src/domain/credential-state.ts';
import { LedgerError } from '../../../src/domain/errors.ts';
import { DAY, formatInstant, HOUR } from '../../../src/domain/time.ts';
import { CREDENTIAL, json, NOW, problemOf, ROTATION, ROTATION_ID, serve, STATUS } from './fake-daemon.ts';

const KEY = { issuer: 'data8', clientId: 'client-1' };
const ONE = '/v1/credentials/data8/client-1';
const { internal, ...PUBLIC_CREDENTIAL } = CREDENTIAL;

describe('health', () => {
  it.each(['/livez', '/healthz'])('%s says ok and asks the daemon nothing', async (path) => {
    await using http = await serve();
    const response = await http.ask(path, {}, null);
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ status: 'ok' });
    expect(http.calls).toEqual([]);
  });

  it('readyz is 200, or 503 with the reasons', async () => {
    await using ready = await serve();
    const yes = await ready.ask('/readyz', {}, null);
    expect([yes.status, await yes.json()]).toEqual([200, { status: 'ok', reasons: [] }]);
    await using unready = await serve({}, { unready: () => Promise.resolve(['the ledger is not open']) });
    const no = await unready.ask('/readyz', {}, null);
    expect([no.status, await no.json()]).toEqual([503, { status: 'unready', reasons: ['the ledger is not open'] }]);
  });

  it('metrics are text', async () => {
    await using http = await serve();
    const response = await http.ask('/metrics', {}, null);
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(await response.text()).toBe('rekeyd_up 1\n');
  });

  it('answers HEAD as GET without body', async () => {
    await using http = await serve();
    for (const path of ['/livez', '/readyz', '/metrics', '/v1/status', '/v1/credentials']) {
      const response = await http.ask(path, { method: 'HEAD' });
      expect([path, response.status, await response.text()]).toEqual([path, 200, '']);
    }
  });
});

describe('reading', () => {
  it('tells the status', async () => {
    await using http = await serve();
    expect(await (await http.ask('/v1/status')).json()).toEqual(STATUS);
  });

  it('lists credentials by page and filter, and lets no unlisted key out', async () => {
    await using http = await serve();
    const response = await http.ask('/v1/credentials');
    expect(await response.json()).toEqual({ items: [PUBLIC_CREDENTIAL], nextCursor: 'next' });
    await http.ask('/v1/credentials?state=failing&issuer=data8&limit=1000&cursor=abc');
    expect(http.calls).toEqual([
      ['credentials', {}, 100, null],
      ['credentials', { state: 'failing', issuer: 'data8' }, 1000, 'abc'],
    ]);
    for (const state of CREDENTIAL_STATES) expect((await http.ask(`/v1/credentials?state=${state}`)).status).toBe(200);
  });

  it('shows one credential, or 404', async () => {
    await using http = await serve();
    const text = await (await http.ask(ONE)).text();
    expect(JSON.parse(text)).toEqual(PUBLIC_CREDENTIAL);
    expect(text).not.toContain(internal);
    expect(http.calls).toEqual([['credential', KEY]]);
    await using empty = await serve({}, { credential: () => Promise.resolve(null) });
    const missing = await empty.ask(ONE);
    expect(missing.status).toBe(404);
    await problemOf(missing);
  });

  it('takes a percent-encoded clientId', async () => {
    await using http = await serve();
    expect((await http.ask('/v1/credentials/data8/a%20b%25%3F%C3%A9%F0%9F%94%91')).status).toBe(200);
    expect(http.calls).toEqual([['credential', { issuer: 'data8', clientId: 'a b%?é🔑' }]]);
  });

  it('lists rotations by page and filter', async () => {
    await using http = await serve();
    const response = await http.ask('/v1/rotations?issuer=data8&clientId=client-1&state=grace&limit=1');
    expect(await response.json()).toEqual({ items: [ROTATION], nextCursor: null });
    expect(http.calls).toEqual([['rotations', { ...KEY, state: 'grace' }, 1, null]]);
  });

  it('shows one rotation, or 404', async () => {
    await using http = await serve();
    expect(await (await http.ask(`/v1/rotations/${ROTATION_ID}`)).json()).toEqual(ROTATION);
    await using empty = await serve({}, { rotation: () => Promise.resolve(null) });
    expect((await problemOf(await empty.ask('/v1/rotations/nonsense')))['status']).toBe(404);
  });
});

describe('acting', () => {
  it('starts a scan', async () => {
    await using http = await serve();
    const response = await http.ask('/v1/scan', { method: 'POST' });
    expect([response.status, await response.json()]).toEqual([202, { scanId: 'scan-1' }]);
  });

  it('rotates, without or with a body', async () => {
    await using http = await serve();
    const response = await http.ask(`${ONE}/rotate`, { method: 'POST' });
    expect(response.status).toBe(202);
    expect(response.headers.get('location')).toBe(`/v1/rotations/${ROTATION_ID}`);
    expect(await response.json()).toEqual({ rotationId: ROTATION_ID, grace: '14d' });
    for (const body of [{ note: ' leaked in chat ', grace: '36h' }, { note: null, grace: null }, {}, '']) {
      expect((await http.ask(`${ONE}/rotate`, json(body))).status).toBe(202);
    }
    expect(http.calls).toEqual([
      ['rotate', KEY, { note: null, grace: null, actor: 'ci' }],
      ['rotate', KEY, { note: 'leaked in chat', grace: 36 * HOUR, actor: 'ci' }],
      ...Array.from({ length: 3 }, () => ['rotate', KEY, { note: null, grace: null, actor: 'ci' }]),
    ]);
  });

  it('passes an Idempotency-Key on as digests of key and caller, and of the body', async () => {
    await using http = await serve();
    const rotate = async (key: string, body: unknown): Promise<number> => {
      const init = json(body);
      const headers = { 'content-type': 'application/json', 'idempotency-key': key };
      return (await http.ask(`${ONE}/rotate`, { ...init, headers })).status;
    };
    expect(await rotate('deploy 7', { grace: '24h' })).toBe(202);
    expect(await rotate('deploy 7', { grace: '1d', note: ' ' })).toBe(202);
    expect(await rotate('deploy 7', { grace: '25h' })).toBe(202);
    expect(await rotate('deploy 8', { grace: '25h' })).toBe(202);
    const [first, same, body, key] = http.calls.map(([, , request]) => (request as RotateRequest).once);
    expect(first?.key).toMatch(/^[0-9a-f]{64}$/);
    expect(same).toEqual(first);
    expect([body?.key === first?.key, body?.body === first?.body]).toEqual([true, false]);
    expect([key?.key === body?.key, key?.body === body?.body]).toEqual([false, true]);
    for (const bad of ['', 'x'.repeat(256), 'é']) expect([bad, await rotate(bad, {})]).toEqual([bad, 400]);
  });

  it('takes a grace of nothing', async () => {
    await using http = await serve();
    await http.ask(`${ONE}/rotate`, json({ grace: '0s' }));
    expect(http.calls).toEqual([['rotate', KEY, { note: null, grace: 0, actor: 'ci' }]]);
  });

  it('pauses and resumes one or everything, until a time or for a while', async () => {
    await using http = await serve();
    const paused = await http.ask(`${ONE}/pause`, json({ until: '24h', note: 'freeze' }));
    expect([paused.status, await paused.json()]).toEqual([200, { paused: true, until: null, note: null }]);
    await http.ask('/v1/pause', json({ until: formatInstant(NOW + DAY) }));
    await http.ask('/v1/pause', json({ until: '2030-01-01T03:00:00+02:00' }));
    await http.ask('/v1/pause', json({ until: '2030-01-01t01:00:00z' }));
    await http.ask('/v1/pause', { method: 'POST' });
    const resumed = await http.ask(`${ONE}/resume`, { method: 'POST' });
    expect([resumed.status, await resumed.json()]).toEqual([200, { paused: false, until: null, note: null }]);
    await http.ask('/v1/resume', json({}));
    // the body of the pause may be sent again, also when its end is past
    for (const path of [`${ONE}/resume`, '/v1/resume']) {
      const again = await http.ask(path, json({ until: '2029-12-31T00:00:00Z', note: 'thawed' }));
      expect([path, again.status]).toEqual([path, 200]);
    }
    expect(http.calls).toEqual([
      ['pause', KEY, { until: NOW + DAY, note: 'freeze', actor: 'ci' }],
      ['pause', null, { until: NOW + DAY, note: null, actor: 'ci' }],
      ['pause', null, { until: NOW + HOUR, note: null, actor: 'ci' }],
      ['pause', null, { until: NOW + HOUR, note: null, actor: 'ci' }],
      ['pause', null, { until: null, note: null, actor: 'ci' }],
      ['resume', KEY, 'ci'],
      ['resume', null, 'ci'],
      ['resume', KEY, 'ci'],
      ['resume', null, 'ci'],
    ]);
  });

  it('ends a grace', async () => {
    await using http = await serve();
    const response = await http.ask(`/v1/rotations/${ROTATION_ID}/retire`, { method: 'POST' });
    expect([response.status, await response.json()]).toEqual([202, ROTATION]);
    expect(http.calls).toEqual([['retire', ROTATION_ID, 'ci']]);
  });

  it('forgets a destination', async () => {
    await using http = await serve();
    const response = await http.ask(`${ONE}/forget`, json({ vault: 'aws', entry: 'prod/data8/crm' }));
    expect([response.status, await response.json()]).toEqual([200, PUBLIC_CREDENTIAL]);
    expect(http.calls).toEqual([['forget', KEY, { vault: 'aws', entry: 'prod/data8/crm' }, 'ci']]);
  });

  it('tells the log who asked for what', async () => {
    await using http = await serve();
    await http.ask(`${ONE}/rotate`, { method: 'POST' });
    expect(http.lines.map((line) => JSON.parse(line) as unknown)).toContainEqual(
      expect.objectContaining({ level: 'info', event: 'http-rotate', actor: 'ci', ...KEY }),
    );
  });
});

describe('refusals of the daemon', () => {
  it.each([
    [new Refusal('not-found', 'no rule matches it'), 404, 'not-found', null],
    [new Refusal('conflict', 'it is paused', { reason: 'paused' }), 409, 'conflict', null],
    [new Refusal('too-soon', 'just done', { retryAfter: 29.2 }), 429, 'too-soon', '30'],
    [new Refusal('too-soon', 'just done'), 429, 'too-soon', '1'],
    [new Refusal('key-reused', 'take a new key'), 422, 'key-reused', null],
    [new Refusal('invalid', 'the grace is longer than the life'), 400, 'invalid', null],
  ])('%s', async (refusal, status, name, retryAfter) => {
    await using http = await serve({}, { rotate: () => Promise.reject(refusal) });
    const response = await http.ask(`${ONE}/rotate`, { method: 'POST' });
    expect(response.status).toBe(status);
    expect(response.headers.get('retry-after')).toBe(retryAfter);
    const problem = await problemOf(response);
    expect(problem).toMatchObject({ type: `urn:rekeyd:problem:${name}`, detail: refusal.message });
    expect(problem['reason']).toBe(refusal.reason ?? undefined);
  });
});

describe('cursors', () => {
  const foreign = () => Promise.reject(new LedgerError('the cursor is not of this listing'));

  it.each(['credentials', 'rotations'] as const)('of another listing are 400: %s', async (what) => {
    const list = (_filter: unknown, _limit: number, cursor: string | null): Promise<never> | Promise<object> =>
      cursor === null ? Promise.resolve({ items: [], nextCursor: null }) : foreign();
    await using http = await serve({}, { [what]: list });
    const problem = await problemOf(await http.ask(`/v1/${what}?cursor=garbage`));
    expect(problem).toMatchObject({ status: 400, errors: [{ in: 'query', key: 'cursor' }] });
  });

  it('do not make a broken ledger the fault of the caller', async () => {
    await using http = await serve({}, { credentials: foreign });
    expect((await problemOf(await http.ask('/v1/credentials?cursor=garbage')))['status']).toBe(503);
    expect((await problemOf(await http.ask('/v1/credentials')))['status']).toBe(503);
  });
});
