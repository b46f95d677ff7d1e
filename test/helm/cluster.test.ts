import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { SecretValue } from '../../src/domain/secret-value.ts';
import { kubernetesVaultType } from '../../src/vaults/kubernetes.ts';
import { makeMark } from '../conformance/vault-bench.ts';
import { createTestContext } from '../conformance/vault-context.ts';
import { apiRequest, must } from '../servers/kubernetes-api.ts';
import type { KubernetesAccess } from '../servers/kubernetes.ts';
import { kubeconfigOf, kubernetes } from '../servers/kubernetes.ts';
import { provideServer, provisionedFolder } from '../servers/provided-server.ts';
import { admitPod, apply, defineMonitoring, makeNamespace, MONITORING, tokenOf } from './cluster.ts';
import { findHelm, tellSkipped } from './helm-command.ts';
import { templateValues, VALUE_SETS, valuesOf } from './rendered.ts';
import type { Rendered } from './rendered.ts';

const helm = findHelm();
const provided = helm.how === 'none' ? helm : await provideServer(kubernetes);
if (helm.how === 'found' && provided.how === 'none') tellSkipped(provided.reason);
const definitions = provisionedFolder('prometheus-operator-0.85.0-definitions');
const monitored = existsSync(definitions);
const missing = `no ${definitions} (made by test/servers/provision prometheus-operator)`;
if (!monitored && process.env['REKEYD_SERVERS_REQUIRED'] !== undefined) throw new Error(missing);
if (!monitored) tellSkipped(`ServiceMonitor and PrometheusRule are not applied: ${missing}`);
const unique = (label: string): string => `${label}-${randomBytes(4).toString('hex')}`;

describe.skipIf(provided.how === 'none')(provided.how === 'none' ? provided.reason : 'on a real API server', () => {
  const access = (): KubernetesAccess => {
    if (!('server' in provided)) throw new Error('no API server');
    return provided.server.access;
  };
  beforeAll(async () => {
    if (monitored) await defineMonitoring(access(), definitions);
  });
  afterAll(async () => {
    if ('server' in provided) await provided.server.stop();
  });

  /** Renders for a fresh namespace, with `changes` in place of sections of the value set, and applies all. */
  async function install(set: string, changes: object = {}): Promise<{ rendered: Rendered; namespace: string }> {
    const namespace = unique(set);
    await makeNamespace(access(), namespace);
    const rendered = await templateValues(helm, [{ ...(await valuesOf(set)), ...changes }], namespace);
    for (const manifest of rendered.manifests) {
      if (manifest.kind in MONITORING && !monitored) continue; // their test says so
      const { status, body } = await apply(access(), manifest, namespace);
      expect([200, 201], `${manifest.kind}: ${JSON.stringify(body)}`).toContain(status);
    }
    // an account that the chart takes as given
    const path = `/api/v1/namespaces/${namespace}/serviceaccounts`;
    const metadata = { name: rendered.pod.spec.serviceAccountName };
    if (rendered.all('ServiceAccount').length === 0) await must(access(), 'POST', path, { metadata });
    return { rendered, namespace };
  }

  const grant = (apps: string, more: object) => ({
    rbac: { namespaces: { [apps]: { secrets: ['data8-orders'], ...more } } },
  });

  it.each(VALUE_SETS)('%s: each object is taken, with no unknown field, and the pod is `restricted`', async (set) => {
    const apps = unique('apps');
    await makeNamespace(access(), apps);
    const hasRoles = set === 'kubernetes' || set === 'everything';
    const { rendered, namespace } = await install(set, hasRoles ? grant(apps, {}) : {});
    const { status, body } = await admitPod(access(), rendered, namespace);
    expect(status, JSON.stringify(body)).toBe(201);
  });

  it.skipIf(!monitored)(`the Prometheus operator takes what is for it [needs ${definitions}]`, async () => {
    const { namespace, rendered } = await install('monitored');
    const group = `/apis/monitoring.coreos.com/v1/namespaces/${namespace}`;
    expect(await must(access(), 'GET', `${group}/servicemonitors/rekeyd`)).toMatchObject({
      spec: { endpoints: [{ path: '/metrics' }] },
    });
    // nothing was pruned or defaulted
    expect(await must(access(), 'GET', `${group}/prometheusrules/rekeyd`)).toMatchObject({
      spec: rendered.one('PrometheusRule').spec,
    });
  });

  it('would see a field that is unknown, and a pod that is not `restricted`', async () => {
    const { rendered, namespace } = await install('azure');
    const typo = structuredClone(rendered.deployment);
    Object.assign(typo.spec.template.spec, { terminationGracePeriod: 1 });
    expect(await apply(access(), typo, namespace)).toMatchObject({
      status: expect.toSatisfy((status: number) => status >= 400) as number,
      body: { message: expect.stringContaining('terminationGracePeriod') as string },
    });
    const loose = structuredClone(rendered.deployment);
    Object.assign(loose.spec.template.spec.containers[0], { securityContext: {} });
    const pod = Object.create(rendered, { pod: { value: loose.spec.template } }) as Rendered;
    expect(await admitPod(access(), pod, namespace)).toMatchObject({
      status: 403,
      body: { message: expect.stringContaining('violates PodSecurity "restricted') as string },
    });
  });

  it.each([false, true])('the Role allows what the vault does and nothing else; create: %s', async (create) => {
    const apps = unique('apps');
    await makeNamespace(access(), apps);
    const { namespace } = await install('kubernetes', grant(apps, { create }));
    const rekeyd = { ...access(), token: await tokenOf(access(), namespace, 'rekeyd') };
    const secrets = `/api/v1/namespaces/${apps}/secrets`;
    const make = (name: string, by = access()) => apiRequest(by, 'POST', secrets, { metadata: { name } });
    for (const name of ['data8-orders', 'of-somebody-else']) expect((await make(name)).status).toBe(201);
    const ask = async (method: string, path: string, body?: object): Promise<number> =>
      (await apiRequest(rekeyd, method, path, body)).status;
    // the authorizer follows its own watch
    await vi.waitFor(async () => expect(await ask('GET', `${secrets}/data8-orders`)).toBe(200), 10_000);
    expect(await ask('PATCH', `${secrets}/data8-orders`, { data: { value: 'bmV3' } })).toBe(200);
    expect(await ask('GET', `/api/v1/namespaces/${apps}`)).toBe(200);
    expect((await make('data8-new', rekeyd)).status).toBe(create ? 201 : 403);
    const denied: [string, string, object?][] = [
      ['GET', `${secrets}/of-somebody-else`],
      ['PATCH', `${secrets}/of-somebody-else`, { data: { value: 'bmV3' } }],
      ['GET', secrets],
      ['GET', `${secrets}?watch=1`],
      ['GET', `${secrets}?fieldSelector=metadata.name%3Ddata8-orders`],
      ['PUT', `${secrets}/data8-orders`, { metadata: { name: 'data8-orders' } }],
      ['DELETE', `${secrets}/data8-orders`],
      ['DELETE', secrets],
      ['GET', `/api/v1/namespaces/${apps}/configmaps`],
      ['GET', `/api/v1/namespaces/${apps}/pods`],
      ['GET', '/api/v1/namespaces'],
      ['GET', `/api/v1/namespaces/${namespace}/secrets`],
      ['POST', `/api/v1/namespaces/${namespace}/secrets`, { metadata: { name: 'its-own' } }],
      ['GET', `/apis/rbac.authorization.k8s.io/v1/namespaces/${apps}/roles`],
    ];
    for (const [method, path, body] of denied) expect(await ask(method, path, body), `${method} ${path}`).toBe(403);
  });

  it('the vault finds all its rights in the Role, and delivers with them', async () => {
    const apps = unique('apps');
    await makeNamespace(access(), apps);
    const { namespace } = await install('kubernetes', grant(apps, { create: true }));
    const folder = await mkdtemp(join(tmpdir(), 'rekeyd-helm-vault-'));
    const kubeconfig = join(folder, 'kubeconfig');
    const token = await tokenOf(access(), namespace, 'rekeyd');
    await writeFile(kubeconfig, kubeconfigOf(access(), { token }), { mode: 0o600 });
    const options = { namespace: apps, kubeconfig, context: null, cluster: null };
    const vault = await kubernetesVaultType.create(options, createTestContext());
    try {
      const ref = { entry: `${apps}/data8-orders`, options: {} };
      const statuses = async () => (await vault.rights([ref])).map(({ status }) => status);
      await vi.waitFor(async () => expect(await statuses()).toEqual(Array.from({ length: 5 }, () => 'ok')), 10_000);
      const payload = (value: string) => ({
        form: 'fields' as const,
        content: SecretValue.of(JSON.stringify({ value })),
      });
      const { version } = await vault.deliver(ref, payload('one'), makeMark(1), 'absent');
      await vault.deliver(ref, payload('two'), makeMark(2), version);
      expect(await vault.describe(ref, { prove: true })).toMatchObject({ mark: makeMark(2), binding: 'bound' });
    } finally {
      await vault.close();
      await rm(folder, { recursive: true });
    }
  });

  it('an upgrade with another configuration changes the pod template, so that the pod is made anew', async () => {
    const apps = unique('apps');
    await makeNamespace(access(), apps);
    const { rendered, namespace } = await install('kubernetes', grant(apps, {}));
    const path = `/apis/apps/v1/namespaces/${namespace}/deployments/rekeyd`;
    const generation = async (): Promise<number> =>
      (await must<{ metadata: { generation: number } }>(access(), 'GET', path)).metadata.generation;
    expect(await generation()).toBe(1);
    expect((await apply(access(), rendered.deployment, namespace)).status).toBe(200);
    expect(await generation()).toBe(1);
    const values = await valuesOf('kubernetes');
    const observing = { ...values, ...grant(apps, {}), config: { ...values.config, mode: 'observe' } };
    const upgraded = await templateValues(helm, [observing], namespace);
    expect((await apply(access(), upgraded.deployment, namespace)).status).toBe(200);
    expect(await generation()).toBe(2);
  });
});
