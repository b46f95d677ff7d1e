import { writeFileSync } from 'node:fs';
import { describe, expect, it, vi } from 'vitest';
import { ConfigError } from '../../src/domain/errors.ts';
import { kubernetesVaultType } from '../../src/vaults/kubernetes.ts';
import { FakeKubernetes } from '../fakes/kubernetes-http.ts';
import { hatchCanary, leakIn } from './canary.ts';
import { makeMark } from './vault-bench.ts';
import { createTestContext } from './vault-context.ts';
import { kubernetesScene, ref, thrownBy, valueOf } from './kubernetes-scene.ts';

describe('vault kubernetes: the kubeconfig that it comes with', () => {
  const scene = kubernetesScene();
  const { file, open, openText } = scene;

  it('reads its credentials again after a 401, once for all who wait, and repeats what was not executed', async () => {
    writeFileSync(file('token'), 'old');
    scene.fake.tokens.add('old');
    const rotating = await openText(scene.fake.kubeconfig({ tokenFile: 'token' }));
    await rotating.describe(ref);
    scene.fake.tokens.delete('old');
    writeFileSync(file('token'), 'good\n');
    scene.fake.requests.length = 0;
    const looks = await Promise.all(Array.from({ length: 5 }, () => rotating.describe(ref)));
    expect(looks).toEqual(Array.from({ length: 5 }, () => ({ state: 'absent' })));
    // five are refused, and each is sent once more, with its look at the namespace
    expect(scene.fake.requests).toHaveLength(15);
    await rotating.deliver(ref, valueOf('a value'), makeMark(1), 'absent');
  });

  it('tells that the kubeconfig names another server now, and asks it nothing', async () => {
    const other = await FakeKubernetes.start();
    scene.fake.tokens.clear();
    writeFileSync(file('kubeconfig.yaml'), other.kubeconfig());
    const message = expect.stringContaining('names another server now') as string;
    await expect(scene.vault.describe(ref)).rejects.toMatchObject({ fault: 'unavailable', message });
    expect(other.requests).toEqual([]);
    await other.stop();
  });

  it('S1: tells that a plugin of the kubeconfig failed, and not what it printed', async () => {
    const canary = hatchCanary();
    writeFileSync(file('says'), canary.text);
    const exec = {
      apiVersion: 'client.authentication.k8s.io/v1',
      command: 'sh',
      args: ['-c', `cat ${file('says')} >&2; exit 1`],
    };
    const plugged = await openText(scene.fake.kubeconfig({ exec }));
    const error = await thrownBy(() => plugged.describe(ref));
    expect(error).toMatchObject({ fault: 'unavailable', message: expect.stringContaining('exec plugin') as string });
    expect(leakIn(error, [canary])).toBeNull();
  });

  it('is the same store under another name, and by the name that it is given', async () => {
    expect(scene.vault.identity).toBe(`kubernetes:${scene.fake.url}`);
    expect((await open(file('kubeconfig.yaml'), { cluster: 'prod-eu' })).identity).toBe('kubernetes:prod-eu');
  });

  describe('a kubeconfig that cannot be used is an error of the configuration', () => {
    const https = (more: object): string => {
      const config = JSON.parse(scene.fake.kubeconfig()) as { clusters: { cluster: object }[] };
      config.clusters = [{ ...config.clusters[0], cluster: { server: 'https://kube.example', ...more } }];
      return JSON.stringify(config);
    };

    it.each<[string, () => string, RegExp]>([
      [
        'http to another machine',
        () => scene.fake.kubeconfig({}, 'http://kube.example'),
        /the server of cluster 'fake' must start with https/,
      ],
      ['no check of certificates', () => https({ 'insecure-skip-tls-verify': true }), /insecure-skip-tls-verify/],
      ['no context', () => '{}', /has no context/],
    ])('%s', async (_, text, message) => {
      await expect(openText(text())).rejects.toBeInstanceOf(ConfigError);
      await expect(openText(text())).rejects.toThrow(message);
    });

    it('a context that it does not have', async () => {
      const opened = open(file('kubeconfig.yaml'), { context: 'prod' });
      await expect(opened).rejects.toThrow(
        /vaults\.under-test\.kubeconfig: has no context 'prod' with a cluster; there is 'fake'/,
      );
    });

    it('a file that is not there', async () => {
      await expect(open(file('nothing.yaml'))).rejects.toThrow(
        /cannot read '.*nothing\.yaml' as a kubeconfig: .* ENOENT/,
      );
    });

    it('S1: a file that is no YAML, of which nothing is quoted', async () => {
      const canary = hatchCanary();
      const error = await thrownBy(() => openText(`token: "${canary.text}\n\t- {`));
      expect(error).toBeInstanceOf(ConfigError);
      expect(leakIn(error, [canary])).toBeNull();
    });

    it('none, outside of a cluster', async () => {
      vi.stubEnv('KUBERNETES_SERVICE_HOST', '');
      const options = { namespace: 'apps', kubeconfig: null, context: null, cluster: null };
      const opened = Promise.resolve().then(() => kubernetesVaultType.create(options, createTestContext()));
      await expect(opened).rejects.toThrow(/does not run in a cluster/);
      vi.unstubAllEnvs();
    });
  });
});
