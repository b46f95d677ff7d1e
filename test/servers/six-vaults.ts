import { writeFile } from 'node:fs/promises';
import { seededClientId, seededValue } from '../../src/emulator/seed.ts';
import { AwsHands, useTestCredentials } from '../conformance/aws-hands.ts';
import { AppServiceIdentity } from '../fakes/app-service-identity.ts';
import { AzureKeyVaultHttp } from '../fakes/azure-key-vault-http.ts';
import { writeGcpKeyFile } from '../fakes/gcp-key-file.ts';
import { FakeGcpSecretManager } from '../fakes/gcp-secret-http.ts';
import { encryptedShelf, openFileVault } from '../process/consumer.ts';
import type { Serving, Shelf } from '../process/consumer.ts';
import { EmulatedIssuer } from '../process/emulated-issuer.ts';
import { Site } from '../process/site.ts';
import { KubernetesTeam } from './kubernetes-team.ts';
import { kubeconfigOf } from './kubernetes.ts';
import type { KubernetesAccess } from './kubernetes.ts';
import type { MotoAccess } from './moto.ts';
import { openMount } from './openbao-mount.ts';
import { unseal } from './openbao.ts';
import type { OpenBaoAccess } from './openbao.ts';
import { AWS_REGION, configuration, ENTRY, KEY_VAULT_HOST, shelvesOf } from './six-places.ts';
import type { Hands } from './six-places.ts';

/** The real servers; Key Vault and Google's service are fakes at the HTTP level, for there is no server of them to have. */
export interface RealServers {
  readonly moto: MotoAccess;
  readonly openbao: OpenBaoAccess;
  readonly kubernetes: KubernetesAccess;
}

type Close = () => unknown;
const KEY = 'six';

/** One installation that delivers one credential to six vaults, and the hands of those who work past it. */
export class SixVaults {
  readonly clientId = seededClientId(KEY, 1);
  /** The secret that a person made before rekeyd came. It is alive, and nobody deletes it. */
  readonly madeByHand = seededValue(KEY, this.clientId, 1);
  readonly issuer: EmulatedIssuer;
  readonly site: Site;
  readonly hands: Hands;
  /** Where programs read, one place of each vault. */
  readonly shelves: readonly Shelf[];
  readonly #openbao: OpenBaoAccess;
  readonly #closing: Close[];
  #dark = false;

  private constructor(
    { issuer, site, hands }: Pick<SixVaults, 'issuer' | 'site' | 'hands'>,
    file: Shelf,
    openbao: OpenBaoAccess,
    closing: Close[],
  ) {
    this.issuer = issuer;
    this.site = site;
    this.hands = hands;
    this.shelves = [file, ...shelvesOf(this.clientId, hands)].map((shelf) =>
      shelf.name === 'bao' ? this.#remembering(shelf) : shelf,
    );
    this.#openbao = openbao;
    this.#closing = closing;
  }

  static async open({ moto, openbao, kubernetes: cluster }: RealServers): Promise<SixVaults> {
    const closing: Close[] = [];
    const opened = async <T>(made: Promise<T>, close: (it: T) => unknown): Promise<T> => {
      const it = await made;
      closing.push(() => close(it));
      return it;
    };
    closing.push(useTestCredentials());
    const groups = [
      { credentials: 1, description: 'orders (prod)', expiresIn: null, secretDescription: 'made by hand' },
    ];
    const issuer = await opened(EmulatedIssuer.start({ seed: { key: KEY, groups } }), (it) => it.stop());
    const azure = await opened(AzureKeyVaultHttp.start(KEY_VAULT_HOST), (it) => it.stop());
    const identity = await opened(AppServiceIdentity.start(azure.token), (it) => it.stop());
    const gcp = new FakeGcpSecretManager();
    const gcpUrl = await opened(gcp.start(), () => gcp.stop());
    const mount = await opened(openMount(openbao), (it) => it.remove());
    const kubernetes = await KubernetesTeam.make(cluster, 'six');
    const podToken = await kubernetes.token();
    await kubernetes.grant(podToken);

    const config = configuration({
      moto: moto.url,
      azure: azure.url,
      gcp: gcpUrl,
      openbao: openbao.url,
      mount: mount.name,
      token: await mount.token(),
      namespace: kubernetes.namespace,
    });
    const env = { ...issuer.env, ...identity.env, ...awsEnvironment(), ...KEY_VAULT_ENVIRONMENT };
    const site = await opened(Site.open(env, config), (it) => it.close());
    await writeFile(site.path('azure.pem'), azure.certificate);
    await writeFile(site.path('kubeconfig.yaml'), kubeconfigOf(cluster, { token: podToken }), { mode: 0o600 });
    writeGcpKeyFile(site.path('gcp.json'));
    const vault = await opened(openFileVault(site.path('vault'), site.path('vault.key')), (it) => it.close());
    const file = { ...encryptedShelf(seededClientId(KEY, 1), vault, ENTRY), name: 'file' };
    const hands = { aws: new AwsHands(moto.url, AWS_REGION), azure, gcp, kubernetes, mount };
    return new SixVaults({ issuer, site, hands }, file, openbao, closing);
  }

  /** OpenBao is stopped. */
  async takeAway(): Promise<void> {
    this.#dark = true;
    await this.#openbao.power?.off();
  }

  /** It is started again, sealed at first. */
  async bringBack(): Promise<void> {
    const { url, unsealKey, power } = this.#openbao;
    await power?.on();
    await unseal(url, unsealKey ?? '');
    this.#dark = false;
  }

  /** What each vault serves, by its name. */
  async served(): Promise<Readonly<Record<string, Serving | null>>> {
    const all = this.shelves.map(async ({ name, read }) => [name, await read()] as const);
    return Object.fromEntries(await Promise.all(all));
  }

  async close(): Promise<void> {
    for (const close of this.#closing.reverse()) await close();
  }

  /** While its vault is away a program goes on with what it has. */
  #remembering(shelf: Shelf): Shelf {
    let last: Serving | null = null;
    const read = async (): Promise<Serving | null> => {
      if (this.#dark) return last;
      try {
        last = await shelf.read();
      } catch (error) {
        // taken away in the middle of it
        // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition -- it may have changed while it was read
        if (!this.#dark) throw error;
      }
      return last;
    };
    return { ...shelf, read };
  }
}

/** What `useTestCredentials` has put there. */
function awsEnvironment(): Record<string, string> {
  const ours = Object.entries(process.env).filter(([key]) => key.startsWith('AWS_'));
  return Object.fromEntries(ours.map(([key, value]) => [key, value ?? '']));
}

const KEY_VAULT_ENVIRONMENT = {
  NODE_OPTIONS: `--import ${new URL('name-lookup.ts', import.meta.url).href}`,
  REKEYD_TEST_HOST: KEY_VAULT_HOST,
};
