import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { callerWith, credentialWithSecret, seen, start, token } from './caller.ts';
import type { Caller } from './caller.ts';

/** Matchers are of type any; as unknown they may stand in an object. */
const someText: unknown = expect.any(String);
const someNumber: unknown = expect.any(Number);

const SEVEN_DIGITS = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{7}Z$/;

describe('the ten operations', () => {
  let caller: Caller;
  beforeEach(async () => {
    caller = await start();
  });
  afterEach(() => caller.emulator.close());

  it('generates the clientId, whatever the body says, and lists credentials with secrets null', async () => {
    const created = await caller.post('/ClientCredential', { clientId: 'mine', description: 'billing', secrets: [] });
    expect(created.status).toBe(201);
    expect(created.json).toEqual({ clientId: someText, description: 'billing', secrets: [] });
    const { clientId } = created.json as { clientId: string };
    expect(clientId).not.toBe('mine');
    await caller.post(`/ClientCredential/${clientId}/secrets`, { description: 'one' });

    const list = await caller.get('/ClientCredential');
    expect(list.headers.get('content-type')).toContain('application/json');
    expect(list.json).toContainEqual({ clientId, description: 'billing', secrets: null });
    expect(list.json).toContainEqual(expect.objectContaining({ clientId: caller.emulator.bootstrap.clientId }));
    expect(list.json).toHaveLength(2);
  });

  it('shows one credential with its secrets, without values', async () => {
    const { id, secretId, value } = await credentialWithSecret(caller, { description: 'one' });
    const got = await caller.get(`/ClientCredential/${id}`);
    expect(got.json).toEqual({
      clientId: id,
      description: 'billing (prod)',
      secrets: [{ clientSecretId: secretId, expires: null, description: 'one' }],
    });
    expect(got.text).not.toContain(value);
  });

  it('updates and deletes a credential, and the list tells it at once', async () => {
    const { id, secretId } = await credentialWithSecret(caller);
    expect((await caller.put(`/ClientCredential/${id}`, { description: 'renamed' })).status).toBe(204);
    expect((await caller.get('/ClientCredential')).json).toContainEqual({
      clientId: id,
      description: 'renamed',
      secrets: null,
    });
    expect((await caller.put(`/ClientCredential/${id}`, {})).status).toBe(204);
    expect((await caller.get(`/ClientCredential/${id}`)).json).toMatchObject({ description: 'renamed' });

    expect((await caller.delete(`/ClientCredential/${id}`)).status).toBe(204);
    expect((await caller.get('/ClientCredential')).json).toHaveLength(1);
    expect((await caller.get(`/ClientCredential/${id}`)).status).toBe(404);
    expect((await caller.get(`/ClientCredential/${id}/secrets/${secretId}`)).status).toBe(404);
  });

  it('tells the value of a secret once, by the POST that made it', async () => {
    const { id } = await credentialWithSecret(caller);
    const created = await caller.post(`/ClientCredential/${id}/secrets`, {
      clientSecretId: 7_000,
      description: 'one',
      expires: '2031-05-06T07:08:09.5Z',
    });
    expect(created.status).toBe(201);
    const { clientSecretId, generatedSecret } = created.json as { clientSecretId: number; generatedSecret: string };
    expect(created.json).toEqual({
      clientSecretId: someNumber,
      expires: '2031-05-06T07:08:09.5000000Z',
      description: 'one',
      generatedSecret: expect.stringMatching(/^.{40,}$/) as unknown,
    });
    expect(clientSecretId).not.toBe(7_000);

    for (const path of ['/ClientCredential', `/ClientCredential/${id}`, `/ClientCredential/${id}/secrets`]) {
      expect((await caller.get(path)).text).not.toContain(generatedSecret);
    }
    const one = await caller.get(`/ClientCredential/${id}/secrets/${clientSecretId}`);
    expect(one.json).toEqual({ clientSecretId, expires: '2031-05-06T07:08:09.5000000Z', description: 'one' });
    expect(
      JSON.stringify([...caller.emulator.account.credentials()], (_key, value: unknown) =>
        value instanceof Map ? [...value.values()] : value,
      ),
    ).not.toContain(generatedSecret);
  });

  it('never gives a secret id twice, also not after a deletion', async () => {
    const { id, secretId } = await credentialWithSecret(caller);
    await caller.delete(`/ClientCredential/${id}/secrets/${secretId}`);
    const again = await caller.post(`/ClientCredential/${id}/secrets`, {});
    expect((again.json as { clientSecretId: number }).clientSecretId).toBeGreaterThan(secretId);
  });

  it('changes what a PUT gives, null included, and leaves the rest', async () => {
    const { id, secretId } = await credentialWithSecret(caller, {
      description: 'one',
      expires: '2031-01-01T00:00:00Z',
    });
    const path = `/ClientCredential/${id}/secrets/${secretId}`;
    expect((await caller.put(path, { expires: '2032-01-01T00:00:00Z' })).status).toBe(204);
    expect((await caller.get(path)).json).toMatchObject({
      description: 'one',
      expires: '2032-01-01T00:00:00.0000000Z',
    });
    await caller.put(path, { description: 'two', expires: null });
    expect((await caller.get(path)).json).toMatchObject({ description: 'two', expires: null });
  });

  it('deletes a secret once; the second time it is a 404', async () => {
    const { id, secretId } = await credentialWithSecret(caller);
    const path = `/ClientCredential/${id}/secrets/${secretId}`;
    expect((await caller.delete(path)).status).toBe(204);
    expect((await caller.delete(path)).status).toBe(404);
    expect((await caller.get(`/ClientCredential/${id}/secrets`)).json).toEqual([]);
  });

  it('lists expired secrets, too', async () => {
    const { id } = await credentialWithSecret(caller, { expires: '2001-01-01T00:00:00Z' });
    const list = (await caller.get(`/ClientCredential/${id}/secrets`)).json as { expires: string }[];
    expect(list).toHaveLength(1);
    expect(list[0]!.expires).toMatch(SEVEN_DIGITS);
  });

  it('answers errors with ProblemDetails', async () => {
    const missing = await caller.get('/ClientCredential/nobody');
    expect(missing.status).toBe(404);
    expect(missing.headers.get('content-type')).toContain('application/problem+json');
    expect(missing.json).toEqual({
      type: expect.stringContaining('https://') as unknown,
      title: 'Not Found',
      status: 404,
      detail: someText,
      instance: '/ClientCredential/nobody',
    });
  });

  it.each([
    ['a description of the wrong type', { description: 5 }, '$.description'],
    ['a description that is too long', { description: 'x'.repeat(2001) }, '$.description'],
    ['an expiry that is no time', { expires: 'tomorrow' }, '$.expires'],
  ])('refuses %s with a 400 that names it', async (_what, body, key) => {
    const { id } = await credentialWithSecret(caller);
    const refused = await caller.post(`/ClientCredential/${id}/secrets`, body);
    expect(refused.status).toBe(400);
    expect(refused.json).toMatchObject({ status: 400, errors: { [key]: [expect.any(String)] } });
    expect((await caller.get(`/ClientCredential/${id}/secrets`)).json).toHaveLength(1);
  });

  it.each([
    ['no body', undefined, 400],
    ['a body that is no JSON', '{"description"', 400],
    ['a body that is no object', '[]', 400],
    ['a poisoned body', '{"__proto__": {"description": "x"}}', 400],
    ['a huge body', JSON.stringify({ description: 'x'.repeat(70_000) }), 413],
  ])('refuses %s', async (_what, body, status) => {
    expect((await caller.post('/ClientCredential', body)).status).toBe(status);
  });

  it('refuses a body that is not JSON by its type, and a secret id that is no number', async () => {
    const { id } = await credentialWithSecret(caller);
    const { access_token } = (await token(caller.emulator)).json as { access_token: string };
    const form = await seen(`${caller.emulator.url}/ClientCredential`, {
      method: 'POST',
      headers: { authorization: `Bearer ${access_token}` },
      body: new URLSearchParams({ description: 'x' }),
    });
    expect(form.status).toBe(415);
    expect((await caller.get(`/ClientCredential/${id}/secrets/abc`)).status).toBe(400);
  });

  it('takes a clientId that needs percent-encoding', async () => {
    caller.emulator.account.createCredential('odd', { clientId: 'a/b c%' });
    const got = await caller.get(`/ClientCredential/${encodeURIComponent('a/b c%')}`);
    expect(got.json).toMatchObject({ clientId: 'a/b c%' });
  });
});

describe('who may use the API', () => {
  it('refuses a caller without a token, with a wrong one, with an ended or a revoked one: 401', async () => {
    let now = Date.now();
    const caller = await start({ tokenLifetime: 60, now: () => now });
    const { emulator } = caller;
    const refused = await callerWith(emulator, null).get('/ClientCredential');
    expect(refused.status).toBe(401);
    expect(refused.headers.get('www-authenticate')).toMatch(/^Bearer/);
    expect(refused.json).toMatchObject({ status: 401 });
    expect((await callerWith(emulator, 'x.y.z').get('/ClientCredential')).status).toBe(401);
    expect((await callerWith(emulator, 'nonsense').get('/ClientCredential')).status).toBe(401);

    expect((await caller.get('/ClientCredential')).status).toBe(200);
    now += 61_000;
    expect((await caller.get('/ClientCredential')).status).toBe(401);

    const fresh = (await token(emulator)).json as { access_token: string };
    expect((await callerWith(emulator, fresh.access_token).get('/ClientCredential')).status).toBe(200);
    emulator.revokeTokens();
    expect((await callerWith(emulator, fresh.access_token).get('/ClientCredential')).status).toBe(401);
    await emulator.close();
  });

  it.each([
    [false, 403],
    [true, 200],
  ])('answers other clients as anyClientAdministers (%s) says: %i', async (anyClientAdministers, status) => {
    const caller = await start({ anyClientAdministers });
    const { id, value } = await credentialWithSecret(caller);
    const got = (await token(caller.emulator, { client_id: id, client_secret: value })).json as {
      access_token: string;
    };
    expect((await callerWith(caller.emulator, got.access_token).get('/ClientCredential')).status).toBe(status);
    await caller.emulator.close();
  });

  it('takes the bootstrap client that it is given', async () => {
    const { emulator } = await start({ clientId: 'me', clientSecret: 'a b+c%&=é' });
    expect(emulator.bootstrap).toEqual({ clientId: 'me', clientSecret: 'a b+c%&=é' });
    await emulator.close();
  });
});
