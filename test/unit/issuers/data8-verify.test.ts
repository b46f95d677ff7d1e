import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SecretValue } from '../../../src/domain/secret-value.ts';
import type { Data8Bench } from './data8-bench.ts';
import { CANARY, openData8 } from './data8-bench.ts';
import type { Answer } from './stub-server.ts';

const TOKEN = 'POST /connect/token';
const value = SecretValue.of('fresh value');
let bench: Data8Bench;

beforeEach(async () => {
  bench = await openData8();
});
afterEach(() => bench.close());

function oauth(status: number, error: string): Answer {
  return { status, body: { error, error_description: CANARY } };
}

describe('verify', () => {
  it('I14: shows the credential under test, not our own', async () => {
    expect(await bench.issuer.verify('the client', value)).toBe('accepted');
    const [request] = bench.stub.seen(TOKEN);
    const form = new URLSearchParams(request!.body);
    expect([form.get('client_id'), form.get('client_secret'), form.get('scope')]).toEqual([
      'the client',
      'fresh value',
      'BatchApi',
    ]);
    expect(bench.counted).toEqual(['verify ok']);
  });

  it.each([
    ['a token', { status: 200, body: { access_token: 't' } }, 'accepted'],
    ['invalid_client, as IdentityServer says it', oauth(400, 'invalid_client'), 'refused'],
    ['invalid_client, as the RFC says it', oauth(401, 'invalid_client'), 'refused'],
    ['unauthorized_client at 401', oauth(401, 'unauthorized_client'), 'refused'],
    ['invalid_scope at 401', oauth(401, 'invalid_scope'), 'refused'],
    ['invalid_grant at 401', oauth(401, 'invalid_grant'), 'refused'],
    ['an error at 401 that OAuth does not know', oauth(401, 'try_again'), 'refused'],
    ['a bare 401', { status: 401 }, 'refused'],
    ['401 without OAuth', { status: 401, body: '<html>' }, 'refused'],
    ['invalid_scope', oauth(400, 'invalid_scope'), 'accepted'],
    ['unauthorized_client', oauth(400, 'unauthorized_client'), 'accepted'],
    ['invalid_grant', oauth(400, 'invalid_grant'), 'accepted'],
    ['unsupported_grant_type', oauth(400, 'unsupported_grant_type'), 'accepted'],
  ] as [string, Answer, string][])('I14: %s is %3$s', async (_name, answer, verdict) => {
    bench.stub.answer(TOKEN, answer);
    expect(await bench.issuer.verify('a', value)).toBe(verdict);
  });

  it.each([
    ['invalid_request', oauth(400, 'invalid_request'), 'issuer.rejected'],
    ['an error that OAuth does not know', oauth(400, 'try_again'), 'issuer.rejected'],
    ['an error of a server', oauth(503, 'invalid_client'), 'issuer.unavailable'],
    ['invalid_client behind a wall', oauth(403, 'invalid_client'), 'issuer.rejected'],
    ['an error that is no text', { status: 400, body: { error: { code: 1 } } }, 'issuer.rejected'],
    ['429', { status: 429, headers: { 'retry-after': '60' } }, 'issuer.throttled'],
    ['429 for a moment', { status: 429, headers: { 'retry-after': '1' } }, 'issuer.throttled'],
    ['500', { status: 500 }, 'issuer.unavailable'],
    ['404', { status: 404 }, 'issuer.not-found'],
    ['HTML', { status: 200, body: '<html>log in here</html>' }, 'issuer.malformed'],
    ['a 2xx without token', { status: 200, body: {} }, 'issuer.malformed'],
    ['a reset', 'reset', 'issuer.unavailable'],
    ['a time-out', 'hang', 'issuer.unavailable'],
    ['a redirect', { status: 302, headers: { location: '/login' } }, 'issuer.rejected'],
  ] as [string, Answer, string][])('I14: %s is silence, told once', async (_name, answer, code) => {
    bench.stub.answer(TOKEN, answer);
    const error: unknown = await bench.issuer.verify('a', value).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code, operation: 'verify' });
    expect(String(error)).not.toContain(CANARY);
    expect(bench.stub.seen(TOKEN)).toHaveLength(1);
  });

  it('I14: leaves the shared token alone', async () => {
    bench.stub.answer('GET /ClientCredential', { status: 200, body: [] });
    await bench.issuer.listCredentials();
    await bench.issuer.verify('a', value);
    bench.stub.answer(TOKEN, oauth(400, 'invalid_client'));
    expect(await bench.issuer.verify('a', value)).toBe('refused');
    await bench.issuer.listCredentials();
    expect(bench.stub.seen('GET /ClientCredential').map(({ headers }) => headers.authorization)).toEqual([
      'Bearer token-1',
      'Bearer token-1',
    ]);
  });
});
