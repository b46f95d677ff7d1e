import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parse } from 'yaml';
import { apiRequest, must } from '../servers/kubernetes-api.ts';
import type { ApiResponse } from '../servers/kubernetes-api.ts';
import type { KubernetesAccess } from '../servers/kubernetes.ts';
import type { Manifest, Rendered } from './rendered.ts';

/** Where the objects of a kind are. */
const RESOURCES: Readonly<Record<string, string>> = {
  ConfigMap: 'api/v1/configmaps',
  Deployment: 'apis/apps/v1/deployments',
  NetworkPolicy: 'apis/networking.k8s.io/v1/networkpolicies',
  PersistentVolumeClaim: 'api/v1/persistentvolumeclaims',
  PrometheusRule: 'apis/monitoring.coreos.com/v1/prometheusrules',
  Role: 'apis/rbac.authorization.k8s.io/v1/roles',
  RoleBinding: 'apis/rbac.authorization.k8s.io/v1/rolebindings',
  Service: 'api/v1/services',
  ServiceAccount: 'api/v1/serviceaccounts',
  ServiceMonitor: 'apis/monitoring.coreos.com/v1/servicemonitors',
};

/** A namespace in which Pod Security refuses what is not `restricted`, and warns of it in a Deployment. */
export async function makeNamespace(access: KubernetesAccess, name: string): Promise<void> {
  const mode = (which: string): [string, string] => [`pod-security.kubernetes.io/${which}`, 'restricted'];
  const labels = Object.fromEntries([mode('enforce'), mode('warn')]);
  await must(access, 'POST', '/api/v1/namespaces', { metadata: { name, labels } });
}

function pathOf({ kind, metadata }: Manifest, namespace: string): string {
  const resource = RESOURCES[kind];
  if (resource === undefined) throw new Error(`no path for kind ${kind}`);
  const cut = resource.lastIndexOf('/');
  return `/${resource.slice(0, cut)}/namespaces/${metadata.namespace ?? namespace}${resource.slice(cut)}/${metadata.name}`;
}

/** Server-side apply with strict validation: an unknown or doubled field is an error. */
export function apply(access: KubernetesAccess, manifest: Manifest, namespace: string): Promise<ApiResponse> {
  const path = `${pathOf(manifest, namespace)}?fieldManager=helm-test&fieldValidation=Strict`;
  return apiRequest(access, 'PATCH', path, manifest, 'application/apply-patch+yaml');
}

/** The pod template as a Pod, which Pod Security does refuse, unlike a Deployment. Nothing is made. */
export function admitPod(access: KubernetesAccess, rendered: Rendered, namespace: string): Promise<ApiResponse> {
  const { metadata, spec } = rendered.pod;
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { ...metadata, name: 'as-a-pod' }, spec };
  return apiRequest(access, 'POST', `/api/v1/namespaces/${namespace}/pods?dryRun=All&fieldValidation=Strict`, pod);
}

/** A token of a service account. */
export async function tokenOf(access: KubernetesAccess, namespace: string, name: string): Promise<string> {
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`;
  return (await must<{ status: { token: string } }>(access, 'POST', path, { spec: { expirationSeconds: 3_600 } }))
    .status.token;
}

/** The kinds of the Prometheus operator that the chart makes, and the files of their definitions. */
export const MONITORING: Readonly<Record<string, string>> = {
  ServiceMonitor: 'servicemonitors.yaml',
  PrometheusRule: 'prometheusrules.yaml',
};

/** Teaches the API server those kinds, from the files that `test/servers/provision` made, and waits until it knows them. */
export async function defineMonitoring(access: KubernetesAccess, folder: string): Promise<void> {
  for (const [kind, file] of Object.entries(MONITORING)) {
    const definition = parse(await readFile(join(folder, file), 'utf8')) as Manifest;
    const path = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${definition.metadata.name}`;
    const type = 'application/apply-patch+yaml';
    await must(access, 'PATCH', `${path}?fieldManager=helm-test`, definition, type);
    await served(access, `/${RESOURCES[kind] ?? ''}`);
  }
}

async function served(access: KubernetesAccess, path: string): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    if ((await apiRequest(access, 'GET', path)).status === 200) return;
    await sleep(50);
  }
  throw new Error(`the API server does not serve ${path}`);
}
