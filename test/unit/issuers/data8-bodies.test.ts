import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { IssuerError } from '../../../src/domain/errors.ts';
import { SecretValue } from '../../../src/domain/secret-value.ts';
import type { Data8Bench } from './data8-bench.ts';
import { CANARY, openData8 } from './data8-bench.ts';
import type { Answer } from './stub-server.ts';

const LIST = 'GET /ClientCredential';
const SECRETS = '/ClientCredential/a/secrets';
const good = { clientSecretId: 7, expires: null, description: '', generatedSecret: 'the value' };
const wish = { expires: null, description: '' };
let bench: Data8Bench;

beforeEach(async () => {
  bench = await openData8();
});
afterEach(() => bench.close());

async function failure(call: Promise<unknown>): Promise<IssuerError> {
  const error: unknown = await call.then(
    () => 'no failure',
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(IssuerError);
  return error as IssuerError;
}

describe('a 2xx of a creation', () => {
  it.each([
    ['no generatedSecret', { ...good, generatedSecret: undefined }],
    ['an empty generatedSecret', { ...good, generatedSecret: '' }],
    ['a null generatedSecret', { ...good, generatedSecret: null }],
    ['no id', { ...good, clientSecretId: undefined }],
    ['a null id', { ...good, clientSecretId: null }],
    ['an id that is no number', { ...good, clientSecretId: 1.5 }],
    ['expires that is no time', { ...good, expires: 'soon' }],
    ['a list', [good]],
    ['nothing', ''],
    ['HTML', '<html>the value</html>'],
    ['half of it', JSON.stringify(good).slice(0, -4)],
  ])('I9: with %s counts as lost, and is not repeated', async (_name, body) => {
    bench.stub.answer(`POST ${SECRETS}`, { status: 201, body });
    const error = await failure(bench.issuer.createSecret('a', wish));
    expect(error).toMatchObject({ code: 'issuer.malformed', surelyNotApplied: false, status: 201 });
    expect(inspect(error, { depth: 9 })).not.toContain('the value');
    expect(bench.stub.seen(`POST ${SECRETS}`)).toHaveLength(1);
  });

  it('I9: larger than any secret counts as lost', async () => {
    bench.stub.answer(`POST ${SECRETS}`, { status: 201, body: { ...good, more: 'x'.repeat(1024 * 1024) } });
    const error = await failure(bench.issuer.createSecret('a', wish));
    expect(error).toMatchObject({ code: 'issuer.malformed', surelyNotApplied: false });
  });
});

describe('a list', () => {
  const one = { clientId: 'a', description: 'A' };
  it.each([
    ['an object', { items: [one] }],
    ['null', null],
    ['an item without clientId', [one, { description: 'B' }]],
    ['an empty clientId', [one, { clientId: '' }]],
    ['a clientId that is no text', [one, { clientId: 5 }]],
    ['a description that is no text', [one, { clientId: 'b', description: {} }]],
    ['a null among the items', [one, null]],
    ['an item twice', [one, { clientId: 'b' }, one]],
    ['half of it', '[{"clientId":"a"},{"clie'],
    ['nothing', ''],
    ['HTML', '<html></html>'],
  ])('I11: of credentials that is %s is no list at all', async (_name, body) => {
    bench.stub.answer(LIST, { status: 200, body });
    expect(await failure(bench.issuer.listCredentials())).toMatchObject({ code: 'issuer.malformed' });
  });

  it.each([
    ['an item without id', [{ clientSecretId: 1 }, { description: 'B' }]],
    ['an id that is no number', [{ clientSecretId: { a: 1 } }]],
    ['expires that is no time', [{ clientSecretId: 1, expires: 'soon' }]],
    ['expires that is a number', [{ clientSecretId: 1, expires: 0 }]],
    ['an item twice', [{ clientSecretId: 1 }, { clientSecretId: '1' }]],
    ['an object', {}],
  ])('I11: of secrets that is %s is no list at all', async (_name, body) => {
    bench.stub.answer(`GET ${SECRETS}`, { status: 200, body });
    expect(await failure(bench.issuer.listSecrets('a'))).toMatchObject({ code: 'issuer.malformed' });
  });

  it('I11: that breaks off in the middle each time is unavailable, never partial', async () => {
    bench.stub.answer(LIST, 'reset-in-body');
    expect(await failure(bench.issuer.listCredentials())).toMatchObject({ code: 'issuer.unavailable' });
  });

  it('may be far larger than other answers', async () => {
    const body = Array.from({ length: 30_000 }, (_, i) => ({ clientId: `client-${i}`, description: 'x'.repeat(60) }));
    bench.stub.answer(LIST, { status: 200, body });
    expect(await bench.issuer.listCredentials()).toHaveLength(30_000);
  });
});

describe('an error body', () => {
  const errors: [string, Answer][] = [
    ['HTML', { status: 400, body: `<html>${CANARY}</html>` }],
    ['empty', { status: 400 }],
    ['huge', { status: 400, body: { title: 'x', detail: CANARY.repeat(20_000) } }],
    [
      'quoting',
      { status: 400, body: { title: `bad secret ${CANARY}`, detail: CANARY, traceId: CANARY, type: CANARY } },
    ],
    ['quoting the token', { status: 400, body: { title: 'bad token-1', type: 'urn:token-1', traceId: 'token-1' } }],
  ];

  it.each(errors)('I8, S1: %s: only the status is kept', async (_name, answer) => {
    bench.stub.answer(LIST, answer);
    bench.stub.answer(`POST ${SECRETS}`, answer);
    for (const call of [() => bench.issuer.listCredentials(), () => bench.issuer.createSecret('a', wish)]) {
      const error = await failure(call());
      expect(error.message).toMatch(/: the API answered 400$/);
      const everything = inspect(error, { depth: 9, showHidden: true }) + JSON.stringify(error) + String(error.stack);
      expect(everything).not.toContain(CANARY);
      expect(everything).not.toContain('token-1');
    }
  });

  it('I8: type, title and trace id are told', async () => {
    const body = { type: 'https://x.example/cap#3', title: 'Too many secrets', detail: 'no', traceId: '00-ab-01' };
    bench.stub.answer(`POST ${SECRETS}`, { status: 400, body });
    expect((await failure(bench.issuer.createSecret('a', wish))).message).toBe(
      'issuer d8: create-secret: the API answered 400 ("Too many secrets", type https://x.example/cap, trace 00-ab-01)',
    );
  });
});

describe('nothing of the HTTP library gets out', () => {
  const ways: [string, Answer][] = [
    ['a reset', 'reset'],
    ['a time-out', 'hang'],
    ['an error', { status: 500, body: CANARY }],
    ['a refusal', { status: 403, body: CANARY }],
    ['a 2xx that is none', { status: 200, body: CANARY }],
    ['a redirect', { status: 302, headers: { location: `https://x.example/?${encodeURIComponent(CANARY)}` } }],
  ];

  it.each(ways)('S1: after %s: no cause, no request, no response, no secret', async (_name, answer) => {
    for (const route of ['POST /connect/token', `POST ${SECRETS}`]) {
      const fresh = await openData8();
      fresh.stub.answer(route, answer);
      for (const call of [
        () => fresh.issuer.createSecret('a', wish),
        ...(route === 'POST /connect/token' ? [() => fresh.issuer.verify('a', SecretValue.of(CANARY))] : []),
      ]) {
        const error = await failure(call());
        expect(error.cause).toBeUndefined();
        expect(Object.keys(error).sort()).toEqual(
          ['code', 'fault', 'issuer', 'name', 'operation', 'retryAfter', 'status', 'surelyNotApplied'].sort(),
        );
        const everything = inspect(error, { depth: 9, showHidden: true }) + JSON.stringify(error);
        for (const spelling of [CANARY, encodeURIComponent(CANARY), Buffer.from(CANARY).toString('base64')]) {
          expect(everything).not.toContain(spelling);
        }
        expect(fresh.logged.join()).not.toContain(CANARY);
      }
      await fresh.close();
    }
  });
});

describe('the skew', () => {
  it('I19: comes from the API and not from the token endpoint, and an answer with Age is ignored', async () => {
    const date = (offset: number): string => new Date(bench.ports.clock.now() + offset).toUTCString();
    bench.stub.answer('POST /connect/token', {
      status: 200,
      headers: { date: date(3_600_000) },
      body: { access_token: 't', expires_in: 3600 },
    });
    expect(bench.issuer.skew()).toBeNull();
    bench.stub.answer(LIST, { status: 200, headers: { date: date(600_000), age: '3' }, body: [] });
    await bench.issuer.listCredentials();
    expect(bench.issuer.skew()).toBeNull();
    bench.stub.answer(LIST, { status: 200, headers: { date: date(60_000) }, body: [] });
    await bench.issuer.listCredentials();
    expect(bench.issuer.skew()).toBe(60_500);
  });
});
