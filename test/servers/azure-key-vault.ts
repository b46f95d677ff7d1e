import type { SecretClient, SecretProperties } from '@azure/keyvault-secrets';
import { realPorts } from '../../src/compose/ports.ts';
import { openClient } from '../../src/vaults/azure-key-vault/client.ts';
import type { ClientOverrides } from '../../src/vaults/azure-key-vault/client.ts';
import { azureKeyVaultType, openAzureKeyVault } from '../../src/vaults/azure-key-vault.ts';
import type { EntryRef, Vault } from '../../src/vaults/contract.ts';
import { createTestContext } from '../conformance/vault-context.ts';
import type { TestContext } from '../conformance/vault-context.ts';
import type { VaultFixture } from '../conformance/vault-fixture.ts';

/** A Key Vault that the environment tells of. */
export interface ToldKeyVault {
  readonly url: string;
  readonly ca: string | undefined;
}

/**
 * A Key Vault of Azure, as whom `DefaultAzureCredential` finds, or an emulator on the loopback address, whose certificate
 * is in the file REKEYD_AZURE_KEY_VAULT_CA. No package registry offers either, so `test/servers/provision` makes none.
 * @returns the reason, as a text, where none is told.
 */
export function toldKeyVault(): ToldKeyVault | string {
  const { REKEYD_AZURE_KEY_VAULT_URL: url, REKEYD_AZURE_KEY_VAULT_CA: ca } = process.env;
  return url === undefined ? 'no Key Vault is told: REKEYD_AZURE_KEY_VAULT_URL is not set' : { url, ca };
}

/** A vault, and a person's hands on the same Key Vault. */
export class KeyVaultHands {
  readonly vault: Vault;
  readonly context: TestContext;
  readonly #client: SecretClient;
  readonly #made = new Set<string>();

  private constructor(vault: Vault, context: TestContext, client: SecretClient) {
    this.vault = vault;
    this.context = context;
    this.#client = client;
  }

  static async on({ url, ca }: ToldKeyVault): Promise<KeyVaultHands> {
    const options = azureKeyVaultType.schema.parse({ url, ca });
    const context = createTestContext();
    const overrides = isEmulator(url) ? emulated() : {};
    const vault = await openAzureKeyVault(options, { ...context, ...realPorts }, overrides);
    return new KeyVaultHands(vault, context, await openClient(options, context, overrides));
  }

  /** A place that no test and no earlier run has used. */
  makeRef(run: string, label: string): EntryRef {
    const entry = `rekeyd-${run}-${label}`;
    this.#made.add(entry);
    return { entry, options: {} };
  }

  async delete({ entry }: EntryRef): Promise<void> {
    const poller = await this.#client.beginDeleteSecret(entry, { intervalInMs: 500 });
    await poller.pollUntilDone();
  }

  hooks(): Partial<VaultFixture> {
    const client = this.#client;
    const tagsOf = async (entry: string) => (await client.getSecret(entry)).properties.tags ?? {};
    return {
      editByHand: async ({ entry }, content) => {
        await client.setSecret(entry, content, { tags: await tagsOf(entry) });
      },
      removeMark: async ({ entry }) => {
        const { tags = {}, version = '' } = (await client.getSecret(entry)).properties;
        const others = Object.entries(tags).filter(([name]) => !name.startsWith('rekeyd-'));
        await client.updateSecretProperties(entry, version, { tags: Object.fromEntries(others) });
      },
      rollBack: async ({ entry }) => {
        const [, before] = await this.#newestFirst(entry);
        await this.#setAgain(entry, before!);
      },
      rollBackAndForth: async ({ entry }) => {
        const [now, before] = await this.#newestFirst(entry);
        for (const version of [before!, now!]) await this.#setAgain(entry, version);
      },
      makeEmpty: async ({ entry }) => {
        const { version = '' } = (await client.getSecret(entry)).properties;
        await client.updateSecretProperties(entry, version, { enabled: false });
      },
      putForeign: async ({ entry }, content) => {
        await client.setSecret(entry, content, { tags: { 'file-encoding': 'utf-8' } });
      },
      addForeignMetadata: async ({ entry }) => {
        const { tags, version = '' } = (await client.getSecret(entry)).properties;
        await client.updateSecretProperties(entry, version, { tags: { ...tags, team: 'checkout' } });
        return async () => (await tagsOf(entry))['team'] === 'checkout';
      },
    };
  }

  async #newestFirst(entry: string): Promise<SecretProperties[]> {
    const versions = [];
    for await (const properties of this.#client.listPropertiesOfSecretVersions(entry)) versions.push(properties);
    const generation = (tags: Record<string, string> = {}): number => Number(tags['rekeyd-generation']);
    return versions.sort((a, b) => generation(b.tags) - generation(a.tags));
  }

  async #setAgain(entry: string, { version = '' }: SecretProperties): Promise<void> {
    const { value = '', properties } = await this.#client.getSecret(entry, { version });
    await this.#client.setSecret(entry, value, { tags: properties.tags ?? {} });
  }

  /** Deletes what was made; a Key Vault keeps it soft-deleted for its retention. */
  async close(): Promise<void> {
    await this.vault.close();
    for (const entry of this.#made) {
      // many names are of cases that make nothing
      await this.#client.beginDeleteSecret(entry).catch(() => null);
    }
  }
}

function isEmulator(url: string): boolean {
  return ['localhost', '127.0.0.1'].includes(new URL(url).hostname);
}

/** An emulator takes any token, and its address is in no domain of Azure. */
function emulated(): ClientOverrides {
  return {
    credential: { getToken: async () => ({ token: 'any', expiresOnTimestamp: Date.now() + 3_600_000 }) },
    clientOptions: { disableChallengeResourceVerification: true },
  };
}
