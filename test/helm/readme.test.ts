import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { shown } from '../process/fences.ts';
import { apiRequest, must } from '../servers/kubernetes-api.ts';
import { kubernetes } from '../servers/kubernetes.ts';
import { provideServer } from '../servers/provided-server.ts';
import { makeNamespace } from './cluster.ts';
import { CHART, findHelm, ROOT, runHelm, tellSkipped } from './helm-command.ts';

const helm = findHelm();
const provided = helm.how === 'none' ? helm : await provideServer(kubernetes);
if (helm.how === 'found' && provided.how === 'none') tellSkipped(provided.reason);

interface Deployed {
  readonly metadata: { readonly generation: number };
}

describe.skipIf(provided.how === 'none')(provided.how === 'none' ? provided.reason : 'the README', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rekeyd-helm-readme-'));
  });
  afterAll(async () => {
    await rm(folder, { recursive: true });
    if ('server' in provided) await provided.server.stop();
  });

  it('shows a values file of ten lines, a command that installs with it, and what is printed; upgrades, and leaves the claim', async () => {
    if (!('server' in provided)) throw new Error('no API server');
    const { access } = provided.server;
    // the page's names, made unique for a cluster that is used by others, too
    const [namespace, apps] = ['rekeyd', 'apps'].map((name) => `${name}-${randomBytes(4).toString('hex')}`) as [
      string,
      string,
    ];
    const readme = await readFile(join(ROOT, 'README.md'), 'utf8');
    const [, values = ''] = /^<!-- file: values.yaml -->\n+```yaml\n([\s\S]*?)^```$/m.exec(readme) ?? [];
    const [, command = '', output = ''] =
      /^<!-- helm -->\n+```console\n\$ helm (.*)\n([\s\S]*?)^```$/m.exec(readme) ?? [];
    expect(values.trimEnd().split('\n').length).toBeLessThanOrEqual(10);
    expect(command).toContain('--namespace rekeyd ');
    const file = join(folder, 'values.yaml');
    await writeFile(file, values.replaceAll('apps', apps));
    await writeFile(join(folder, 'kubeconfig'), access.kubeconfig, { mode: 0o600 });
    for (const name of [namespace, apps]) await makeNamespace(access, name);

    const env = { KUBECONFIG: join(folder, 'kubeconfig'), HOME: folder };
    const words = command
      .replace('--namespace rekeyd', `--namespace ${namespace}`)
      .replace('values.yaml', file)
      .split(' ');
    const { code, out, err } = await runHelm(helm, words, env);
    expect(code, err).toBe(0);
    const said = output
      .replaceAll('--namespace rekeyd', `--namespace ${namespace}`)
      .replace('NAMESPACE: rekeyd', `NAMESPACE: ${namespace}`);
    expect(out.replace(/^ +/gm, '').replace(/\n*$/, '\n')).toMatch(shown(said.trimEnd().split('\n')));

    const deployment = `/apis/apps/v1/namespaces/${namespace}/deployments/rekeyd`;
    const generation = async () => (await must<Deployed>(access, 'GET', deployment)).metadata.generation;
    expect(await generation()).toBe(1);
    const upgrade = ['upgrade', 'rekeyd', CHART, '--namespace', namespace, '--values', file];
    for (const [more, expected] of [
      [[], 1],
      [['--set', 'config.mode=observe'], 2],
    ] as const) {
      const upgraded = await runHelm(helm, [...upgrade, ...more], env);
      expect(upgraded.code, upgraded.err).toBe(0);
      expect(await generation()).toBe(expected);
    }

    const removed = await runHelm(helm, ['uninstall', 'rekeyd', '--namespace', namespace], env);
    expect(removed.code, removed.err).toBe(0);
    const kept = `/api/v1/namespaces/${namespace}/persistentvolumeclaims/rekeyd`;
    expect((await apiRequest(access, 'GET', kept)).status).toBe(200);
  });
});
