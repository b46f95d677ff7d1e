import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { credentialWithSecret, seen, start, token } from './caller.ts';
import type { Caller } from './caller.ts';

function basic(clientId: string, clientSecret: string): string {
  const encode = (text: string): string => new URLSearchParams([['', text]]).toString().slice(1);
  return `Basic ${Buffer.from(`${encode(clientId)}:${encode(clientSecret)}`).toString('base64')}`;
}

describe('the token endpoint', () => {
  let caller: Caller;
  let now: number;
  beforeEach(async () => {
    now = Date.now();
    caller = await start({ now: () => now, clientSecret: 'sp ace+plus%:&é' });
  });
  afterEach(() => caller.emulator.close());

  it('gives a token by client_secret_post', async () => {
    const answer = await token(caller.emulator);
    expect(answer.status).toBe(200);
    expect(answer.json).toEqual({
      access_token: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/) as unknown,
      expires_in: 3600,
      token_type: 'Bearer',
      scope: 'BatchApi',
    });
    expect(answer.headers.get('cache-control')).toContain('no-store');
  });

  it('gives a token by client_secret_basic, both parts form-urlencoded', async () => {
    const { clientId, clientSecret } = caller.emulator.bootstrap;
    const authorization = basic(clientId, clientSecret!);
    expect((await token(caller.emulator, {}, { authorization })).status).toBe(200);
    const plain = `Basic ${Buffer.from(`${clientId}:${clientSecret!}`).toString('base64')}`;
    expect((await token(caller.emulator, {}, { authorization: plain })).json).toEqual({ error: 'invalid_client' });
  });

  it.each([
    ['a wrong secret', { client_secret: 'wrong' }, 'invalid_client'],
    ['an unknown client', { client_id: 'nobody' }, 'invalid_client'],
    ['no client', { client_id: '' }, 'invalid_client'],
    ['a wrong secret and a wrong grant', { client_secret: 'wrong', grant_type: 'password' }, 'invalid_client'],
    ['another grant', { grant_type: 'password' }, 'unsupported_grant_type'],
    ['no grant', { grant_type: '' }, 'invalid_request'],
    ['another scope', { scope: 'BatchApi Other' }, 'invalid_scope'],
  ])('answers %s with a 400', async (_what, form, error) => {
    const answer = await token(caller.emulator, form);
    expect(answer.status).toBe(400);
    expect(answer.json).toEqual({ error });
  });

  it('answers a body that is no form with invalid_request', async () => {
    const answer = await seen(caller.emulator.tokenUrl, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}',
    });
    expect([answer.status, answer.json]).toEqual([400, { error: 'invalid_request' }]);
  });

  it('accepts every unexpired secret of a client, until it expires or is deleted', async () => {
    const first = await credentialWithSecret(caller, { expires: new Date(now + 60_000).toISOString() });
    const second = (await caller.post(`/ClientCredential/${first.id}/secrets`, {})).json as {
      clientSecretId: number;
      generatedSecret: string;
    };
    const ask = async (client_secret: string): Promise<number> =>
      (await token(caller.emulator, { client_id: first.id, client_secret })).status;
    expect(await ask(first.value)).toBe(200);
    expect(await ask(second.generatedSecret)).toBe(200);

    now += 60_000;
    expect(await ask(first.value)).toBe(400);
    expect(await ask(second.generatedSecret)).toBe(200);

    await caller.put(`/ClientCredential/${first.id}/secrets/${first.secretId}`, {
      expires: new Date(now + 60_000).toISOString(),
    });
    expect(await ask(first.value)).toBe(200);
    await caller.delete(`/ClientCredential/${first.id}/secrets/${second.clientSecretId}`);
    expect(await ask(second.generatedSecret)).toBe(400);
    await caller.delete(`/ClientCredential/${first.id}`);
    expect(await ask(first.value)).toBe(400);
  });

  it('does not take the secret of one client for another', async () => {
    const one = await credentialWithSecret(caller);
    const other = await credentialWithSecret(caller);
    const answer = await token(caller.emulator, { client_id: one.id, client_secret: other.value });
    expect(answer.json).toEqual({ error: 'invalid_client' });
  });

  it('is found by the discovery document', async () => {
    const answer = await seen(`${caller.emulator.url}/.well-known/openid-configuration`);
    expect(answer.json).toMatchObject({
      issuer: caller.emulator.url,
      token_endpoint: caller.emulator.tokenUrl,
      token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'],
    });
  });

  it('dates its answers by its own clock', async () => {
    now += 86_400_000;
    const answer = await token(caller.emulator);
    expect(Math.abs(Date.parse(answer.headers.get('date')!) - now)).toBeLessThan(1_000);
  });
});
