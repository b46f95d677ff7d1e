import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { promtool } from '../servers/promtool.ts';
import { provideServer } from '../servers/provided-server.ts';
import { CHART, findHelm, ROOT, run, runHelm, tellSkipped } from './helm-command.ts';
import { Rendered, template, templateChanged, valuesFile } from './rendered.ts';

const helm = findHelm();
const provided = helm.how === 'none' ? helm : await provideServer(promtool);
if (helm.how === 'found' && provided.how === 'none') tellSkipped(provided.reason);

describe.skipIf(helm.how === 'none')(helm.how === 'none' ? helm.reason : 'what watches rekeyd', () => {
  let monitored: Rendered;
  beforeAll(async () => {
    monitored = await template(helm, [valuesFile('monitored')]);
  });
  const source = (path: string): Promise<string> => readFile(join(ROOT, path), 'utf8');

  it('is not there unless it is asked for', async () => {
    const plain = await template(helm, [valuesFile('kubernetes')]);
    for (const kind of ['PrometheusRule', 'ServiceMonitor'] as const) expect(plain.all(kind)).toEqual([]);
    expect(plain.all('ConfigMap').map(({ metadata }) => metadata.name)).toEqual(['rekeyd']);
  });

  it('the PrometheusRule is the file of alert rules, with what Prometheus fills in left as it is', async () => {
    const { metadata, spec } = monitored.one('PrometheusRule');
    expect(metadata.labels).toMatchObject({ release: 'prometheus', 'app.kubernetes.io/name': 'rekeyd' });
    expect(spec).toEqual(parse(await source('config/prometheus/alerts.yaml')));
    expect(JSON.stringify(spec)).toContain('{{ $labels.credential }}');
  });

  it.skipIf(provided.how === 'none')('and promtool takes it', async () => {
    if (!('server' in provided)) throw new Error('no promtool');
    const folder = await mkdtemp(join(tmpdir(), 'rekeyd-helm-rules-'));
    try {
      const file = join(folder, 'rules.yaml');
      await writeFile(file, stringify(monitored.one('PrometheusRule').spec));
      const { code, out, err } = await run(provided.server.access.path, ['check', 'rules', file], {});
      expect(code, err).toBe(0);
      expect(out).toMatch(/SUCCESS: \d\d rules found/);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('the dashboard is the file, where the sidecar of Grafana finds it', async () => {
    const found = monitored.all('ConfigMap').find(({ metadata }) => metadata.name === 'rekeyd-dashboard');
    expect(found?.metadata).toMatchObject({
      labels: { grafana_dashboard: '1' },
      annotations: { grafana_folder: 'Secrets' },
    });
    expect(found?.data['rekeyd.json']).toBe(await source('config/grafana/rekeyd.json'));
    expect(JSON.parse(found?.data['rekeyd.json'] ?? '')).toMatchObject({ uid: 'rekeyd' });
    const other = await templateChanged(helm, 'monitored', {
      monitoring: { dashboard: { labels: { grafana_dashboard: null, board: 'yes' } } },
    });
    const [board] = other.all('ConfigMap').filter(({ metadata }) => metadata.name === 'rekeyd-dashboard');
    expect(board?.metadata.labels).toMatchObject({ board: 'yes' });
    expect(board?.metadata.labels).not.toHaveProperty('grafana_dashboard');
  });

  it('a port for health alone is what probes and Prometheus come by; the HTTP interface stays in the pod', () => {
    const [container] = monitored.pod.spec.containers;
    expect(container).toMatchObject({
      ports: [{ name: 'http' }, { name: 'health', containerPort: 8082 }],
      startupProbe: { httpGet: { port: 'health' } },
      livenessProbe: { httpGet: { port: 'health' } },
      readinessProbe: { httpGet: { port: 'health' } },
    });
    expect(monitored.one('Service')).toMatchObject({
      spec: { ports: [{ name: 'health', port: 9100, targetPort: 'health' }] },
    });
    expect(monitored.one('ServiceMonitor')).toMatchObject({ spec: { endpoints: [{ port: 'health' }] } });
    expect(monitored.one('NetworkPolicy').spec.ingress).toEqual([
      {
        from: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'monitoring' } } }],
        ports: [{ protocol: 'TCP', port: 'health' }],
      },
    ]);
  });

  it('beside an HTTP interface that is open, too, each port has its own guests', async () => {
    const both = await templateChanged(helm, 'monitored', {
      config: { http: { host: '0.0.0.0' } },
      networkPolicy: { from: [{ podSelector: { matchLabels: { app: 'pipeline' } } }] },
    });
    expect(both.one('Service')).toMatchObject({ spec: { ports: [{ name: 'http' }, { name: 'health' }] } });
    expect(both.one('NetworkPolicy').spec.ingress).toMatchObject([
      { from: [{ podSelector: { matchLabels: { app: 'pipeline' } } }], ports: [{ port: 'http' }] },
      { ports: [{ port: 'health' }] },
    ]);
  });

  it('is had by the values that docs/kubernetes.md shows', async () => {
    const [, shown = ''] =
      /^<!-- values: monitoring -->\n+```yaml\n([\s\S]*?)^```$/m.exec(await source('docs/kubernetes.md')) ?? [];
    const rendered = await templateChanged(helm, 'kubernetes', parse(shown) as object);
    const kinds = rendered.manifests.map(({ kind }) => kind);
    expect(kinds).toEqual(expect.arrayContaining(['ServiceMonitor', 'PrometheusRule']));
    expect(rendered.all('ConfigMap')).toHaveLength(2);
    expect(rendered.one('Service')).toMatchObject({ spec: { ports: [{ name: 'health', port: 8082 }] } });
  });

  it('comes along in the package, so that nothing of the checkout is needed', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'rekeyd-helm-package-'));
    try {
      const packed = await runHelm(helm, ['package', CHART, '--destination', folder], { HOME: folder });
      expect(packed.code, packed.err).toBe(0);
      const { version } = parse(await source('helm/rekeyd/Chart.yaml')) as { version: string };
      const chart = join(folder, `rekeyd-${version}.tgz`);
      const args = ['template', 'rekeyd', chart, '--namespace', 'rekeyd', '--values', valuesFile('monitored')];
      const { code, out, err } = await runHelm(helm, args, { HOME: folder });
      expect(code, err).toBe(0);
      expect(new Rendered(out).manifests).toEqual(monitored.manifests);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
