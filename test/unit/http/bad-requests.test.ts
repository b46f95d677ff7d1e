import { describe, expect, it } from 'vitest';
import { json, problemOf, serve } from './fake-daemon.ts';

const ONE = '/v1/credentials/data8/client-1';

describe('paths and methods', () => {
  it('that do not exist are 404', async () => {
    await using http = await serve();
    for (const path of ['/', '/v1', '/v1/nonsense', '/livez/', '/LIVEZ', '/v1/credentials/data8', `${ONE}/delete`]) {
      const response = await http.ask(path);
      expect([path, response.status]).toEqual([path, 404]);
      await problemOf(response);
    }
  });

  it('that exist with other methods are 405, with those', async () => {
    await using http = await serve();
    for (const [path, method, allow] of [
      ['/livez', 'POST', 'GET, HEAD'],
      ['/v1/status', 'DELETE', 'GET, HEAD'],
      ['/v1/scan', 'GET', 'POST'],
      [ONE, 'PUT', 'GET, HEAD'],
      [`${ONE}/rotate`, 'PATCH', 'POST'],
      ['/v1/rotations', 'OPTIONS', 'GET, HEAD'],
    ] as const) {
      const response = await http.ask(path, { method });
      expect([path, response.status, response.headers.get('allow')]).toEqual([path, 405, allow]);
      await problemOf(response);
    }
  });

  it('that are not properly encoded are 400', async () => {
    await using http = await serve();
    for (const path of ['/%E0%A4%A', '/v1/credentials/data8/%', '/v1/credentials/%ff/x']) {
      const response = await http.ask(path);
      expect([path, response.status]).toEqual([path, 400]);
      expect(response.headers.get('cache-control')).toBe('no-store');
      await problemOf(response);
    }
  });

  it('that are too long are 414 or 400', async () => {
    await using http = await serve();
    expect((await problemOf(await http.ask(`/v1/credentials/data8/${'x'.repeat(1_500)}`)))['status']).toBe(400);
    expect((await problemOf(await http.ask(`/v1/credentials/data8/${'x'.repeat(5_000)}`)))['status']).toBe(414);
  });
});

describe('S5: names in a path', () => {
  it.each([
    '%2e%2e',
    '%2e',
    '%2E%2e',
    'a%2Fb',
    'a%2fb',
    'a%5Cb',
    '..%2F..%2Fetc%2Fpasswd',
    'a%00',
    'a%0Ab',
    'a%1b[31m',
    'a%7f',
    'a%C2%9Bb',
    'a%E2%80%A8b',
    'a%E2%80%AEb',
  ])('S5: %s is refused, whatever is to be done', async (name) => {
    await using http = await serve();
    for (const [path, init] of [
      [`/v1/credentials/data8/${name}`, {}],
      [`/v1/credentials/${name}/client-1`, {}],
      [`/v1/credentials/data8/${name}/rotate`, { method: 'POST' }],
      [`/v1/credentials/data8/${name}/forget`, json({ vault: 'v', entry: 'e' })],
      [`/v1/rotations/${name}`, {}],
    ] as const) {
      const response = await http.ask(path, init);
      // The client itself resolves encoded dot segments: the path is another one then, and not found.
      expect([400, 404, 405]).toContain(response.status);
      await problemOf(response);
    }
    expect(http.calls.filter(([method]) => method !== 'credentials')).toEqual([]);
  });

  it('S5: an empty name is refused', async () => {
    await using http = await serve();
    for (const path of ['/v1/credentials//client-1', '/v1/credentials/data8/', '/v1/credentials/data8//rotate']) {
      const response = await http.ask(path, path.endsWith('rotate') ? { method: 'POST' } : {});
      expect([400, 404]).toContain(response.status);
      await problemOf(response);
    }
    expect(http.calls).toEqual([]);
  });
});

describe('queries', () => {
  it.each([
    'state=nonsense',
    'state=ok&state=due',
    'limit=0',
    'limit=1001',
    'limit=-1',
    'limit=1e2',
    'limit=0x10',
    'limit=',
    'limit=10.5',
    'limit=%2010',
    'cursor=',
    'cursor=%00',
    'nonsense=1',
    '__proto__=1',
    'constructor=1',
    'state=__proto__',
  ])('%s is refused', async (query) => {
    await using http = await serve();
    const problem = await problemOf(await http.ask(`/v1/credentials?${query}`));
    expect(problem).toMatchObject({ status: 400, type: 'urn:rekeyd:problem:invalid', errors: [{ in: 'query' }] });
    expect(http.calls).toEqual([]);
  });
});

describe('every answer', () => {
  it('is not kept, not guessed at, and tells nothing of the software', async () => {
    await using http = await serve();
    for (const [path, init] of [
      ['/livez', {}],
      ['/v1/status', {}],
      ['/nonsense', {}],
      ['/v1/status', { method: 'DELETE' }],
      [`${ONE}/rotate`, json('{')],
    ] as const) {
      const { headers } = await http.ask(path, init);
      expect([path, headers.get('cache-control'), headers.get('x-content-type-options')]).toEqual([
        path,
        'no-store',
        'nosniff',
      ]);
      expect(headers.get('server') ?? headers.get('x-powered-by')).toBeNull();
      expect([...headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
    }
  });
});

describe('S1: an unexpected failure', () => {
  it('S1: tells the caller nothing, and the log no more than its class', async () => {
    const canary = 'canary-secret-value';
    const failure = Object.assign(new TypeError(`cannot read ${canary}`), {
      statusCode: 200,
      headers: { 'x-canary': canary },
    });
    await using http = await serve({}, { status: () => Promise.reject(failure) });
    const response = await http.ask('/v1/status');
    expect(response.status).toBe(500);
    const text = JSON.stringify([await problemOf(response), ...response.headers]);
    expect(text).not.toContain(canary);
    expect(text).not.toContain('at ');
    expect(text).not.toContain('TypeError');
    expect(http.lines.join('\n')).not.toContain(canary);
    expect(http.lines.join('\n')).toContain('unexpected TypeError');
  });

  it('an answer that its schema does not let out is a failure, named by its place', async () => {
    const status = { uptime: 'canary-value' };
    await using http = await serve({}, { status: () => Promise.resolve(status as never) });
    const response = await http.ask('/v1/status');
    expect(response.status).toBe(500);
    expect(JSON.stringify(await problemOf(response))).not.toContain('canary-value');
    expect(http.lines.join('\n')).toContain('does not fit its schema at version, ');
    expect(http.lines.join('\n')).not.toContain('canary-value');
  });
});
