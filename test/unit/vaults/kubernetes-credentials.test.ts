import { describe, expect, it } from 'vitest';
import { ApiServer } from '../../../src/vaults/kubernetes/api-server.ts';
import type { Credentials } from '../../../src/vaults/kubernetes/cluster.ts';
import { FakeKubernetes } from '../../fakes/kubernetes-http.ts';

const about = { vault: 'k8s', entry: null };
const request = { method: 'GET', path: '/api/v1/namespaces/apps' } as const;

describe('credentials that the API server does not know any more', () => {
  it('are read again once, also for one who is refused after they were', async () => {
    const fake = await FakeKubernetes.start();
    let reads = 0;
    const withToken = (token: string): Credentials => ({
      server: fake.url,
      authorize: () => Promise.resolve({ options: {}, headers: { Authorization: `Bearer ${token}` } }),
    });
    // The second is on its way with the old token while the first renews it.
    let release = (): void => undefined;
    const late = new Promise<void>((resolve) => (release = resolve));
    let asked = 0;
    const old: Credentials = {
      server: fake.url,
      authorize: async () => {
        asked += 1;
        if (asked === 2) await late;
        return { options: {}, headers: { Authorization: 'Bearer old' } };
      },
    };
    const server = new ApiServer(old, () => {
      reads += 1;
      return Promise.resolve(withToken('good'));
    });
    const [first, second] = [server.send(request, about, undefined), server.send(request, about, undefined)];
    expect((await first).status).toBe(200);
    release();
    expect((await second).status).toBe(200);
    expect(reads).toBe(1);
    expect((await server.send(request, about, undefined)).status).toBe(200);
    expect(fake.requests).toHaveLength(5);
    await fake.stop();
  });
});
