import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { VaultError } from '../../src/domain/errors.ts';
import type { VaultFault } from '../../src/domain/errors.ts';
import { hatchCanary, leakIn } from './canary.ts';
import { makeMark } from './vault-bench.ts';
import { kubernetesScene, ref, thrownBy, valueOf } from './kubernetes-scene.ts';

describe('vault kubernetes, when the API server or the way to it fails', () => {
  const scene = kubernetesScene();
  const { openText } = scene;
  /** Every call that a vault has, each as a promise. */
  const calls = (payload = valueOf('a value')): [string, () => Promise<unknown>][] => [
    ['describe', () => scene.vault.describe(ref)],
    ['prove', () => scene.vault.describe(ref, { prove: true })],
    ['read', () => scene.vault.read(ref)],
    ['create', () => scene.vault.deliver(ref, payload, makeMark(1), 'absent')],
    ['deliver', () => scene.vault.deliver(ref, payload, makeMark(1), 'a version')],
    ['restoreMark', () => scene.vault.restoreMark(ref, makeMark(1), 'a version')],
  ];

  it.each<[string, number, string, VaultFault]>([
    ['V11: throttled by priority and fairness', 429, '', 'throttled'],
    ['the time-out of the API server', 504, '{"reason":"Timeout"}', 'unavailable'],
    ['no etcd', 500, '{"message":"etcdserver: request timed out"}', 'unavailable'],
    ['shutting down', 503, 'apiserver is shutting down', 'unavailable'],
    ['V15: forbidden', 403, '{"reason":"Forbidden"}', 'denied'],
    ['V15: not known', 401, '{"reason":"Unauthorized"}', 'denied'],
    ['V10: too large', 413, '', 'rejected'],
    ['not valid', 422, '{"reason":"Invalid"}', 'rejected'],
    ['an admission webhook', 403, '{"message":"admission webhook \\"x\\" denied the request: no"}', 'rejected'],
    ['a quota', 403, '{"message":"secrets is forbidden: exceeded quota: q, requested: count/secrets=1"}', 'rejected'],
    ['a teapot', 418, '', 'malformed'],
    ['200 that is no JSON', 200, '<html>', 'malformed'],
    ['200 that is no Secret', 200, '{"kind":"Secret"}', 'malformed'],
    ['200 with values that are no texts', 200, '{"metadata":{"resourceVersion":"1"},"data":{"value":7}}', 'malformed'],
  ])('%s (%i) is no absence', async (_, status, body, fault) => {
    scene.fake.fault = () => ({ status, body });
    for (const [name, call] of calls()) {
      if (status === 200 && name === 'create') continue; // any 200 says that it was made
      if (body.includes('"data"') && name === 'describe') continue; // which does not look at the values
      expect(await thrownBy(call), name).toMatchObject({ fault });
    }
  });

  it.each([400, 401, 403, 409, 413, 418, 422, 429, 500, 503])(
    'S1: a %i whose body quotes the value shows nothing of it',
    async (status) => {
      const canary = hatchCanary();
      for (const quoted of [canary.text, Buffer.from(canary.text).toString('base64')]) {
        const body = {
          kind: 'Status',
          message: quoted,
          reason: quoted,
          details: { kind: quoted, causes: [{ reason: quoted }] },
        };
        for (const text of [JSON.stringify(body), `<html>${quoted}`]) {
          scene.fake.fault = () => ({
            status,
            body: text,
            headers: { 'x-debug': Buffer.from(quoted).toString('hex') },
          });
          for (const [name, call] of calls(valueOf(canary.text))) {
            const error = await thrownBy(call);
            expect(error, name).toBeInstanceOf(VaultError);
            expect(leakIn(error, [canary]), name).toBeNull();
          }
        }
      }
    },
  );

  it('S1: an answer that breaks off in the middle of the value shows nothing of it', async () => {
    const canary = hatchCanary();
    scene.fake.fault = () => ({ status: 200, body: `{"data":{"value":"${canary.text}` });
    const error = await thrownBy(() => scene.vault.read(ref));
    expect(error).toMatchObject({ fault: 'malformed' });
    expect(leakIn(error, [canary])).toBeNull();
  });

  it('reads no endless answer', async () => {
    scene.fake.fault = () => ({ status: 200, body: 'x'.repeat(5_000_000) });
    await expect(scene.vault.read(ref)).rejects.toMatchObject({ fault: 'malformed' });
  });

  it.each([301, 302, 303, 307, 308])(
    'S9: a redirect (%i) is not followed, with or without credentials',
    async (status) => {
      let followed = 0;
      const thief = createServer((_, response) => {
        followed += 1;
        response.end('{}');
      });
      thief.listen(0, '127.0.0.1');
      await once(thief, 'listening');
      const location = `http://127.0.0.1:${(thief.address() as AddressInfo).port}/api/v1/namespaces/apps/secrets/orders`;
      scene.fake.fault = () => ({ status, body: '', headers: { location } });
      for (const [name, call] of calls()) {
        const message = expect.stringContaining('a redirect, which is not followed') as string;
        expect(await thrownBy(call), name).toMatchObject({ fault: 'unavailable', message });
      }
      expect(followed).toBe(0);
      thief.close();
    },
  );

  it('gives up in the middle of a call, by the reason it was given', async () => {
    scene.fake.fault = () => 'silent';
    for (const ask of [
      (signal: AbortSignal) => scene.vault.describe(ref, {}, signal),
      (signal: AbortSignal) => scene.vault.deliver(ref, valueOf('a value'), makeMark(1), 'absent', signal),
    ]) {
      const stop = new AbortController();
      const reason = new Error('the caller gave up');
      const answer = ask(stop.signal);
      setTimeout(() => stop.abort(reason), 20);
      await expect(answer).rejects.toBe(reason);
    }
  });

  it('names the server that does not answer', async () => {
    const away = scene.fake.url.replace(/\d+$/, '1');
    const lost = await openText(scene.fake.kubeconfig({ token: 'good' }, away));
    const message = expect.stringContaining(`no answer from ${away} (ECONNREFUSED)`) as string;
    await expect(lost.describe(ref)).rejects.toMatchObject({ fault: 'unavailable', message });
    expect(await lost.rights([ref])).toMatchObject([{ right: 'reached', status: 'missing', hint: message }]);
  });

  it('V9: a 404 is absence only where the namespace is there', async () => {
    expect(await scene.vault.describe(ref)).toEqual({ state: 'absent' });
    scene.fake.allows = (_, resource) => resource !== 'namespaces';
    const untold = expect.stringContaining("grant the verb get on namespaces in namespace 'apps'") as string;
    await expect(scene.vault.describe(ref)).rejects.toMatchObject({ fault: 'denied', message: untold });
    scene.fake.allows = () => true;
    scene.fake.namespaces.clear();
    const gone = expect.stringContaining("the namespace 'apps' is not there") as string;
    for (const [name, call] of calls()) {
      expect(await thrownBy(call), name).toMatchObject({ fault: 'unavailable', message: gone });
    }
  });

  it('V3: a Secret that goes between look and write is a conflict', async () => {
    const { version } = await scene.vault.deliver(ref, valueOf('a value'), makeMark(1), 'absent');
    scene.fake.fault = ({ method }) => {
      if (method === 'PATCH') scene.fake.secrets.clear();
      return null;
    };
    const late = scene.vault.deliver(ref, valueOf('another'), makeMark(2), version);
    await expect(late).rejects.toMatchObject({ fault: 'conflict' });
  });

  it('V3: a label that somebody sets between look and write is a conflict, and stays', async () => {
    const { version } = await scene.vault.deliver(ref, valueOf('a value'), makeMark(1), 'absent');
    let once = true;
    scene.fake.fault = ({ method }) => {
      if (method === 'PATCH' && once) scene.fake.edit('apps/orders', ({ metadata }) => (metadata.labels['team'] = 'a'));
      if (method === 'PATCH') once = false;
      return null;
    };
    const write = (): Promise<unknown> => scene.vault.deliver(ref, valueOf('another'), makeMark(2), version);
    await expect(write()).rejects.toMatchObject({ fault: 'conflict' });
    await write();
    expect(scene.fake.secrets.get('apps/orders')?.metadata.labels).toMatchObject({ team: 'a' });
  });

  it('tells its rights of an older cluster, and of one that does not answer reviews', async () => {
    scene.fake.fault = ({ path }) => (path.endsWith('/selfsubjectreviews') ? { status: 404, body: '{}' } : null);
    expect((await scene.vault.rights([ref])).map((right) => right.status)).toEqual(['ok', 'ok', 'ok', 'ok', 'ok']);
    scene.fake.fault = ({ path }) => (path.includes('review') ? { status: 403, body: '{}' } : null);
    const rights = await scene.vault.rights([ref]);
    expect(rights.map((right) => right.status)).toEqual(['ok', 'unknown', 'unknown', 'unknown', 'unknown']);
    scene.fake.tokens.clear();
    scene.fake.fault = () => null;
    expect(await scene.vault.rights([ref])).toMatchObject([{ right: 'reached', status: 'missing' }]);
  });

  it('says the Role once for a namespace, whatever is missing in it', async () => {
    scene.fake.allows = (verb) => verb !== 'patch';
    const rights = await scene.vault.rights([ref, { entry: 'apps/checkout', options: {} }]);
    const missing = rights.filter((right) => right.status === 'missing');
    expect(missing.map((right) => right.right)).toEqual([
      'patch secrets/checkout in apps',
      'patch secrets/orders in apps',
    ]);
    expect(missing[0]?.hint).toContain('"resourceNames":["checkout","orders"]');
    expect(missing[1]?.hint).toBe('the same Role grants it');
  });
});
