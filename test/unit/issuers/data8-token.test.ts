import { afterEach, describe, expect, it } from 'vitest';
import { MINUTE, SECOND } from '../../../src/domain/time.ts';
import type { Data8Bench } from './data8-bench.ts';
import { CANARY, openData8 } from './data8-bench.ts';

const TOKEN = 'POST /connect/token';
const LIST = 'GET /ClientCredential';
const empty = { status: 200, body: [] };
let bench: Data8Bench;

afterEach(() => bench.close());

/** The tokens that the API was called with. */
function bearers(): string[] {
  return bench.stub.seen(LIST).map(({ headers }) => String(headers.authorization).replace('Bearer ', ''));
}

describe('asking for a token', () => {
  it('client_secret_post: id and secret are in the form', async () => {
    bench = await openData8();
    bench.stub.answer(LIST, empty);
    await bench.issuer.listCredentials();
    const [request] = bench.stub.seen(TOKEN);
    expect(Object.fromEntries(new URLSearchParams(request!.body))).toEqual({
      grant_type: 'client_credentials',
      scope: 'BatchApi',
      client_id: 'me',
      client_secret: CANARY,
    });
    expect(request!.headers['content-type']).toMatch(/^application\/x-www-form-urlencoded/);
    expect(request!.headers.authorization).toBeUndefined();
  });

  it('client_secret_basic: both are form-urlencoded before base64', async () => {
    bench = await openData8({ tokenEndpointAuthMethod: 'client_secret_basic', clientId: 'me: a+b', scope: '' });
    bench.stub.answer(LIST, empty);
    await bench.issuer.listCredentials();
    const [request] = bench.stub.seen(TOKEN);
    const pair = Buffer.from(request!.headers.authorization!.replace('Basic ', ''), 'base64').toString();
    expect(pair).toBe('me%3A+a%2Bb:canary%2BS3cret%2F%26%3Dvalue%7E%25');
    expect(request!.body).toBe('grant_type=client_credentials');
  });

  it('finds the endpoint by discovery where only an authority is given, once', async () => {
    bench = await openData8({ tokenUrl: 'STUB' });
    const body = { issuer: bench.stub.url, token_endpoint: `${bench.stub.url}/connect/token` };
    bench.stub.answer('GET /.well-known/openid-configuration', { status: 503 }, { status: 200, body });
    bench.stub.answer(LIST, empty);
    await bench.issuer.listCredentials();
    bench.ports.pass(2 * 3600 * SECOND);
    await bench.issuer.listCredentials();
    expect(bench.stub.seen('GET /.well-known/openid-configuration')).toHaveLength(2);
    expect(bearers()).toEqual(['token-1', 'token-2']);
  });

  it.each([
    ['names none', {}],
    ['leads out of TLS', { token_endpoint: 'http://elsewhere.example/token' }],
  ])('does not send the secret where a discovery document %s', async (_name, body) => {
    bench = await openData8({ tokenUrl: 'STUB/' });
    bench.stub.answer('GET /.well-known/openid-configuration', { status: 200, body });
    await expect(bench.issuer.listCredentials()).rejects.toMatchObject({
      code: 'issuer.malformed',
      operation: 'discovery',
      surelyNotApplied: true,
    });
  });

  it.each([
    ['no token', { status: 200, body: {} }, 'issuer.malformed'],
    ['HTML', { status: 200, body: '<html>' }, 'issuer.malformed'],
    ['a token that is no header', { status: 200, body: { access_token: 'a\nb' } }, 'issuer.malformed'],
    ['a refusal of the scope', { status: 400, body: { error: 'invalid_scope' } }, 'issuer.unauthorized'],
    ['a redirect', { status: 302, headers: { location: 'https://elsewhere.example' } }, 'issuer.rejected'],
    ['an error page', { status: 500, body: '<html>' }, 'issuer.unavailable'],
  ])('%s at the token endpoint: nothing was applied', async (_name, answer, code) => {
    bench = await openData8();
    bench.stub.answer(TOKEN, answer);
    const call = bench.issuer.createSecret('a', { expires: null, description: '' });
    await expect(call).rejects.toMatchObject({ code, surelyNotApplied: true });
    expect(bench.stub.requests.every(({ path }) => path === '/connect/token')).toBe(true);
  });
});

describe('the shared token', () => {
  it('I5: callers at the same time share one request', async () => {
    bench = await openData8();
    bench.stub.answer(LIST, empty);
    await Promise.all(Array.from({ length: 8 }, () => bench.issuer.listCredentials()));
    expect(bench.stub.seen(TOKEN)).toHaveLength(1);
    expect(bearers()).toEqual(Array(8).fill('token-1'));
  });

  it('I5: a 401 in mid-run costs one refresh for all callers, and one replay each', async () => {
    bench = await openData8();
    bench.stub.answer(LIST, ({ headers }) =>
      headers.authorization === 'Bearer token-1' ? { status: 401 } : { status: 200, body: [] },
    );
    await Promise.all(Array.from({ length: 5 }, () => bench.issuer.listCredentials()));
    expect(bench.stub.seen(TOKEN)).toHaveLength(2);
    expect(bearers().sort()).toEqual([...Array<string>(5).fill('token-1'), ...Array<string>(5).fill('token-2')]);
  });

  it('I5: a POST is replayed after a 401, for that was surely not executed', async () => {
    bench = await openData8();
    const created = { clientSecretId: 1, generatedSecret: 'x' };
    bench.stub.answer('POST /ClientCredential/a/secrets', { status: 401 }, { status: 201, body: created });
    expect((await bench.issuer.createSecret('a', { expires: null, description: '' })).secretId).toBe('1');
  });

  it('I5: there is one replay only', async () => {
    bench = await openData8();
    bench.stub.answer(LIST, { status: 401 });
    await expect(bench.issuer.listCredentials()).rejects.toMatchObject({
      code: 'issuer.unauthorized',
      status: 401,
      surelyNotApplied: true,
    });
    expect(bearers()).toEqual(['token-1', 'token-2']);
  });

  it('I7: is refreshed before its end, by the monotonic clock, behind the caller', async () => {
    bench = await openData8();
    bench.stub.tokenLifetime = 1800;
    bench.stub.answer(LIST, empty);
    await bench.issuer.listCredentials();
    bench.ports.jump(5 * 3600 * SECOND); // the wall clock alone
    await bench.issuer.listCredentials();
    expect(bench.stub.seen(TOKEN)).toHaveLength(1);
    bench.ports.pass(29 * MINUTE + 10 * SECOND); // within the last minute
    await bench.issuer.listCredentials();
    await expect.poll(() => bench.stub.seen(TOKEN).length).toBe(2);
    bench.ports.pass(40 * SECOND);
    await bench.issuer.listCredentials();
    expect(bearers()).toEqual(['token-1', 'token-1', 'token-1', 'token-2']);
  });

  it('I7: a token that is over is never sent, though the refresh takes its time', async () => {
    bench = await openData8();
    bench.stub.tokenLifetime = '90';
    bench.stub.answer(LIST, empty);
    await bench.issuer.listCredentials();
    bench.ports.pass(90 * SECOND);
    await bench.issuer.listCredentials();
    expect(bearers()).toEqual(['token-1', 'token-2']);
  });

  it('I7: a token that lives for no time serves one call', async () => {
    bench = await openData8();
    bench.stub.tokenLifetime = 0;
    bench.stub.answer(LIST, empty);
    await bench.issuer.listCredentials();
    await bench.issuer.listCredentials();
    expect(bearers()).toEqual(['token-1', 'token-2']);
  });

  it('goes on with a token that is still good where the early refresh fails, and tells it', async () => {
    bench = await openData8();
    bench.stub.answer(LIST, empty);
    await bench.issuer.listCredentials();
    bench.stub.answer(TOKEN, { status: 503 });
    bench.ports.pass(3600 * SECOND - 50 * SECOND);
    await bench.issuer.listCredentials();
    await expect.poll(() => bench.logged.join()).toContain('token-refresh-failed');
    const asked = bench.stub.seen(TOKEN).length;
    await bench.issuer.listCredentials();
    expect(bench.stub.seen(TOKEN)).toHaveLength(asked); // not at every call
    expect(bearers()).toEqual(['token-1', 'token-1', 'token-1']);
  });

  it('one caller who gives up does not end the refresh of the others', async () => {
    bench = await openData8();
    bench.stub.answer(LIST, empty);
    bench.stub.onHang = () => undefined;
    bench.stub.answer(TOKEN, 'hang', { status: 200, body: { access_token: 'late' } });
    const gone = new AbortController();
    const first = bench.issuer.listCredentials(gone.signal);
    const second = bench.issuer.listCredentials();
    await expect.poll(() => bench.stub.seen(TOKEN).length).toBe(1);
    gone.abort(new Error('given up'));
    await expect(first).rejects.toThrow('given up'); // while the refresh still hangs
    bench.ports.expire();
    await expect(second).resolves.toEqual([]);
    expect(bearers()).toEqual(['late']);
  });
});

describe('closing', () => {
  it('gives up a refresh under way, and sends nothing any more', async () => {
    bench = await openData8();
    bench.stub.onHang = () => undefined;
    bench.stub.answer(TOKEN, 'hang');
    const call = bench.issuer.listCredentials();
    await expect.poll(() => bench.stub.seen(TOKEN).length).toBe(1);
    await bench.issuer.close();
    const closed = { code: 'issuer.unavailable', surelyNotApplied: true };
    await expect(call).rejects.toMatchObject(closed);
    await expect(bench.issuer.listCredentials()).rejects.toMatchObject(closed);
    expect(bench.stub.requests).toHaveLength(1);
  });
});
