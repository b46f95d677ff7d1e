import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { OPERATOR, serve } from './fake-daemon.ts';
import type { Running } from './fake-daemon.ts';
import { OpenApiContract } from './openapi-contract.ts';
import { ask } from './raw-connection.ts';

// what each operation takes by its own schema is fuzzed in openapi-fuzz.test.ts: here is what no schema describes
const http: Running = await serve();
const { operations } = new OpenApiContract((await (await http.ask('/openapi.json', {}, null)).json()) as object);
const POSTS = operations.filter(({ method }) => method === 'post').map(({ path }) => path.replace(/\{\w+\}/g, 'x'));
afterAll(() => http.server.close());

const AUTHORIZED = { authorization: `Bearer ${OPERATOR}` };

function expectSound({ status, type, text }: { status: number; type: string; text: string }): void {
  expect(status).toBeLessThan(500);
  if (status < 400) return;
  expect(type).toBe('application/problem+json; charset=utf-8');
  const problem = JSON.parse(text) as Record<string, unknown>;
  expect(problem['status']).toBe(status);
  expect(
    Object.keys(problem).every((key) => ['type', 'title', 'status', 'detail', 'reason', 'errors'].includes(key)),
  ).toBe(true);
  expect(text).not.toMatch(/node_modules|\.ts:\d|\.js:\d|FST_|ZodError|SyntaxError/);
}

describe('whatever is sent, the answer is sound', () => {
  it('for any bytes of any type', async () => {
    const type = fc.constantFrom(
      'application/json',
      'application/json; charset=utf-16',
      'text/plain',
      'a',
      '',
      ';',
      'application/JSON;q',
    );
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...POSTS),
        type,
        fc.string({ unit: 'binary' }),
        async (path, contentType, body) => {
          const headers = { ...AUTHORIZED, 'content-type': contentType };
          expectSound(await ask(http.address, path, { method: 'POST', headers, body }));
        },
      ),
      { numRuns: 300 },
    );
  });

  it('for any path and query', async () => {
    const part = fc.oneof(
      fc.string({ unit: 'binary' }).map((text) => encodeURIComponent(text.toWellFormed())),
      fc.stringMatching(/^[!-~]{0,12}$/),
      fc.constantFrom('..', '.', '%', '%00', '%2e%2e', '%2f', '', 'data8', '__proto__', 'constructor'),
    );
    const query = fc.array(
      fc.tuple(fc.constantFrom('state', 'limit', 'cursor', 'issuer', 'clientId', 'x', '__proto__'), part),
    );
    const path = fc.oneof(
      fc.tuple(part, part).map(([a, b]) => `/v1/credentials/${a}/${b}`),
      fc.tuple(part, part).map(([a, b]) => `/v1/credentials/${a}/${b}/rotate`),
      part.map((a) => `/v1/rotations/${a}`),
      fc.array(part).map((parts) => `/${parts.join('/')}`),
      query.map((pairs) => `/v1/credentials?${pairs.map((pair) => pair.join('=')).join('&')}`),
      query.map((pairs) => `/v1/rotations?${pairs.map((pair) => pair.join('=')).join('&')}`),
    );
    await fc.assert(
      fc.asyncProperty(
        path,
        fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PROPFIND'),
        async (url, method) => {
          expectSound(await ask(http.address, url, { method, headers: AUTHORIZED }));
        },
      ),
      { numRuns: 600 },
    );
  });

  it('for any authorization, and only the right ones get in', async () => {
    const header = fc.oneof(
      fc.stringMatching(/^[ -~]{0,40}$/),
      fc.stringMatching(/^[!-~]{0,40}$/).map((text) => `Bearer ${text}`),
    );
    await fc.assert(
      fc.asyncProperty(header, async (authorization) => {
        const answer = await ask(http.address, '/v1/status', { headers: { authorization } });
        expectSound(answer);
        expect(answer.status).toBe(401);
      }),
      { numRuns: 200 },
    );
  });
});
