import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { callerWith, credentialWithSecret, start } from './caller.ts';
import type { Caller } from './caller.ts';

const sha256 = (value: string): string => createHash('sha256').update(value).digest('hex');

describe('the routes for a test in another process', () => {
  let caller: Caller;
  let anybody: Caller;
  let now: number;
  beforeEach(async () => {
    now = Date.now();
    caller = await start({ faultRoutes: true, now: () => now });
    anybody = callerWith(caller.emulator, null);
  });
  afterEach(() => caller.emulator.close());

  it('are not there unless they are switched on', async () => {
    const plain = await start();
    for (const path of ['/_faults', '/_log', '/_truth']) expect((await plain.get(path)).status).toBe(404);
    expect((await plain.put('/_faults', {})).status).toBe(404);
    expect((await plain.post('/_accepted', {})).status).toBe(404);
    expect((await plain.post('/_revoke')).status).toBe(404);
    await plain.emulator.close();
  });

  it('PUT /_faults replaces the switches, GET tells them and their hits', async () => {
    const set = await anybody.put('/_faults', {
      listLag: 5,
      rules: [{ kind: 'throttle', operations: ['listCredentials'] }],
    });
    expect(set.status).toBe(200);
    expect((await caller.get('/ClientCredential')).status).toBe(429);
    expect((await anybody.get('/_faults')).json).toMatchObject({
      settings: { listLag: 5, maxSecrets: null, rules: [{ kind: 'throttle', probability: 1 }] },
      hits: [1],
    });
    await anybody.put('/_faults', {});
    expect((await caller.get('/ClientCredential')).status).toBe(200);
  });

  it('PUT /_faults names what is wrong, and changes nothing', async () => {
    await anybody.put('/_faults', { maxSecrets: 2 });
    const refused = await anybody.put('/_faults', { rules: [{ kind: 'rest' }] });
    expect(refused.status).toBe(400);
    expect(refused.json).toMatchObject({ errors: { '$.rules.0.kind': [expect.any(String) as unknown] } });
    expect((await anybody.get('/_faults')).json).toMatchObject({ settings: { maxSecrets: 2 } });
  });

  it('GET /_log tells the requests of the API, DELETE empties it', async () => {
    await anybody.delete('/_log');
    await caller.get('/ClientCredential?x=canary');
    const log = await anybody.get('/_log');
    expect(log.json).toEqual([
      {
        time: new Date(now).toISOString(),
        operation: 'listCredentials',
        method: 'GET',
        path: '/ClientCredential',
        status: 200,
        fault: null,
        latency: 0,
      },
    ]);
  });

  it('GET /_truth tells of every secret that ever was, by its hash', async () => {
    const { id, secretId, value } = await credentialWithSecret(caller, { expires: '2031-01-01T00:00:00Z' });
    now += 1_000;
    await caller.put(`/ClientCredential/${id}/secrets/${secretId}`, { expires: '2032-01-01T00:00:00Z' });
    now += 1_000;
    await caller.delete(`/ClientCredential/${id}`);
    const truth = await anybody.get('/_truth');
    const { secrets } = truth.json as { secrets: { clientId: string; created: string }[] };
    expect(secrets).toHaveLength(2);
    const entry = secrets.find(({ clientId }) => clientId === id)!;
    const at = (offset: number): string => new Date(now + offset).toISOString().replace('Z', '0000Z');
    expect(entry).toEqual({
      clientId: id,
      clientSecretId: secretId,
      sha256: sha256(value),
      description: null,
      created: at(-2_000),
      expires: '2032-01-01T00:00:00.0000000Z',
      deleted: at(0),
      changes: [{ at: at(-1_000), expires: '2032-01-01T00:00:00.0000000Z' }],
    });
    expect(truth.text).not.toContain(value);
  });

  it('POST /_accepted tells whether a value lives, whatever the caches say', async () => {
    await anybody.put('/_faults', { acceptAfter: 60_000, deletedAcceptedFor: 60_000 });
    const { id, secretId, value } = await credentialWithSecret(caller, {
      expires: new Date(now + 60_000).toISOString(),
    });
    const ask = async (clientId: string, text: string): Promise<unknown> =>
      ((await anybody.post('/_accepted', { clientId, sha256: sha256(text) })).json as { accepted: boolean }).accepted;
    expect(await ask(id, value)).toBe(true);
    expect(await ask(id, 'other')).toBe(false);
    expect(await ask('nobody', value)).toBe(false);
    now += 60_000;
    expect(await ask(id, value)).toBe(false);
    now -= 1;
    expect(await ask(id, value)).toBe(true);
    await caller.delete(`/ClientCredential/${id}/secrets/${secretId}`);
    expect(await ask(id, value)).toBe(false);
    expect((await anybody.post('/_accepted', { clientId: id, value })).status).toBe(400);
  });

  it('POST /_revoke ends all tokens', async () => {
    expect((await anybody.post('/_revoke')).status).toBe(204);
    expect((await caller.get('/ClientCredential')).status).toBe(401);
  });
});
