import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { credentialWithSecret, start, token } from './caller.ts';
import type { Caller } from './caller.ts';

describe('conditions that last', () => {
  let caller: Caller;
  let now: number;
  beforeEach(async () => {
    now = Date.parse('2030-01-01T00:00:00Z');
    caller = await start({ now: () => now });
  });
  afterEach(() => caller.emulator.close());

  it('acceptAfter: a fresh secret is refused for so long; the bootstrap client is not touched', async () => {
    caller.emulator.faults.set({ acceptAfter: 10_000 });
    const { id, value } = await credentialWithSecret(caller);
    const ask = async (): Promise<unknown> =>
      (await token(caller.emulator, { client_id: id, client_secret: value })).json;
    expect(await ask()).toEqual({ error: 'invalid_client' });
    now += 9_999;
    expect(await ask()).toEqual({ error: 'invalid_client' });
    now += 1;
    expect(await ask()).toHaveProperty('access_token');
    expect((await token(caller.emulator)).status).toBe(200);
  });

  it('acceptFlap: then accepted by one try and not by the next, and at last always', async () => {
    caller.emulator.faults.set({ acceptAfter: 0, acceptFlap: 10_000 });
    const { id, value } = await credentialWithSecret(caller);
    const ask = async (): Promise<number[]> => {
      const answers = [];
      for (let count = 0; count < 12; count += 1) {
        answers.push((await token(caller.emulator, { client_id: id, client_secret: value })).status);
      }
      return [...new Set(answers)].sort();
    };
    expect(await ask()).toEqual([200, 400]);
    now += 10_000;
    expect(await ask()).toEqual([200]);
  });

  it('deletedAcceptedFor: a deleted secret works on for a while', async () => {
    caller.emulator.faults.set({ deletedAcceptedFor: 10_000 });
    const { id, secretId, value } = await credentialWithSecret(caller);
    await caller.delete(`/ClientCredential/${id}/secrets/${secretId}`);
    const ask = async (): Promise<number> =>
      (await token(caller.emulator, { client_id: id, client_secret: value })).status;
    expect(await ask()).toBe(200);
    now += 10_000;
    expect(await ask()).toBe(400);
  });

  it('maxLifetime: a longer life is cut, in POST and PUT, never included', async () => {
    caller.emulator.faults.set({ maxLifetime: 60_000 });
    const cut = '2030-01-01T00:01:00.0000000Z';
    const { id, secretId } = await credentialWithSecret(caller, { expires: '2031-01-01T00:00:00Z' });
    const path = `/ClientCredential/${id}/secrets/${secretId}`;
    expect((await caller.get(path)).json).toMatchObject({ expires: cut });
    await caller.put(path, { expires: null });
    expect((await caller.get(path)).json).toMatchObject({ expires: cut });
    await caller.put(path, { expires: '2030-01-01T00:00:30Z' });
    expect((await caller.get(path)).json).toMatchObject({ expires: '2030-01-01T00:00:30.0000000Z' });
  });

  it('maxSecrets: one more is a 400, a deletion makes room', async () => {
    caller.emulator.faults.set({ maxSecrets: 1 });
    const { id, secretId } = await credentialWithSecret(caller);
    const refused = await caller.post(`/ClientCredential/${id}/secrets`, {});
    expect(refused.status).toBe(400);
    expect(refused.json).toMatchObject({ status: 400, detail: expect.stringContaining('at most 1') as unknown });
    await caller.delete(`/ClientCredential/${id}/secrets/${secretId}`);
    expect((await caller.post(`/ClientCredential/${id}/secrets`, {})).status).toBe(201);
  });

  it('listLag: lists show creates, changes and deletes late; one object is up to date', async () => {
    const { id, secretId } = await credentialWithSecret(caller, { description: 'old' });
    caller.emulator.faults.set({ listLag: 1_000 });
    const path = `/ClientCredential/${id}/secrets`;
    const listed = async (): Promise<unknown> =>
      ((await caller.get(path)).json as { description: string }[]).map(({ description }) => description);
    const clients = async (): Promise<number> => ((await caller.get('/ClientCredential')).json as unknown[]).length;

    await caller.post(path, { description: 'new' });
    await caller.post('/ClientCredential', { description: 'other' });
    expect([await listed(), await clients()]).toEqual([['old'], 2]);
    now += 500;
    await caller.put(`${path}/${secretId}`, { description: 'edited' });
    expect((await caller.get(`${path}/${secretId}`)).json).toMatchObject({ description: 'edited' });
    now += 500;
    await caller.delete(`${path}/${secretId}`);
    expect([await listed(), await clients()]).toEqual([['old', 'new'], 3]);
    now += 500;
    expect(await listed()).toEqual(['edited', 'new']);
    now += 500;
    expect(await listed()).toEqual(['new']);
  });

  it('clockSkew: its clock goes wrong, the Date header with it', async () => {
    caller.emulator.faults.set({ clockSkew: -600_000 });
    const answer = await caller.get('/ClientCredential');
    expect(Date.parse(answer.headers.get('date')!)).toBe(now - 600_000);
  });
});
