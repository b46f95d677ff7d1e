import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Data8Bench } from './data8-bench.ts';
import { openData8 } from './data8-bench.ts';

const expires = Date.UTC(2030, 5, 1);
const wire = '2030-06-01T00:00:00.0000000Z';
let bench: Data8Bench;

beforeEach(async () => {
  bench = await openData8({ baseUrl: 'STUB/admin/' });
});
afterEach(() => bench.close());

/** What the one request to the API was, its body parsed. */
function sent(): unknown {
  const [request, ...more] = bench.stub.requests.filter(({ path }) => path !== '/connect/token');
  expect(more).toEqual([]);
  const { method, path, body, headers } = request!;
  expect(headers.authorization).toBe('Bearer token-1');
  return body === '' ? `${method} ${path}` : [`${method} ${path}`, JSON.parse(body)];
}

describe('the ten operations', () => {
  it('lists credentials; a null description is none', async () => {
    const body = [
      { clientId: 'a', description: 'A', secrets: null },
      { clientId: 'b', description: null, secrets: null },
    ];
    bench.stub.answer('GET /admin/ClientCredential', { status: 200, body });
    expect(await bench.api.listCredentials()).toEqual([
      { clientId: 'a', description: 'A' },
      { clientId: 'b', description: '' },
    ]);
    expect(sent()).toBe('GET /admin/ClientCredential');
    expect(bench.counted).toEqual(['token ok', 'list-credentials ok']);
  });

  it('gets one credential', async () => {
    bench.stub.answer('GET /admin/ClientCredential/a', { status: 200, body: { clientId: 'a', description: 'A' } });
    expect(await bench.api.getCredential('a')).toEqual({ clientId: 'a', description: 'A' });
    expect(bench.counted[1]).toBe('get-credential ok');
  });

  it('creates a credential, of which it gives only the description', async () => {
    const answer = { status: 201, body: { clientId: 'new', description: 'A', secrets: [] } };
    bench.stub.answer('POST /admin/ClientCredential', answer);
    expect(await bench.api.createCredential('A')).toEqual({ clientId: 'new', description: 'A' });
    expect(sent()).toEqual(['POST /admin/ClientCredential', { description: 'A' }]);
  });

  it('updates a credential whole, and leaves its secrets out of it', async () => {
    bench.stub.answer('PUT /admin/ClientCredential/a', { status: 204 });
    await bench.api.updateCredential('a', 'B');
    expect(sent()).toEqual(['PUT /admin/ClientCredential/a', { clientId: 'a', description: 'B' }]);
  });

  it('deletes a credential', async () => {
    bench.stub.answer('DELETE /admin/ClientCredential/a', { status: 204 }, { status: 404 });
    expect(await bench.api.deleteCredential('a')).toBe('deleted');
    expect(sent()).toBe('DELETE /admin/ClientCredential/a');
    expect(await bench.api.deleteCredential('a')).toBe('absent');
  });

  it('lists secrets, with ids as text and each kind of expires', async () => {
    const body = [
      { clientSecretId: 1, expires: wire, description: 'one' },
      { clientSecretId: -2, expires: null, description: null },
      { clientSecretId: 'three', expires: '0001-01-01T00:00:00' },
    ];
    bench.stub.answer('GET /admin/ClientCredential/a/secrets', { status: 200, body });
    expect(await bench.issuer.listSecrets('a')).toEqual([
      { secretId: '1', expires, description: 'one' },
      { secretId: '-2', expires: null, description: '' },
      { secretId: 'three', expires: null, description: '' },
    ]);
  });

  it('gets one secret', async () => {
    const body = { clientSecretId: 7, expires: wire, description: 'seven' };
    bench.stub.answer('GET /admin/ClientCredential/a/secrets/7', { status: 200, body });
    expect(await bench.api.getSecret('a', '7')).toEqual({ secretId: '7', expires, description: 'seven' });
  });

  it('creates a secret, whose value is redacted', async () => {
    const body = { clientSecretId: 7, expires: wire, description: 'new', generatedSecret: 'the value' };
    bench.stub.answer('POST /admin/ClientCredential/a/secrets', { status: 201, body });
    const created = await bench.issuer.createSecret('a', { expires, description: 'new' });
    expect(created.value.reveal()).toBe('the value');
    expect(JSON.parse(JSON.stringify(created))).toEqual({
      secretId: '7',
      expires,
      description: 'new',
      value: '[redacted]',
    });
    expect(sent()).toEqual(['POST /admin/ClientCredential/a/secrets', { expires: wire, description: 'new' }]);
  });

  it('I20: updates a secret whole, its id a number again', async () => {
    bench.stub.answer('PUT /admin/ClientCredential/a/secrets/7', { status: 200, body: {} });
    await bench.issuer.updateSecret('a', '7', { expires: null, description: 'kept' });
    expect(sent()).toEqual([
      'PUT /admin/ClientCredential/a/secrets/7',
      { clientSecretId: 7, expires: null, description: 'kept' },
    ]);
  });

  it('I15: tells a deletion from an answer of 404', async () => {
    bench.stub.answer('DELETE /admin/ClientCredential/a/secrets/7', { status: 200, body: 'gone' }, { status: 404 });
    expect(await bench.issuer.deleteSecret('a', '7')).toBe('deleted');
    expect(await bench.issuer.deleteSecret('a', '7')).toBe('absent');
  });
});

describe('ids in paths', () => {
  it('S5: are percent-encoded', async () => {
    const encoded = '/admin/ClientCredential/a%2F..%2Fb%3Fc%23d%20%25e/secrets';
    bench.stub.answer(`GET ${encoded}`, { status: 200, body: [] });
    expect(await bench.issuer.listSecrets('a/../b?c#d %e')).toEqual([]);
    expect(sent()).toBe(`GET ${encoded}`);
  });

  it.each(['', '.', '..', '\ud800'])('S5: %j is refused before anything is sent', async (id) => {
    for (const call of [() => bench.issuer.listSecrets(id), () => bench.issuer.deleteSecret('a', id)]) {
      await expect(call()).rejects.toMatchObject({ code: 'issuer.rejected', surelyNotApplied: true });
    }
    expect(bench.stub.requests).toEqual([]);
  });

  it('S5: an encoded dot stays what it is', async () => {
    bench.stub.answer('GET /admin/ClientCredential/%252e%252e/secrets', { status: 200, body: [] });
    expect(await bench.issuer.listSecrets('%2e%2e')).toEqual([]);
  });
});

describe('rights', () => {
  it('names what was proven, and what cannot be', async () => {
    bench.stub.answer('GET /admin/ClientCredential', { status: 200, body: [{ clientId: 'a', description: '' }] });
    bench.stub.answer('GET /admin/ClientCredential/a/secrets', { status: 403 });
    const rights = await bench.issuer.rights();
    expect(rights.map(({ right, status }) => `${right} ${status}`)).toEqual([
      'reached ok',
      'list-credentials ok',
      'list-secrets missing',
      'create-secret unknown',
      'update-secret unknown',
      'delete-secret unknown',
    ]);
    expect(bench.stub.requests.every(({ method, path }) => method === 'GET' || path === '/connect/token')).toBe(true);
  });

  it('says why the issuer is not reached', async () => {
    bench.stub.answer('POST /connect/token', { status: 400, body: { error: 'invalid_client' } });
    expect(await bench.issuer.rights()).toEqual([
      { right: 'reached', status: 'missing', hint: expect.stringContaining('invalid_client') as string },
    ]);
  });
});
