import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { apiRequest } from './kubernetes-api.ts';
import { freePort, startProgram } from './local-program.ts';
import type { RunningServer, ServerRecipe } from './provided-server.ts';

/** How to reach a Kubernetes API server, as a cluster's administrator (`system:masters`). */
export interface KubernetesAccess {
  /** https, without a slash at its end. */
  readonly url: string;
  /** The certificate authority of its certificate, PEM. */
  readonly ca: string;
  readonly token: string;
  /** All of it as the text of a kubeconfig. */
  readonly kubeconfig: string;
}

const VERSION = '1.36.3';
/** The API server takes this long on a busy machine. */
const PATIENCE = 120_000;

/**
 * etcd and kube-apiserver, with RBAC, the default admission plugins (PodSecurity among them) and service-account tokens. No
 * controller runs beside them: a namespace has no `default` service account, and a deleted one stays Terminating until its
 * finalizer is taken off.
 */
export const kubernetes: ServerRecipe<KubernetesAccess> = {
  name: 'Kubernetes',
  variables: ['REKEYD_KUBERNETES_URL', 'REKEYD_KUBERNETES_CA_FILE', 'REKEYD_KUBERNETES_TOKEN'],
  fromEnvironment: () => {
    const url = process.env['REKEYD_KUBERNETES_URL'];
    const caFile = process.env['REKEYD_KUBERNETES_CA_FILE'];
    const token = process.env['REKEYD_KUBERNETES_TOKEN'];
    if (url === undefined || caFile === undefined || token === undefined) return null;
    return accessOf(url, readFileSync(caFile, 'utf8'), token);
  },
  provisioned: `kubernetes-${VERSION}`,
  fromProgram: async (folder): Promise<RunningServer<KubernetesAccess>> => {
    const home = await mkdtemp(join(tmpdir(), 'rekeyd-kubernetes-'));
    const stops: (() => Promise<void>)[] = [() => rm(home, { recursive: true, force: true })];
    const stop = async (): Promise<void> => {
      for (const each of stops.reverse()) await each();
    };
    try {
      const etcd = await startEtcd(folder, home);
      stops.push(etcd.stop);
      const server = await startApiServer(folder, home, etcd.url);
      stops.push(server.stop);
      return { access: server.access, stop };
    } catch (error) {
      await stop();
      throw error;
    }
  },
};

async function startEtcd(folder: string, home: string): Promise<{ url: string; stop: () => Promise<void> }> {
  const url = `http://127.0.0.1:${await freePort()}`;
  const peer = `http://127.0.0.1:${await freePort()}`;
  const args = [
    `--data-dir=${join(home, 'etcd')}`,
    `--listen-client-urls=${url}`,
    `--advertise-client-urls=${url}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=default=${peer}`,
    '--unsafe-no-fsync', // nothing here is to outlive the machine
    '--log-level=error',
  ];
  const ready = async (): Promise<boolean> => (await fetch(`${url}/health`)).ok;
  const program = await startProgram(join(folder, 'etcd'), args, { cwd: home, env: {}, ready, patience: PATIENCE });
  return { url, stop: () => program.stop() };
}

async function startApiServer(
  folder: string,
  home: string,
  etcd: string,
): Promise<{ access: KubernetesAccess; stop: () => Promise<void> }> {
  const file = (name: string): string => join(home, name);
  const token = randomBytes(24).toString('hex');
  const keys = generateKeyPairSync('rsa', { modulusLength: 2048 });
  await writeFile(file('sa.key'), keys.privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  await writeFile(file('sa.pub'), keys.publicKey.export({ type: 'spki', format: 'pem' }));
  await writeFile(file('tokens.csv'), `${token},admin,admin,"system:masters"\n`, { mode: 0o600 });
  const port = await freePort();
  const url = `https://127.0.0.1:${port}`;
  const args = [
    `--etcd-servers=${etcd}`,
    '--bind-address=127.0.0.1',
    `--secure-port=${port}`,
    `--cert-dir=${file('certificates')}`, // where it makes its own certificate, for 127.0.0.1 and localhost
    '--advertise-address=127.0.0.1',
    '--endpoint-reconciler-type=none', // a loopback address is none for the Service `kubernetes`
    '--authorization-mode=RBAC',
    `--token-auth-file=${file('tokens.csv')}`,
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${file('sa.pub')}`,
    `--service-account-signing-key-file=${file('sa.key')}`,
    '--service-cluster-ip-range=10.0.0.0/24',
    '--v=0',
  ];
  const readCa = (): Promise<string> => readFile(join(file('certificates'), 'apiserver.crt'), 'utf8');
  const program = await startProgram(join(folder, 'kube-apiserver'), args, {
    cwd: home,
    env: {},
    patience: PATIENCE,
    ready: async () => (await apiRequest({ url, ca: await readCa(), token }, 'GET', '/readyz')).status === 200,
  });
  return { access: accessOf(url, await readCa(), token), stop: () => program.stop() };
}

function accessOf(url: string, ca: string, token: string): KubernetesAccess {
  return { url, ca, token, kubeconfig: kubeconfigOf({ url, ca }, { token }) };
}

/** The text of a kubeconfig, whose user is what `user` says (JSON is YAML). */
export function kubeconfigOf({ url, ca }: Pick<KubernetesAccess, 'url' | 'ca'>, user: object): string {
  const cluster = { server: url, 'certificate-authority-data': Buffer.from(ca).toString('base64') };
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster }],
    users: [{ name: 'test', user }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
    'current-context': 'test',
  });
}
