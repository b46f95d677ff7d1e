import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { getCACertificates } from 'node:tls';
import { realPorts } from '../../src/compose/ports.ts';
import { silentLog } from '../../src/telemetry/log.ts';
import { silentMeter } from '../../src/telemetry/meter.ts';
import { awsSecretsManagerVaultType } from '../../src/vaults/aws-secrets-manager.ts';
import { azureKeyVaultType, openAzureKeyVault } from '../../src/vaults/azure-key-vault.ts';
import type { Vault, VaultContext } from '../../src/vaults/contract.ts';
import { gcpSecretManagerVaultType } from '../../src/vaults/gcp-secret-manager.ts';
import { guardVault } from '../../src/vaults/guarded.ts';
import { hashicorpVaultType } from '../../src/vaults/hashicorp-vault.ts';
import { kubernetesVaultType } from '../../src/vaults/kubernetes.ts';
import { writeGcpKeyFile } from '../fakes/gcp-key-file.ts';
import { KubernetesTeam } from '../servers/kubernetes-team.ts';
import { kubeconfigOf, kubernetes } from '../servers/kubernetes.ts';
import { moto } from '../servers/moto.ts';
import { openMount } from '../servers/openbao-mount.ts';
import { openbao } from '../servers/openbao.ts';
import { provideServer } from '../servers/provided-server.ts';
import { bareAws, bareAzure, bareGcp, bareKubernetes, bareKv } from './bare-vaults.ts';
import type { BareDelivery } from './bare-vaults.ts';
import type { FakesCalls } from './fakes-process.ts';
import type { Remote } from './remote.ts';

/** A vault as the daemon has it, and the bare deliveries to the same server. */
export interface VaultPlace {
  readonly vault: Vault;
  readonly bare: BareDelivery;
  entry(name: string): string;
  close(): Promise<void>;
}

/** A type, and how to come by a server of it; a text is the reason why there is none. */
export interface PlaceMaker {
  readonly type: string;
  readonly server: string;
  open(): Promise<VaultPlace | string>;
}

const REGION = 'eu-west-2';
const PROJECT = 'test-project';
const LIMITS = { timeout: 30_000, requestsPerSecond: 100_000 };

/** Each type that speaks to a server: real ones where they are provisioned, else fakes over HTTP in a process of their own. */
export function placeMakers(folder: string, fakes: Remote<FakesCalls>): PlaceMaker[] {
  const told = fakes.open();
  return [
    {
      type: 'aws-secrets-manager',
      server: 'moto',
      open: async () => {
        const given = await provideServer(moto);
        if (given.how === 'none') return given.reason;
        const { access } = given.server;
        const options = awsSecretsManagerVaultType.schema.parse({ region: REGION, endpoint: access.url });
        const vault = guarded(await awsSecretsManagerVaultType.create(options, context()));
        return { vault, bare: bareAws(access.url, REGION), entry: (name) => name, close: () => given.server.stop() };
      },
    },
    {
      type: 'azure-key-vault',
      server: 'a fake',
      open: async () => {
        const { url, certificate, token } = (await told).azure;
        const ca = join(folder, 'azure.pem');
        const trusted = [...getCACertificates('default'), certificate]; // as rekeyd does with its option `ca`
        writeFileSync(ca, certificate);
        const credential = { getToken: async () => ({ token, expiresOnTimestamp: Date.now() + 3_600_000 }) };
        const overrides = { credential, clientOptions: { disableChallengeResourceVerification: true } };
        const vault = await openAzureKeyVault(azureKeyVaultType.schema.parse({ url, ca }), context(), overrides);
        const close = (): Promise<void> => vault.close();
        return { vault: guarded(vault), bare: bareAzure(url, trusted, credential), entry: (name) => name, close };
      },
    },
    {
      type: 'gcp-secret-manager',
      server: 'a fake',
      open: async () => {
        const endpoint = (await told).gcp;
        const keyFile = join(folder, 'gcp.json');
        writeGcpKeyFile(keyFile);
        const options = gcpSecretManagerVaultType.schema.parse({ project: PROJECT, keyFile, endpoint });
        const vault = await gcpSecretManagerVaultType.create(options, context());
        const close = (): Promise<void> => vault.close();
        const bare = bareGcp(endpoint, keyFile, PROJECT);
        return { vault: guarded(vault), bare, entry: (name) => name, close };
      },
    },
    {
      type: 'hashicorp-vault',
      server: 'OpenBao',
      open: async () => {
        const given = await provideServer(openbao);
        if (given.how === 'none') return given.reason;
        const { access } = given.server;
        const mount = await openMount(access);
        const token = await mount.token();
        const auth = { method: 'token', token } as const;
        const options = hashicorpVaultType.schema.parse({ url: access.url, mount: mount.name, auth });
        const vault = guarded(await hashicorpVaultType.create(options, context()));
        return {
          vault,
          bare: bareKv(access.url, token, mount.name),
          entry: (name) => name,
          close: () => given.server.stop(),
        };
      },
    },
    {
      type: 'kubernetes',
      server: 'kube-apiserver',
      open: async () => {
        const given = await provideServer(kubernetes);
        if (given.how === 'none') return given.reason;
        const { access } = given.server;
        const team = await KubernetesTeam.make(access, 'bench');
        const token = await team.token();
        await team.grant(token);
        const { namespace } = team;
        const text = kubeconfigOf(access, { token });
        const kubeconfig = join(folder, 'kubeconfig.yaml');
        writeFileSync(kubeconfig, text, { mode: 0o600 });
        const options = kubernetesVaultType.schema.parse({ namespace, kubeconfig });
        const vault = guarded(await kubernetesVaultType.create(options, context()));
        const bare = bareKubernetes(text, namespace);
        return { vault, bare, entry: (name) => `${namespace}/${name}`, close: () => given.server.stop() };
      },
    },
  ];
}

function guarded(vault: Vault): Vault {
  return guardVault(vault, { ...LIMITS, ports: realPorts, meter: silentMeter });
}

function context(): VaultContext {
  return { ...realPorts, name: 'bench', timeout: LIMITS.timeout, readBack: 5_000, log: silentLog, meter: silentMeter };
}
