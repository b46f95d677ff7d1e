import { describe, expect, it } from 'vitest';
import { json, problemOf, serve } from './fake-daemon.ts';

const ONE = '/v1/credentials/data8/client-1';

const FORM = { 'content-type': 'application/x-www-form-urlencoded' };

/** A body whose length is not declared. */
function chunked(parts: readonly string[]): RequestInit {
  const body = new ReadableStream({
    start: (controller) => {
      for (const part of parts) controller.enqueue(new TextEncoder().encode(part));
      controller.close();
    },
  });
  return { body, duplex: 'half' };
}

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

  it.each([
    ['note', 1],
    ['note', 'x'.repeat(501)],
    ['note', 'a\nb'],
    ['until', 1_900_000_000],
    ['until', 'x'.repeat(101)],
    ['nonsense', true],
  ])('a resume with the %s %j is refused', async (key, value) => {
    await using http = await serve();
    for (const path of ['/v1/resume', `${ONE}/resume`]) {
      const problem = await problemOf(await http.ask(path, json({ [key]: value })));
      expect(problem).toMatchObject({ status: 400, errors: [{ in: 'body', key }] });
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

  it.each([
    ['application/x-www-form-urlencoded'],
    ['text/plain;charset=UTF-8'],
    ['application/octet-stream'],
    ['application/json'],
  ])('of no bytes are none, whatever their type: %s', async (type) => {
    await using http = await serve();
    const headers = { 'content-type': type };
    const answers = await Promise.all([
      http.ask('/v1/scan', { method: 'POST', headers }),
      http.ask('/v1/scan', { method: 'POST', headers, body: '' }),
      http.ask('/v1/scan', { method: 'POST', headers, ...chunked([]) }),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([202, 202, 202]);
    // none where one is needed
    expect((await problemOf(await http.ask(`${ONE}/forget`, { method: 'POST', headers })))['status']).toBe(400);
  });

  it.each<[string, () => RequestInit]>([
    ['whose length is declared', () => ({ headers: FORM, body: 'note=x' })],
    ['in chunks', () => ({ headers: FORM, ...chunked(['', 'note=x']) })],
    ['and of no type', () => ({ body: new Uint8Array([1]) })],
  ])('of another type %s are 415, unless there is no such path', async (_how, sent) => {
    await using http = await serve();
    expect(await problemOf(await http.ask('/v1/scan', { method: 'POST', ...sent() }))).toEqual({
      type: 'urn:rekeyd:problem:unsupported-media-type',
      title: 'The body is not JSON',
      status: 415,
      detail: 'Send the body as JSON, with the header `content-type: application/json`.',
    });
    expect((await http.ask('/v1/nothing', { method: 'POST', ...sent() })).status).toBe(404);
    expect(http.calls).toEqual([]);
  });

  it('S10: above 16 KiB are 413, declared or not', async () => {
    await using http = await serve();
    const large = JSON.stringify({ note: 'x'.repeat(16 * 1_024) });
    expect((await problemOf(await http.ask(`${ONE}/rotate`, json(large))))['status']).toBe(413);
    const inChunks = { ...json(''), ...chunked([large]) };
    expect((await problemOf(await http.ask(`${ONE}/rotate`, inChunks)))['status']).toBe(413);
    const form = { method: 'POST', headers: FORM, ...chunked([large]) };
    expect((await problemOf(await http.ask(`${ONE}/rotate`, form)))['status']).toBe(413);
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
