import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { expect, it, vi } from 'vitest';
import { parseAllDocuments } from 'yaml';
import type { EntryRef } from '../../src/vaults/contract.ts';
import { kubernetesVaultType, openKubernetesVault } from '../../src/vaults/kubernetes.ts';
import { hatchCanary, leakIn } from '../conformance/canary.ts';
import { makeMark } from '../conformance/vault-bench.ts';
import { createTestContext } from '../conformance/vault-context.ts';
import { apiRequest, must } from './kubernetes-api.ts';
import { base64, describeOnKubernetes, login, payload } from './kubernetes-bench.ts';
import { KubernetesTeam } from './kubernetes-team.ts';
import { kubeconfigOf } from './kubernetes.ts';

await describeOnKubernetes('rights', (given) => {
  it('S1: an admission policy that quotes the value is not quoted', async () => {
    const bench = given();
    const canary = hatchCanary();
    const admission = '/apis/admissionregistration.k8s.io/v1';
    await must(bench.access, 'POST', `${admission}/validatingadmissionpolicies`, {
      metadata: { name: 'talkative' },
      spec: {
        matchConstraints: {
          resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['secrets'] }],
        },
        validations: [
          {
            expression: "!object.metadata.name.startsWith('refused')",
            messageExpression: "'refused: ' + string(object.data.CLIENT_SECRET)",
          },
        ],
      },
    });
    await must(bench.access, 'POST', `${admission}/validatingadmissionpolicybindings`, {
      metadata: { name: 'talkative' },
      spec: { policyName: 'talkative', validationActions: ['Deny'] },
    });
    const path = `/api/v1/namespaces/${bench.team.namespace}/secrets`;
    const body = { metadata: { name: 'refused-by-hand' }, data: { CLIENT_SECRET: base64(canary.text) } };
    // the policy takes a moment to hold, and then it does quote
    await vi.waitFor(async () => {
      const answer = await apiRequest(bench.access, 'POST', `${path}?dryRun=All`, body);
      expect(leakIn(JSON.stringify(answer.body), [canary])).not.toBeNull();
      expect(answer.status).toBe(422);
    }, 20_000);
    const refused = bench.vault.deliver(
      bench.at('refused'),
      payload({ CLIENT_SECRET: canary.text }),
      makeMark(1),
      'absent',
    );
    const error: unknown = await refused.catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ fault: 'rejected' });
    expect(leakIn(error, [canary])).toBeNull();
  });

  it('reads a token file again when the API server does not know the token any more', async () => {
    const bench = given();
    await writeFile(bench.file('token'), `${await bench.team.token()}\n`, { mode: 0o600 });
    const rotating = await bench.open('token-file.yaml', { tokenFile: 'token' });
    const absent = { state: 'absent' };
    expect(await rotating.describe(bench.at('nothing'))).toEqual(absent);
    await writeFile(bench.file('token'), 'a token that nobody knows\n');
    expect(await rotating.describe(bench.at('nothing'))).toEqual(absent); // the one in memory is still good
    const renewed = await bench.open('token-file.yaml', { tokenFile: 'token' });
    await expect(renewed.describe(bench.at('nothing'))).rejects.toMatchObject({ fault: 'denied' });
    await writeFile(bench.file('token'), `${await bench.team.token()}\n`);
    expect(await renewed.describe(bench.at('nothing'))).toEqual(absent);
  });

  it('reads the certificate authority again when the certificate is not trusted any more', async () => {
    const bench = given();
    const config = JSON.parse(kubeconfigOf(bench.access, { token: await bench.team.token() })) as {
      clusters: object[];
    };
    const cluster = { server: bench.access.url, 'certificate-authority': 'ca.crt' };
    config.clusters = [{ name: 'test', cluster }];
    await writeFile(bench.file('ca.crt'), rootCertificates[0]!);
    await writeFile(bench.file('ca.yaml'), JSON.stringify(config), { mode: 0o600 });
    const options = {
      namespace: bench.team.namespace,
      kubeconfig: bench.file('ca.yaml'),
      context: null,
      cluster: null,
    };
    const rotating = await kubernetesVaultType.create(options, createTestContext());
    const told = { fault: 'unavailable', message: expect.stringContaining('certificate-authority') as string };
    await expect(rotating.describe(bench.at('nothing'))).rejects.toMatchObject(told);
    await writeFile(bench.file('ca.crt'), bench.access.ca);
    expect(await rotating.describe(bench.at('nothing'))).toEqual({ state: 'absent' });
  });

  it("works as the pod's service account, and reads its token again", async () => {
    const bench = given();
    const account = bench.file('pod/var/run/secrets/kubernetes.io/serviceaccount');
    await mkdir(account, { recursive: true });
    await writeFile(join(account, 'ca.crt'), bench.access.ca);
    await writeFile(join(account, 'token'), 'a token that nobody knows');
    const { hostname, port } = new URL(bench.access.url);
    vi.stubEnv('KUBERNETES_SERVICE_HOST', hostname);
    vi.stubEnv('KUBERNETES_SERVICE_PORT', port);
    try {
      const options = { namespace: bench.team.namespace, kubeconfig: null, context: null, cluster: null };
      const pod = await openKubernetesVault(options, createTestContext(), bench.file('pod'));
      await expect(pod.describe(bench.at('nothing'))).rejects.toMatchObject({ fault: 'denied' });
      await writeFile(join(account, 'token'), await bench.team.token());
      expect(await pod.describe(bench.at('nothing'))).toEqual({ state: 'absent' });
    } finally {
      vi.unstubAllEnvs();
    }
  });

  it('the rights in config/policies/kubernetes.yaml are enough for the Secrets it names, and for no others', async () => {
    const bench = given();
    const text = await readFile('config/policies/kubernetes.yaml', 'utf8');
    const least = await KubernetesTeam.make(bench.access, 'least');
    const token = await least.token();
    const ours = await bench.open('least.yaml', { token });
    const ref = (name: string): EntryRef => ({ entry: `${least.namespace}/${name}`, options: {} });
    const refs = [ref('data8-orders'), ref('data8-checkout')];
    const statuses = async (): Promise<string[]> => (await ours.rights(refs)).map((right) => right.status);
    expect(await statuses()).toEqual(['ok', ...Array.from({ length: 6 }, () => 'missing')]);
    for (const document of parseAllDocuments(text.replaceAll('apps', least.namespace))) {
      const object = document.toJS() as { kind: string; subjects?: { namespace: string }[] };
      for (const subject of object.subjects ?? []) subject.namespace = least.namespace;
      const rbac = `/apis/rbac.authorization.k8s.io/v1/namespaces/${least.namespace}`;
      await must(bench.access, 'POST', `${rbac}/${object.kind.toLowerCase()}s`, object);
    }
    await vi.waitFor(async () => {
      expect(await statuses()).toEqual(Array.from({ length: 7 }, () => 'ok'));
    }, 10_000);
    const { version } = await ours.deliver(refs[0]!, login, makeMark(1), 'absent');
    await ours.deliver(refs[0]!, payload({ CLIENT_SECRET: 'b' }), makeMark(2), version);
    expect(await ours.describe(refs[0]!, { prove: true })).toMatchObject({ mark: makeMark(2), binding: 'bound' });
    expect(await ours.describe(refs[1]!)).toEqual({ state: 'absent' });
    await expect(ours.describe(ref('of-somebody-else'))).rejects.toMatchObject({ fault: 'denied' });
  });

  it('prints the Role that is missing, as it can be applied', async () => {
    const bench = given();
    const least = await KubernetesTeam.make(bench.access, 'printed');
    const ours = await bench.open('printed.yaml', { token: await least.token() });
    const ref: EntryRef = { entry: `${least.namespace}/orders`, options: {} };
    const rights = await ours.rights([ref]);
    const hint = rights.find((right) => right.status === 'missing')?.hint ?? '';
    const list = JSON.parse(hint.slice(hint.indexOf('{'))) as { items: { kind: string }[] };
    for (const item of list.items) {
      const rbac = `/apis/rbac.authorization.k8s.io/v1/namespaces/${least.namespace}`;
      await must(bench.access, 'POST', `${rbac}/${item.kind.toLowerCase()}s?fieldValidation=Strict`, item);
    }
    await vi.waitFor(async () => {
      expect((await ours.rights([ref])).map((right) => right.status)).toEqual(['ok', 'ok', 'ok', 'ok', 'ok']);
    }, 10_000);
    await ours.deliver(ref, login, makeMark(1), 'absent');
  });
});
