import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { IssuerError } from '../../../src/domain/errors.ts';
import { SecretValue } from '../../../src/domain/secret-value.ts';
import { MINUTE, SECOND } from '../../../src/domain/time.ts';
import type { Data8Bench } from './data8-bench.ts';
import { openData8 } from './data8-bench.ts';
import { TIMEOUT } from './skipping-ports.ts';
import type { Answer } from './stub-server.ts';

const LIST = 'GET /ClientCredential';
const SECRETS = '/ClientCredential/a/secrets';
const empty = { status: 200, body: [] };
const created = { status: 201, body: { clientSecretId: 7, expires: null, description: '', generatedSecret: 'x' } };
const value = SecretValue.of('v');
const wish = { expires: null, description: '' };
let bench: Data8Bench;

beforeEach(async () => {
  bench = await openData8();
});
afterEach(() => bench.close());

function create(): Promise<unknown> {
  return bench.issuer.createSecret('a', wish);
}

async function failure(call: Promise<unknown>): Promise<IssuerError> {
  const error: unknown = await call.then(
    () => 'no failure',
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(IssuerError);
  return error as IssuerError;
}

const ambiguous: [string, Answer][] = [
  ['a reset', 'reset'],
  ['a time-out', 'hang'],
  ['a reset in the answer', 'reset-in-body'],
  ['a time-out in the answer', 'hang-in-body'],
  ['500', { status: 500 }],
  ['502 of a proxy', { status: 502, body: '<html>Bad Gateway</html>' }],
  ['503 with Retry-After', { status: 503, headers: { 'retry-after': '2' } }],
  ['504', { status: 504 }],
  ['408', { status: 408 }],
];

describe('what may pass', () => {
  it.each(ambiguous)(
    'I1, I4: POST is never repeated after %s, and it is said that it may be applied',
    async (_n, answer) => {
      bench.stub.answer(`POST ${SECRETS}`, answer);
      const error = await failure(create());
      expect(error).toMatchObject({ code: 'issuer.unavailable', surelyNotApplied: false, operation: 'create-secret' });
      expect(bench.stub.seen(`POST ${SECRETS}`)).toHaveLength(1);
    },
  );

  it.each(ambiguous)('I4: a list is asked for again after %s', async (_name, answer) => {
    bench.stub.answer(LIST, answer, empty);
    expect(await bench.issuer.listCredentials()).toEqual([]);
    expect(bench.stub.seen(LIST)).toHaveLength(2);
  });

  it.each(ambiguous)('I4: PUT and DELETE are repeated after %s', async (_name, answer) => {
    bench.stub.answer(`PUT ${SECRETS}/7`, answer, { status: 204 });
    await bench.issuer.updateSecret('a', '7', wish);
    bench.stub.answer(
      `DELETE ${SECRETS}/7`,
      answer === 'reset-in-body' || answer === 'hang-in-body' ? 'reset' : answer,
      {
        status: 404,
      },
    );
    expect(await bench.issuer.deleteSecret('a', '7')).toBe('absent');
  });

  it('I4: three attempts, with a backoff that grows and half of which is chance', async () => {
    bench.stub.answer(LIST, { status: 500 });
    const error = await failure(bench.issuer.listCredentials());
    expect(error).toMatchObject({ code: 'issuer.unavailable', status: 500, retryAfter: null });
    expect(bench.stub.seen(LIST)).toHaveLength(3);
    const [first, second, ...more] = bench.ports.sleeps;
    expect(more).toEqual([]);
    expect(first).toBeGreaterThanOrEqual(250);
    expect(first).toBeLessThan(500);
    expect(second).toBeGreaterThanOrEqual(500);
    expect(second).toBeLessThan(1000);
    expect(bench.counted).toEqual(['token ok', ...Array<string>(3).fill('list-credentials error')]);
  });

  it('a PUT that may have been applied in an earlier attempt is not told as surely not applied', async () => {
    bench.stub.answer(`PUT ${SECRETS}/7`, 'reset', { status: 409 });
    expect(await failure(bench.issuer.updateSecret('a', '7', wish))).toMatchObject({
      code: 'issuer.rejected',
      surelyNotApplied: false,
    });
    bench.stub.answer(`PUT ${SECRETS}/7`, { status: 409 });
    expect(await failure(bench.issuer.updateSecret('a', '7', wish))).toMatchObject({ surelyNotApplied: true });
  });

  it('I1: a refused connection is surely not applied, and a POST is tried again after it', async () => {
    const { url } = bench.stub;
    const port = await freePort();
    const refused = await openData8({ baseUrl: `http://127.0.0.1:${port}`, tokenUrl: `${url}/connect/token` });
    const error = await failure(refused.issuer.createSecret('a', wish));
    expect(error).toMatchObject({ code: 'issuer.unavailable', surelyNotApplied: true });
    expect(error.message).toBe(`issuer d8: create-secret: no connection to http://127.0.0.1:${port} (ECONNREFUSED)`);
    expect(refused.counted.filter((line) => line === 'create-secret unreachable')).toHaveLength(3);
    await refused.close();
  });

  it('the time-out is that of one attempt, body included', async () => {
    bench.stub.answer(`POST ${SECRETS}`, 'hang-in-body');
    const error = await failure(create());
    expect(error.message).toContain(`did not answer within ${TIMEOUT}ms`);
    expect(bench.ports.clock.monotonic()).toBe(TIMEOUT);
  });

  it('an abort ends the call with its reason, also in mid-air and while waiting', async () => {
    bench.stub.onHang = () => undefined;
    bench.stub.answer(LIST, 'hang');
    const gone = new AbortController();
    const reason = new Error('given up');
    const call = bench.issuer.listCredentials(gone.signal);
    await expect.poll(() => bench.stub.seen(LIST).length).toBe(1);
    gone.abort(reason);
    await expect(call).rejects.toBe(reason);
    await expect(bench.issuer.listCredentials(gone.signal)).rejects.toBe(reason);
  });
});

describe('what does not pass', () => {
  it.each([
    [400, 'issuer.rejected'],
    [403, 'issuer.forbidden'],
    [404, 'issuer.not-found'],
    [409, 'issuer.rejected'],
    [422, 'issuer.rejected'],
  ])('I6: %i is not repeated', async (status, code) => {
    bench.stub.answer(LIST, { status });
    bench.stub.answer(`POST ${SECRETS}`, { status });
    expect(await failure(bench.issuer.listCredentials())).toMatchObject({ code, status });
    expect(await failure(create())).toMatchObject({ code, status, surelyNotApplied: true });
    expect(bench.stub.seen(LIST)).toHaveLength(1);
    expect(bench.stub.seen(`POST ${SECRETS}`)).toHaveLength(1);
    expect(bench.ports.sleeps).toEqual([]);
  });

  it('I6: 403 says what to do', async () => {
    bench.stub.answer(LIST, { status: 403, body: { title: 'Forbidden' } });
    expect((await failure(bench.issuer.listCredentials())).message).toBe(
      'issuer d8: list-credentials: the API answered 403 ("Forbidden"); give this client the right to do it in the Data8 account',
    );
  });

  it.each([301, 302, 303, 307, 308])(
    'S9: a redirect (%i) is not followed, neither with the token nor the secret',
    async (status) => {
      const elsewhere = await openData8();
      const location = { location: `${elsewhere.stub.url}/stolen` };
      for (const route of [LIST, `POST ${SECRETS}`]) bench.stub.answer(route, { status, headers: location });
      expect(await failure(bench.issuer.listCredentials())).toMatchObject({ code: 'issuer.rejected', status });
      expect(await failure(create())).toMatchObject({ code: 'issuer.rejected', surelyNotApplied: false });
      bench.stub.answer('POST /connect/token', { status, headers: location });
      expect(await failure(bench.issuer.verify('a', value))).toMatchObject({ status });
      expect(elsewhere.stub.requests).toEqual([]);
      await elsewhere.close();
    },
  );
});

describe('429', () => {
  it.each([
    ['seconds', '3', 3 * SECOND],
    ['a date', new Date(Date.UTC(2030, 0, 1) + 4 * SECOND).toUTCString(), 4 * SECOND],
    ['0', '0', SECOND],
    ['the past', 'Tue, 01 Jan 2019 00:00:00 GMT', SECOND],
    ['garbage', 'soon', SECOND],
    ['no header', null, SECOND],
  ])('I3: Retry-After as %s is honoured by every method', async (_name, header, wait) => {
    const date = new Date(Date.UTC(2030, 0, 1)).toUTCString();
    const answer = { status: 429, headers: { date, ...(header === null ? {} : { 'retry-after': header }) } };
    bench.stub.answer(`POST ${SECRETS}`, answer, created);
    bench.stub.answer(LIST, answer, empty);
    await create();
    await bench.issuer.listCredentials();
    expect(bench.ports.sleeps).toEqual([wait, wait]);
  });

  it('I3: never a tight loop: three attempts a call, no two within a second', async () => {
    bench.stub.answer(LIST, { status: 429, headers: { 'retry-after': '0' } });
    for (let call = 1; call <= 3; call++) {
      const error = await failure(bench.issuer.listCredentials());
      expect(error).toMatchObject({ code: 'issuer.throttled', retryAfter: SECOND, surelyNotApplied: true });
    }
    expect(bench.stub.seen(LIST)).toHaveLength(9);
    expect(bench.ports.sleeps.reduce((sum, sleep) => sum + sleep, 0)).toBeGreaterThanOrEqual(8 * SECOND);
  });

  it('I3: a long wait is told at once, and until it is over nobody asks', async () => {
    bench.stub.answer(LIST, { status: 429, headers: { 'retry-after': '100000' } }, empty);
    expect(await failure(bench.issuer.listCredentials())).toMatchObject({ retryAfter: 15 * MINUTE });
    bench.ports.pass(5 * MINUTE);
    const held = await failure(create());
    expect(held).toMatchObject({ code: 'issuer.throttled', retryAfter: 10 * MINUTE, surelyNotApplied: true });
    expect(held.message).toContain('next try in 10m');
    expect(bench.stub.requests.map(({ path }) => path)).toEqual(['/connect/token', '/ClientCredential']);
    bench.ports.pass(10 * MINUTE - SECOND);
    expect(await bench.issuer.listCredentials()).toEqual([]);
    expect(bench.ports.sleeps).toEqual([SECOND]);
  });

  it('I3: what the API asks for does not hold the token endpoint', async () => {
    bench.stub.answer(LIST, { status: 429, headers: { 'retry-after': '600' } });
    await failure(bench.issuer.listCredentials());
    expect(await bench.issuer.verify('a', value)).toBe('accepted');
  });
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
