import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { CHART, findHelm, ROOT, runHelm } from './helm-command.ts';
import { template, templateChanged, VALUE_SETS, valuesFile } from './rendered.ts';
import type { Rendered } from './rendered.ts';

const helm = findHelm();

describe.skipIf(helm.how === 'none')(helm.how === 'none' ? helm.reason : 'the chart', () => {
  const sets = new Map<string, Rendered>();
  const of = (set: string): Rendered => sets.get(set)!;
  beforeAll(async () => {
    for (const set of VALUE_SETS) sets.set(set, await template(helm, [valuesFile(set)]));
  });

  it('has the version of the program', async () => {
    const { version } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as { version: string };
    const chart = parse(await readFile(join(CHART, 'Chart.yaml'), 'utf8')) as { version: string; appVersion: string };
    expect(chart).toMatchObject({ version, appVersion: version });
  });

  it.each(VALUE_SETS)('%s: helm lint --strict finds nothing', async (set) => {
    const { code, out, err } = await runHelm(helm, ['lint', '--strict', '--values', valuesFile(set), CHART]);
    expect(code, out + err).toBe(0);
    expect(out).toContain('0 chart(s) failed');
  });

  it.each(VALUE_SETS)('%s: is Pod Security `restricted` and more, one pod, probes, and time to stop', (set) => {
    const { spec } = of(set).deployment;
    const port = set === 'monitored' ? 'health' : 'http';
    expect(spec.template.spec).toMatchObject({
      enableServiceLinks: false,
      securityContext: {
        runAsNonRoot: true,
        runAsUser: 65532,
        fsGroupChangePolicy: 'OnRootMismatch',
        seccompProfile: { type: 'RuntimeDefault' },
      },
      containers: [
        {
          securityContext: {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ['ALL'] },
          },
          startupProbe: { httpGet: { path: '/livez', port } },
          livenessProbe: { httpGet: { path: '/livez', port } },
          readinessProbe: { httpGet: { path: '/readyz', port } },
          resources: { requests: {}, limits: { memory: '512Mi' } },
        },
      ],
    });
    // the image's own program, which switches core files off
    expect(spec.template.spec.containers[0]).not.toHaveProperty('command');
    const { shutdownTimeout } = parse(of(set).config) as { shutdownTimeout: string };
    const seconds = { '30s': 30, '2m': 120 }[shutdownTimeout]!;
    expect(spec.template.spec.terminationGracePeriodSeconds).toBe(seconds + 15);
    expect(spec.replicas).toBe(set === 'everything' ? 0 : 1);
    expect(spec.strategy.type).toBe(set === 'aws' ? 'RollingUpdate' : 'Recreate');
  });

  it('kubernetes: one Role a namespace with what the vault needs, `create` where it is chosen, and the token in the pod', () => {
    const [apps, stock] = of('kubernetes').all('Role');
    const read = (name: string) => ({
      apiGroups: [''],
      resources: ['secrets'],
      resourceNames: [name],
      verbs: ['get', 'patch'],
    });
    const look = (name: string) => ({
      apiGroups: [''],
      resources: ['namespaces'],
      resourceNames: [name],
      verbs: ['get'],
    });
    expect(apps).toMatchObject({ metadata: { namespace: 'apps' }, rules: [read('data8-orders'), look('apps')] });
    expect(stock?.metadata.namespace).toBe('stock');
    expect(stock?.rules).toEqual([
      read('data8-stock'),
      { apiGroups: [''], resources: ['secrets'], verbs: ['create'] },
      look('stock'),
    ]);
    for (const binding of of('kubernetes').all('RoleBinding')) {
      expect(binding).toMatchObject({
        roleRef: { kind: 'Role', name: 'rekeyd-rekeyd' },
        subjects: [{ kind: 'ServiceAccount', name: 'rekeyd', namespace: 'rekeyd' }],
      });
    }
    expect(of('kubernetes').pod.spec.automountServiceAccountToken).toBe(true);
    expect(of('aws').pod.spec.automountServiceAccountToken).toBe(false);
    expect(of('everything').one('Role').rules[0]).not.toHaveProperty('resourceNames');
  });

  it('aws, azure, google: who rekeyd is to the cloud stands where each of them looks', () => {
    const account = (set: string) => of(set).one('ServiceAccount').metadata.annotations;
    expect(account('aws')).toEqual({ 'eks.amazonaws.com/role-arn': 'arn:aws:iam::123456789012:role/rekeyd' });
    expect(Object.keys(account('azure') ?? {})).toEqual(['azure.workload.identity/client-id']);
    expect(of('azure').pod.metadata.labels).toMatchObject({ 'azure.workload.identity/use': 'true' });
    expect(account('google')).toEqual({ 'iam.gke.io/gcp-service-account': 'rekeyd@example.iam.gserviceaccount.com' });
  });

  it('keeps the ledger on a claim that outlives the release, on one that is there, or nowhere', () => {
    const state = (set: string) => of(set).pod.spec.volumes.find(({ name }) => name === 'state');
    expect(state('kubernetes')?.persistentVolumeClaim).toEqual({ claimName: 'rekeyd' });
    expect(of('kubernetes').one('PersistentVolumeClaim')).toMatchObject({
      metadata: { annotations: { 'helm.sh/resource-policy': 'keep' } },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    });
    expect(of('everything').one('PersistentVolumeClaim').metadata.annotations).toBeUndefined();
    expect(state('file-vault')?.persistentVolumeClaim).toEqual({ claimName: 'rekeyd-files' });
    expect(of('file-vault').all('PersistentVolumeClaim')).toEqual([]);
    expect(state('aws')?.emptyDir).toEqual({ sizeLimit: '1Gi' });
  });

  it('brings Secrets in as files and as variables, by reference: it makes none, and holds no value', () => {
    const { containers, volumes } = of('file-vault').pod.spec;
    const sources = volumes.find(({ name }) => name === 'secrets')?.projected?.sources;
    expect(sources).toEqual([
      { secret: { name: 'rekeyd-tokens', items: [{ key: 'ci', path: 'ci-token' }] } },
      { secret: { name: 'rekeyd-data8', items: [{ key: 'client-secret', path: 'data8' }] } },
    ]);
    expect(containers[0].volumeMounts).toContainEqual({ name: 'secrets', mountPath: '/secrets', readOnly: true });
    const secretKeyRef = { name: 'rekeyd-data8', key: 'client-secret' };
    expect(of('aws').pod.spec.containers[0].env).toContainEqual({
      name: 'DATA8_CLIENT_SECRET',
      valueFrom: { secretKeyRef },
    });
    for (const set of VALUE_SETS) expect(of(set).all('Secret'), set).toEqual([]);
  });

  it('closes the network by one switch', () => {
    expect(of('kubernetes').all('NetworkPolicy')).toEqual([]);
    expect(of('google').one('NetworkPolicy')).toMatchObject({
      spec: {
        policyTypes: ['Ingress', 'Egress'],
        ingress: [{ from: [{ podSelector: {} }], ports: [{ protocol: 'TCP', port: 'http' }] }],
        egress: [
          { ports: [{ port: 53 }, { port: 53 }] },
          { ports: [{ protocol: 'TCP', port: 443 }] },
          { to: [{ ipBlock: { cidr: '169.254.169.254/32' } }, {}] },
        ],
      },
    });
    const closed = of('openbao').one('NetworkPolicy');
    expect(closed.spec.ingress).toEqual([]);
    expect(closed.spec.egress[1]).toEqual({
      ports: [{ protocol: 'TCP', port: 443 }],
      to: [{ ipBlock: { cidr: '203.0.113.0/24' } }],
    });
  });

  it('runs as whom it is told, and leaves that and the DNS of OpenShift to the cluster as docs/kubernetes.md shows', async () => {
    const { spec } = (await templateChanged(helm, 'kubernetes', { runAs: 1_000_680_000 })).pod;
    const ids = { runAsUser: 1_000_680_000, runAsGroup: 1_000_680_000, fsGroup: 1_000_680_000 };
    expect(spec).toMatchObject({ securityContext: ids });

    const page = await readFile(join(ROOT, 'docs/kubernetes.md'), 'utf8');
    const [, values = ''] = /^<!-- values: openshift -->\n+```yaml\n([\s\S]*?)^```$/m.exec(page) ?? [];
    const rendered = await templateChanged(helm, 'kubernetes', parse(values) as object);
    expect(rendered.pod.spec).toMatchObject({ securityContext: { runAsNonRoot: true } });
    expect(JSON.stringify(rendered.deployment)).not.toMatch(/runAsUser|runAsGroup|fsGroup"/);
    expect(rendered.one('NetworkPolicy').spec.egress[0]).toMatchObject({
      to: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'openshift-dns' } } }, {}],
      ports: [
        { protocol: 'UDP', port: 5353 },
        { protocol: 'TCP', port: 5353 },
      ],
    });
  });

  it.each([
    ['nobody', {}, 'Over HTTP only health and metrics answer'],
    ['tokens', { tokens: [{ name: 'ci', role: 'operator', sha256: 'x' }] }, 'with the token of an operator'],
    ['OIDC alone', { oidc: [{ issuer: 'https://ci.example.com' }] }, 'with a JWT'],
  ])('%s: its notes say who gets in over HTTP', async (_, http, note) => {
    const folder = await mkdtemp(join(tmpdir(), 'rekeyd-helm-notes-'));
    try {
      const file = join(folder, 'values.yaml');
      await writeFile(file, JSON.stringify({ config: { http } }));
      const values = ['--values', valuesFile('kubernetes'), '--values', file];
      const { code, out, err } = await runHelm(helm, ['install', 'rekeyd', CHART, '--dry-run=client', ...values]);
      expect(code, err).toBe(0);
      const notes = out.slice(out.indexOf('NOTES:'));
      expect(notes).toContain(note);
      expect(notes.match(/Over HTTP only|from a pipeline/g)).toHaveLength(1);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('everything: monitoring, digest, and what decides where the pod runs', () => {
    const rendered = of('everything');
    expect(rendered.one('ServiceMonitor')).toMatchObject({
      metadata: { labels: { release: 'prometheus' } },
      spec: { endpoints: [{ port: 'http', path: '/metrics', interval: '30s' }] },
    });
    expect(rendered.pod.spec.containers[0].image).toMatch(/^images\.example\.com\/rekeyd@sha256:[0-9a-f]{64}$/);
    expect(rendered.pod.spec).toMatchObject({
      serviceAccountName: 'keeper',
      imagePullSecrets: [{ name: 'registry' }],
      nodeSelector: { 'kubernetes.io/arch': 'arm64' },
      tolerations: [{ key: 'dedicated' }],
    });
  });

  it('starts another pod when the configuration changes, and only then', async () => {
    const sum = (rendered: Rendered): string => rendered.pod.metadata.annotations['checksum/config']!;
    const [same, service, config] = await Promise.all([
      templateChanged(helm, 'kubernetes', {}),
      templateChanged(helm, 'kubernetes', { service: { port: 81 } }),
      templateChanged(helm, 'kubernetes', { config: { mode: 'observe' } }),
    ]);
    expect(sum(same)).toBe(sum(of('kubernetes')));
    expect(service.pod).toEqual(same.pod);
    expect(sum(config)).not.toBe(sum(same));
  });
});
