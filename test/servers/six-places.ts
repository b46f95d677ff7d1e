import type { AwsHands } from '../conformance/aws-hands.ts';
import type { AzureKeyVaultHttp } from '../fakes/azure-key-vault-http.ts';
import type { FakeGcpSecretManager } from '../fakes/gcp-secret-http.ts';
import { parseJson } from '../process/consumer.ts';
import type { Serving, Shelf } from '../process/consumer.ts';
import { ISSUER } from '../process/site.ts';
import type { KubernetesTeam } from './kubernetes-team.ts';
import type { OpenBaoMount } from './openbao-mount.ts';

export const AWS_REGION = 'eu-west-2';
/** The fake's name: one that Key Vault's challenge is good for, which the SDK checks. */
export const KEY_VAULT_HOST = 'rekeyd-test.vault.azure.net';
/** In every vault. */
export const ENTRY = 'data8-orders';

/** What a person's programs reach beside rekeyd, each with a client that shares nothing with it. */
export interface Hands {
  readonly aws: AwsHands;
  readonly azure: AzureKeyVaultHttp;
  readonly gcp: FakeGcpSecretManager;
  readonly kubernetes: KubernetesTeam;
  readonly mount: OpenBaoMount;
}

export interface Places {
  readonly moto: string;
  readonly azure: string;
  readonly gcp: string;
  readonly openbao: string;
  readonly mount: string;
  readonly token: string;
  readonly namespace: string;
}

/** Nothing is due by itself within a test; what was replaced goes six seconds after nothing serves it any more. */
export function configuration(at: Places): string {
  return `instance: six
schedule: "* * * * * *"
resync: 2s
shutdownTimeout: 5s
ledger: { type: sqlite, path: ./rekeyd.db }
http: { port: 0, socket: ./rekeyd.sock }
limits: { createsPerDay: 1000, rotationsPerHour: 1000, maxLiveSecrets: 20 }
${ISSUER}vaults:
  file: { type: file, path: ./vault, key: ./vault.key, requestsPerSecond: 100 }
  aws: { type: aws-secrets-manager, region: ${AWS_REGION}, endpoint: "${at.moto}", requestsPerSecond: 100 }
  azure:
    type: azure-key-vault
    url: "${at.azure}"
    ca: ./azure.pem
    auth: { method: managed-identity }
    requestsPerSecond: 100
  bao:
    type: hashicorp-vault
    url: "${at.openbao}"
    mount: ${at.mount}
    auth: { method: token, token: "${at.token}" }
    requestsPerSecond: 100
  kubernetes: { type: kubernetes, namespace: ${at.namespace}, kubeconfig: ./kubeconfig.yaml, requestsPerSecond: 100 }
  gcp: { type: gcp-secret-manager, project: test-project, endpoint: "${at.gcp}", keyFile: ./gcp.json, requestsPerSecond: 100 }
policies:
  default:
    lifetime: 3600s
    renewBefore: 600s
    grace: 6s
    provisional: 60s
    verify: { timeout: 20s, settle: 0s }
credentials:
  - issuer: data8
    match: { description: "orders (prod)" }
    deliver:
${['file', 'aws', 'azure', 'bao', 'kubernetes', 'gcp'].map((vault) => `      - { vault: ${vault}, name: ${ENTRY} }\n`).join('')}`;
}

/** Where programs read, one place of each vault but the file vault. */
export function shelvesOf(clientId: string, { aws, azure, gcp, kubernetes, mount }: Hands): Shelf[] {
  const shelf = (name: string, read: () => Promise<Serving | null>): Shelf => ({ name, clientId, read });
  return [
    shelf('aws', async () => {
      // the stage is what the service looks up by default; moto would give the version that was put last by itself
      const { SecretString } = await aws.client.getSecretValue({ SecretId: ENTRY, VersionStage: 'AWSCURRENT' });
      return parseJson(SecretString ?? '');
    }),
    shelf('azure', () => Promise.resolve(parseJson(azure.store.current(ENTRY).value))),
    shelf('bao', async () => parseJson(JSON.stringify(await mount.hands.get(ENTRY)))),
    shelf('kubernetes', async () => {
      const { data } = await kubernetes.must<{ data: Record<string, string> }>('GET', `/secrets/${ENTRY}`);
      const fields = Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]);
      return parseJson(JSON.stringify(Object.fromEntries(fields)));
    }),
    shelf('gcp', () => Promise.resolve(parseJson(gcp.store.find(ENTRY).versions.at(-1)?.data.toString() ?? ''))),
  ];
}
