import { afterEach, describe, expect, it } from 'vitest';
import { SECOND } from '../../../src/domain/time.ts';
import type { Data8Bench } from './data8-bench.ts';
import { CANARY, openData8 } from './data8-bench.ts';

const TOKEN = 'POST /connect/token';
const LIST = 'GET /ClientCredential';
const empty = { status: 200, body: [] };
const refusal = { status: 400, body: { error: 'invalid_client' } };
let bench: Data8Bench;

afterEach(() => bench.close());

describe('our own client is refused', () => {
  const good = { status: 200, body: { access_token: 'good', expires_in: 3600 } };
  const byTheNewSecret = ({ body }: { body: string }) => (body.includes('fresh') ? good : refusal);
  const section = (clientSecret: string) => ({
    type: 'data8',
    baseUrl: 'https://unused.example',
    clientId: 'me',
    clientSecret,
    requestsPerSecond: '5', // as it stands in the file: text, before the loader has read it as a number
  });

  it('takes up a secret that was changed in its file, for good', async () => {
    let reads = 0;
    bench = await openData8({}, { rereadOptions: async () => (reads++, section('fresh')) });
    bench.stub.answer(TOKEN, byTheNewSecret);
    bench.stub.answer(LIST, empty);
    expect(await bench.issuer.listCredentials()).toEqual([]);
    bench.ports.pass(7200 * SECOND);
    expect(await bench.issuer.listCredentials()).toEqual([]);
    expect(reads).toBe(1);
    expect(bench.stub.seen(TOKEN)).toHaveLength(3);
    expect(bench.logged.join()).toContain('client-secret-changed');
  });

  it.each([
    ['a bare 401', { status: 401 }],
    ['401 with a page', { status: 401, body: '<html>' }],
    ['unauthorized_client at 401', { status: 401, body: { error: 'unauthorized_client' } }],
    ['a bare 400', { status: 400 }],
    ['a word that OAuth does not know', { status: 400, body: { error: 'bad_secret' } }],
    ['an error that is no word', { status: 400, body: { error: 'Bad credentials' } }],
    ['a bare 403', { status: 403 }],
  ])('takes up a changed secret also where the answer is %s', async (_name, answer) => {
    bench = await openData8({}, { rereadOptions: async () => section('fresh') });
    bench.stub.answer(TOKEN, ({ body }) => (body.includes('fresh') ? good : answer));
    bench.stub.answer(LIST, empty);
    expect(await bench.issuer.listCredentials()).toEqual([]);
    expect(bench.stub.seen(TOKEN)).toHaveLength(2);
  });

  it.each([
    ['a bare 401', { status: 401 }, 'issuer.unauthorized'],
    ['a bare 400', { status: 400 }, 'issuer.rejected'],
    ['a bare 403', { status: 403 }, 'issuer.forbidden'],
  ])('reads once, and asks no more, where %s met the secret that is there', async (_name, answer, code) => {
    let reads = 0;
    bench = await openData8({}, { rereadOptions: async () => (reads++, section(CANARY)) });
    bench.stub.answer(TOKEN, answer);
    await expect(bench.issuer.listCredentials()).rejects.toMatchObject({ code, surelyNotApplied: true });
    expect(reads).toBe(1);
    expect(bench.stub.seen(TOKEN)).toHaveLength(1);
  });

  it.each([
    [
      'the answer says that the secret is good',
      'POST /connect/token',
      { status: 400, body: { error: 'invalid_scope' } },
    ],
    ['the token endpoint is silent', 'POST /connect/token', { status: 503 }],
    ['it is not where it should be', 'POST /connect/token', { status: 404 }],
    ['discovery is refused', 'GET /.well-known/openid-configuration', { status: 401 }],
  ])('reads nothing again where %s', async (_name, route, answer) => {
    let reads = 0;
    bench = await openData8(route === TOKEN ? {} : { tokenUrl: 'STUB' }, {
      rereadOptions: async () => (reads++, section('fresh')),
    });
    bench.stub.answer(route, answer);
    await expect(bench.issuer.listCredentials()).rejects.toMatchObject({ name: 'IssuerError' });
    expect(reads).toBe(0);
  });

  it('tells a bare 401 as a refusal of the client, and what to do', async () => {
    bench = await openData8();
    bench.stub.answer(TOKEN, { status: 401 });
    await expect(bench.issuer.listCredentials()).rejects.toThrow(
      /token: the token endpoint refuses our own client me \(401\): check clientId and clientSecret; the secret may have/,
    );
  });

  it('asks once more only where the secret has changed', async () => {
    bench = await openData8({}, { rereadOptions: async () => section(CANARY) });
    bench.stub.answer(TOKEN, { ...refusal, status: 401 });
    await expect(bench.issuer.listCredentials()).rejects.toMatchObject({
      code: 'issuer.unauthorized',
      status: 401,
      surelyNotApplied: true,
    });
    expect(bench.stub.seen(TOKEN)).toHaveLength(1);
  });

  it.each([
    ['cannot be read', () => Promise.reject(new Error(`bad file: ${CANARY}`))],
    ['cannot be used', () => Promise.resolve({ clientId: 5, clientSecret: CANARY })],
  ])('S1: stays with its secret where the configuration %s, and quotes nothing of it', async (_name, rereadOptions) => {
    bench = await openData8({}, { rereadOptions });
    bench.stub.answer(TOKEN, refusal);
    await expect(bench.issuer.listCredentials()).rejects.toMatchObject({ code: 'issuer.unauthorized' });
    expect(bench.logged.join()).toContain('client-secret-unread');
    expect(bench.logged.join()).not.toContain(CANARY);
  });

  it('does without where there is nothing to read again', async () => {
    bench = await openData8();
    bench.stub.answer(TOKEN, refusal);
    await expect(bench.issuer.listCredentials()).rejects.toThrow(
      'issuer d8: token: the token endpoint refuses our own client me (invalid_client): check clientId and clientSecret',
    );
  });
});
