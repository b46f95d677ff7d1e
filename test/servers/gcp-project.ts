import { SecretManagerServiceClient } from '@google-cloud/secret-manager';
import { gcpSecretManagerVaultType } from '../../src/vaults/gcp-secret-manager.ts';
import type { GcpOptions } from '../../src/vaults/gcp-secret-manager/options.ts';

const VARIABLES = ['REKEYD_GCP_PROJECT', 'REKEYD_GCP_KEY_FILE', 'REKEYD_GCP_ENDPOINT'] as const;

/** A project of Google Cloud that the tests may use. There is no server of it to start on this machine. */
export type ToldProject = { readonly options: GcpOptions } | { readonly reason: string };

/** Reads it from the environment. `REKEYD_SERVERS_REQUIRED` does not ask for it: Google publishes no emulator of this service. */
export function toldProject(): ToldProject {
  const [project, keyFile, endpoint] = VARIABLES.map((name) => process.env[name]);
  if (project === undefined) return { reason: `no project of Google Cloud is told: ${VARIABLES[0]} is not set` };
  const given = { project, keyFile: keyFile ?? null, endpoint: endpoint ?? null };
  return { options: gcpSecretManagerVaultType.schema.parse(given) };
}

/** What a person does to secrets, past the vault. */
export class GcpHands {
  readonly #client: SecretManagerServiceClient;
  readonly #parent: string;

  constructor({ project, keyFile, endpoint }: GcpOptions) {
    const url = endpoint === null ? null : new URL(endpoint);
    this.#parent = `projects/${project}`;
    this.#client = new SecretManagerServiceClient({
      fallback: true,
      projectId: project,
      ...(keyFile === null ? {} : { keyFilename: keyFile }),
      ...(url === null
        ? {}
        : { apiEndpoint: url.hostname, port: Number(url.port || 443), protocol: url.protocol.replace(':', '') }),
    });
  }

  name(entry: string): string {
    return `${this.#parent}/secrets/${entry}`;
  }

  async create(entry: string): Promise<void> {
    await this.#client.createSecret({
      parent: this.#parent,
      secretId: entry,
      secret: { replication: { automatic: {} } },
    });
  }

  async add(entry: string, data: Uint8Array | string): Promise<void> {
    await this.#client.addSecretVersion({
      parent: this.name(entry),
      payload: { data: typeof data === 'string' ? Buffer.from(data) : data },
    });
  }

  /** Adds the value of the version before the newest again. */
  async addPrevious(entry: string): Promise<void> {
    const [newest] = await this.#client.getSecretVersion({ name: `${this.name(entry)}/versions/latest` });
    const number = Number(/\d+$/.exec(newest.name ?? '')?.[0]);
    const [before] = await this.#client.accessSecretVersion({ name: `${this.name(entry)}/versions/${number - 1}` });
    await this.add(entry, before.payload?.data ?? '');
  }

  /** The version before, and what is the newest now after it. */
  async addBackAndForth(entry: string): Promise<void> {
    for (let time = 0; time < 2; time++) await this.addPrevious(entry);
  }

  async disableNewest(entry: string): Promise<void> {
    const [newest] = await this.#client.getSecretVersion({ name: `${this.name(entry)}/versions/latest` });
    await this.#client.disableSecretVersion({ name: newest.name ?? '' });
  }

  async annotations(entry: string): Promise<Record<string, string>> {
    const [secret] = await this.#client.getSecret({ name: this.name(entry) });
    return secret.annotations ?? {};
  }

  async annotate(entry: string, annotations: Record<string, string>): Promise<void> {
    const secret = { name: this.name(entry), annotations };
    await this.#client.updateSecret({ secret, updateMask: { paths: ['annotations'] } });
  }

  async deleteAll(entries: Iterable<string>): Promise<void> {
    for (const entry of entries) {
      await this.#client.deleteSecret({ name: this.name(entry) }).catch((error: unknown) => {
        // the suite names places that it never fills
        if (!String(error).includes('not found')) throw error;
      });
    }
    await this.#client.close();
  }
}
