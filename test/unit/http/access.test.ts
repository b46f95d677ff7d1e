import { describe, expect, it } from 'vitest';
import { OPERATOR, problemOf, serve, sha256, VIEWER } from './fake-daemon.ts';

const READS = [
  '/v1/status',
  '/v1/credentials',
  '/v1/credentials/data8/client-1',
  '/v1/rotations',
  '/v1/rotations/01914b1e-7f00-7000-8000-000000000001',
];
const ACTS = [
  '/v1/scan',
  '/v1/pause',
  '/v1/resume',
  '/v1/credentials/data8/client-1/rotate',
  '/v1/credentials/data8/client-1/pause',
  '/v1/credentials/data8/client-1/resume',
  '/v1/credentials/data8/client-1/forget',
  '/v1/rotations/01914b1e-7f00-7000-8000-000000000001/retire',
];
const PUBLIC = ['/livez', '/healthz', '/readyz', '/metrics', '/openapi.json'];

const act = (path: string): RequestInit =>
  path.endsWith('/forget')
    ? { method: 'POST', body: '{"vault":"v","entry":"e"}', headers: { 'content-type': 'application/json' } }
    : { method: 'POST' };

const settings = (tokens: { name: string; role: 'viewer' | 'operator'; sha256: string }[]) => ({
  settings: { host: '127.0.0.1', port: 0, requestsPerSecond: 100_000, socket: null, tokens },
});

describe('roles', () => {
  it('a viewer reads, and does not act', async () => {
    await using http = await serve();
    for (const path of READS) expect([path, (await http.ask(path, {}, VIEWER)).status]).toEqual([path, 200]);
    http.calls.length = 0;
    for (const path of ACTS) {
      const response = await http.ask(path, act(path), VIEWER);
      expect([path, response.status]).toEqual([path, 403]);
      expect((await problemOf(response))['type']).toBe('urn:rekeyd:problem:forbidden');
    }
    expect(http.calls).toEqual([]);
  });

  it('an operator reads and acts', async () => {
    await using http = await serve();
    for (const path of READS) expect([path, (await http.ask(path)).status]).toEqual([path, 200]);
    for (const path of ACTS) {
      expect([path, (await http.ask(path, act(path))).ok]).toEqual([path, true]);
    }
  });

  it('health and metrics need no token, and mind none', async () => {
    await using http = await serve();
    for (const path of PUBLIC) {
      expect([path, (await http.ask(path, {}, null)).status]).toEqual([path, 200]);
      expect([path, (await http.ask(path, {}, 'wrong')).status]).toEqual([path, 200]);
    }
  });
});

describe('S2: tokens', () => {
  it('S2: are known by their digest; another, a part, or a digest itself is refused', async () => {
    await using http = await serve();
    for (const token of ['wrong', OPERATOR.slice(1), OPERATOR.slice(0, -1), `${OPERATOR}x`, sha256(OPERATOR)]) {
      const response = await http.ask('/v1/status', {}, token);
      expect(response.status).toBe(401);
      expect(response.headers.get('www-authenticate')).toBe('Bearer realm="rekeyd", error="invalid_token"');
      expect(JSON.stringify(await problemOf(response))).not.toContain(token);
    }
    expect(http.lines.join('\n')).not.toContain(OPERATOR.slice(1, -1));
    expect(http.calls).toEqual([]);
  });

  it('are asked for in every other shape of the header', async () => {
    await using http = await serve();
    for (const authorization of ['', 'Bearer', 'Bearer ', `Basic ${OPERATOR}`, OPERATOR, `Bearer a b`]) {
      const response = await http.ask('/v1/status', { headers: { authorization } }, null);
      expect([authorization, response.status]).toEqual([authorization, 401]);
      expect(response.headers.get('www-authenticate')).toBe('Bearer realm="rekeyd"');
    }
    expect((await http.ask('/v1/status', { headers: { authorization: `bearer  ${OPERATOR}` } }, null)).status).toBe(
      200,
    );
    expect((await http.ask(`/v1/status?token=${OPERATOR}&access_token=${OPERATOR}`, {}, null)).status).toBe(401);
  });

  it('both of one name are known while one is exchanged for the other', async () => {
    const both = ['token-old', 'token-new'].map((token) => ({
      name: 'bot',
      role: 'operator' as const,
      sha256: sha256(token),
    }));
    await using http = await serve(settings(both));
    for (const token of ['token-old', 'token-new']) await http.ask('/v1/resume', { method: 'POST' }, token);
    expect(http.calls).toEqual([
      ['resume', null, 'bot'],
      ['resume', null, 'bot'],
    ]);
    await using after = await serve(settings(both.slice(1)));
    expect((await after.ask('/v1/status', {}, 'token-old')).status).toBe(401);
    expect((await after.ask('/v1/status', {}, 'token-new')).status).toBe(200);
  });

  it('each of several is found, and names the actor', async () => {
    const tokens = Array.from({ length: 20 }, (_, index) => ({
      name: `bot-${index}`,
      role: 'operator' as const,
      sha256: sha256(`token-${index}`),
    }));
    await using http = await serve(settings(tokens));
    for (const index of [0, 10, 19]) await http.ask('/v1/resume', { method: 'POST' }, `token-${index}`);
    expect(http.calls).toEqual([
      ['resume', null, 'bot-0'],
      ['resume', null, 'bot-10'],
      ['resume', null, 'bot-19'],
    ]);
  });
});

describe('S3: no token configured', () => {
  it('S3: only health and metrics answer over the port', async () => {
    await using http = await serve(settings([]));
    for (const path of PUBLIC) expect([path, (await http.ask(path, {}, null)).status]).toEqual([path, 200]);
    http.calls.length = 0;
    for (const path of [...READS, ...ACTS]) {
      for (const token of [null, OPERATOR, '']) {
        const response = await http.ask(path, ACTS.includes(path) ? act(path) : {}, token);
        expect([path, response.status]).toEqual([path, 403]);
        expect((await problemOf(response))['type']).toBe('urn:rekeyd:problem:no-token-configured');
      }
    }
    expect(http.calls).toEqual([]);
  });
});

describe('before anything of a request is looked at', () => {
  it('who is not known learns nothing of what is wrong with it', async () => {
    await using http = await serve();
    const garbage = { method: 'POST', body: 'x'.repeat(100_000), headers: { 'content-type': 'text/plain' } };
    for (const path of ACTS) {
      const response = await http.ask(path, garbage, null).catch(() => null); // the connection may end while sending
      if (response !== null) expect([path, response.status]).toEqual([path, 401]);
    }
    expect((await http.ask('/v1/status', { method: 'DELETE' }, null)).status).toBe(401);
  });
});
