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

describe('bodies', () => {
  it.each<[string, unknown]>([
    ['not JSON', '{'],
    ['not JSON but close', '{"note":"x",}'],
    ['a list', '[]'],
    ['text', '"rotate"'],
    ['a number', '1'],
    ['an unknown key', { nonsense: 1 }],
    ['a note that is no text', { note: 1 }],
    ['a note that is too long', { note: 'x'.repeat(501) }],
    ['a note with control characters', { note: 'a\u001b[31m' }],
    ['a note with a line feed', { note: 'a\nb' }],
    ['a note with a line separator', { note: 'a\u2028b' }],
    ['a note with half a character', '{"note":"\\ud800"}'],
    ['a grace that is a number', { grace: 5 }],
    ['a grace without unit', { grace: '5' }],
    ['a negative grace', { grace: '-5m' }],
    ['a grace beyond reason', { grace: '999999999d' }],
    ['an endless grace', { grace: `${'9'.repeat(400)}d` }],
  ])('%s is refused', async (_name, body) => {
    await using http = await serve();
    const response = await http.ask(`${ONE}/rotate`, json(body));
    expect(response.status).toBe(400);
    await problemOf(response);
    expect(http.calls).toEqual([]);
  });

  it.each([
    '',
    'tomorrow',
    '0s',
    '-1h',
    '2029-12-31T23:59:59Z',
    '2030-01-01T00:00:00Z',
    '2031-02-30T00:00:00Z',
    '2031-01-01',
    '2031-01-01T00:00:00',
    '99999-01-01T00:00:00Z',
    '9999999d',
    1_900_000_000,
    {},
  ])('a pause until %j is refused', async (until) => {
    await using http = await serve();
    for (const path of ['/v1/pause', `${ONE}/pause`]) {
      const problem = await problemOf(await http.ask(path, json({ until })));
      expect(problem).toMatchObject({ status: 400, errors: [{ in: 'body', key: 'until' }] });
    }
    expect(http.calls).toEqual([]);
  });

  it.each([{}, { vault: 'v' }, { entry: 'e' }, { vault: '', entry: 'e' }, { vault: 'v', entry: 'a\u0000' }])(
    'forgetting %j is refused',
    async (body) => {
      await using http = await serve();
      expect((await problemOf(await http.ask(`${ONE}/forget`, json(body))))['status']).toBe(400);
      expect((await problemOf(await http.ask(`${ONE}/forget`, { method: 'POST' })))['status']).toBe(400);
      expect(http.calls).toEqual([]);
    },
  );

  it.each([
    '{"__proto__":{"note":"x"}}',
    '{"note":"x","__proto__":{"polluted":true}}',
    '{"constructor":{"prototype":{"polluted":true}}}',
    '{"\\u005f_proto__":{"polluted":true}}',
  ])('S6: %s is refused', async (body) => {
    await using http = await serve();
    const problem = await problemOf(await http.ask(`${ONE}/rotate`, json(body)));
    expect(problem['type']).toBe('urn:rekeyd:problem:bad-request'); // by the parser, before any schema
    expect(http.calls).toEqual([]);
    expect('polluted' in {}).toBe(false);
  });

  it('of another type are 415', async () => {
    await using http = await serve();
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'application/xml',
      'nonsense',
      'multipart/form-data',
    ]) {
      const response = await http.ask(`${ONE}/rotate`, {
        method: 'POST',
        body: 'note=x',
        headers: { 'content-type': type },
      });
      expect([type, response.status]).toEqual([type, 415]);
      await problemOf(response);
    }
  });

  it('S10: above 16 KiB are 413, declared or not', async () => {
    await using http = await serve();
    const large = JSON.stringify({ note: 'x'.repeat(16 * 1_024) });
    expect((await problemOf(await http.ask(`${ONE}/rotate`, json(large))))['status']).toBe(413);
    const stream = new ReadableStream({
      start: (controller) => {
        controller.enqueue(new TextEncoder().encode(large));
        controller.close();
      },
    });
    const chunked = { ...json(''), body: stream, duplex: 'half' } as RequestInit;
    expect((await problemOf(await http.ask(`${ONE}/rotate`, chunked)))['status']).toBe(413);
    expect(http.calls).toEqual([]);
  });

  it('are named by place, and quoted no further than their keys', async () => {
    await using http = await serve();
    const body = { note: 5, grace: 'leaked-value-1', 'key\u001b': 'leaked-value-2', [`long${'g'.repeat(500)}`]: 1 };
    const response = await http.ask(`${ONE}/rotate`, json(body));
    const text = JSON.stringify(await problemOf(response));
    expect(text).not.toContain('leaked-value');
    expect(text).not.toContain('g'.repeat(100));
    expect(text).toContain('"key":"note"');
    expect(text).toContain('"key":"grace"');
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
