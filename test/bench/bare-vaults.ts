import { randomUUID } from 'node:crypto';
import { Agent, request } from 'node:http';
import { SecretsManager } from '@aws-sdk/client-secrets-manager';
import type { TokenCredential } from '@azure/identity';
import { SecretClient } from '@azure/keyvault-secrets';
import { SecretManagerServiceClient } from '@google-cloud/secret-manager';
import { CoreV1Api, KubeConfig, PatchStrategy, setHeaderOptions } from '@kubernetes/client-node';

/** One delivery to an entry that is there, by the backend's own library: the same requests as rekeyd's, and nothing else. */
export type BareDelivery = (entry: string, value: string) => Promise<void>;

/** About as long as a mark is. */
const MARK = 'x'.repeat(200);
const FIELDS = Object.fromEntries(Array.from({ length: 7 }, (_, index) => [`bare-${index}`, 'x'.repeat(24)]));

export function bareAws(endpoint: string, region: string): BareDelivery {
  const client = new SecretsManager({ endpoint, region });
  return async (SecretId, SecretString) => {
    await client.describeSecret({ SecretId });
    const { VersionIdsToStages = {} } = await client.describeSecret({ SecretId });
    const token = randomUUID();
    const from = Object.entries(VersionIdsToStages).find(([, stages]) => stages.includes('AWSCURRENT'))?.[0];
    await client.tagResource({ SecretId, Tags: [{ Key: 'bare:version', Value: MARK }] });
    await client.putSecretValue({ SecretId, SecretString, ClientRequestToken: token, VersionStages: ['bare-latest'] });
    const stage = { VersionStage: 'AWSCURRENT', MoveToVersionId: token };
    await client.updateSecretVersionStage({ SecretId, ...stage, ...(from && { RemoveFromVersionId: from }) });
    await client.tagResource({ SecretId, Tags: Object.entries(FIELDS).map(([Key, Value]) => ({ Key, Value })) });
    await client.describeSecret({ SecretId });
  };
}

export function bareAzure(url: string, ca: string[], credential: TokenCredential): BareDelivery {
  const options = { disableChallengeResourceVerification: true, retryOptions: { maxRetries: 0 }, tlsOptions: { ca } };
  const client = new SecretClient(url, credential, options);
  return async (entry, value) => {
    await client.getSecret(entry);
    await client.getSecret(entry);
    await client.setSecret(entry, value, { tags: { ...FIELDS, mark: MARK }, contentType: 'application/json' });
    await client.getSecret(entry);
  };
}

/** There is no library of HashiCorp for Node: Node's own client, connections kept. */
export function bareKv(url: string, token: string, mount: string): BareDelivery {
  const agent = new Agent({ keepAlive: true });
  const send = (method: string, path: string, body?: object): Promise<string> =>
    new Promise((resolve, reject) => {
      const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
      const headers = { 'x-vault-token': token, 'content-type': type };
      const sent = request(`${url}/v1/${mount}/${path}`, { method, agent, headers }, (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.on('error', reject);
        response.on('end', () => {
          const text = Buffer.concat(parts).toString();
          if ((response.statusCode ?? 500) < 300) resolve(text);
          else reject(new Error(`${method} ${path}: ${response.statusCode ?? '?'}`));
        });
      });
      sent.on('error', reject);
      sent.end(body === undefined ? undefined : JSON.stringify(body));
    });
  return async (entry, value) => {
    await send('GET', `metadata/${entry}`);
    const { data } = JSON.parse(await send('GET', `data/${entry}`)) as { data: { metadata: { version: number } } };
    await send('PATCH', `metadata/${entry}`, { custom_metadata: { 'bare-line': MARK } });
    const options = { cas: data.metadata.version };
    await send('POST', `data/${entry}`, { options, data: JSON.parse(value) as object });
    await send('PATCH', `metadata/${entry}`, { custom_metadata: FIELDS });
    await send('GET', `data/${entry}`);
  };
}

export function bareKubernetes(kubeconfig: string, namespace: string): BareDelivery {
  const config = new KubeConfig();
  config.loadFromString(kubeconfig);
  const api = config.makeApiClient(CoreV1Api);
  const merge = setHeaderOptions('Content-Type', PatchStrategy.MergePatch);
  return async (name, value) => {
    await api.readNamespacedSecret({ name, namespace });
    const { metadata } = await api.readNamespacedSecret({ name, namespace });
    const fields = Object.entries(JSON.parse(value) as Record<string, string>);
    const body = {
      metadata: { resourceVersion: metadata?.resourceVersion, annotations: { ...FIELDS, 'bare-mark': MARK } },
      data: Object.fromEntries(fields.map(([key, text]) => [key, Buffer.from(text).toString('base64')])),
    };
    await api.patchNamespacedSecret({ name, namespace, body, fieldManager: 'bare' }, merge);
    await api.readNamespacedSecret({ name, namespace });
  };
}

export function bareGcp(endpoint: string, keyFilename: string, project: string): BareDelivery {
  const { hostname, port } = new URL(endpoint);
  const place = { apiEndpoint: hostname, port: Number(port), protocol: 'http' };
  const client = new SecretManagerServiceClient({ fallback: true, projectId: project, keyFilename, ...place });
  return async (entry, value) => {
    const name = `projects/${project}/secrets/${entry}`;
    const latest = { name: `${name}/versions/latest` };
    const annotate = async (etag: string | null | undefined) => {
      const secret = { name, annotations: { ...FIELDS, bare: MARK }, labels: { bare: 'yes' }, ...(etag && { etag }) };
      return (await client.updateSecret({ secret, updateMask: { paths: ['annotations', 'labels'] } }))[0];
    };
    await client.getSecret({ name });
    await client.getSecretVersion(latest);
    const [secret] = await client.getSecret({ name });
    await client.accessSecretVersion(latest);
    const claimed = await annotate(secret.etag);
    await client.addSecretVersion({ parent: name, payload: { data: Buffer.from(value) } });
    await annotate(claimed.etag);
    await client.getSecret({ name });
    await client.accessSecretVersion(latest);
  };
}
