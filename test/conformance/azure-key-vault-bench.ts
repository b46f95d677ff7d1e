import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { z } from 'zod';
import type { ClientOverrides } from '../../src/vaults/azure-key-vault/client.ts';
import { azureKeyVaultType, openAzureKeyVault } from '../../src/vaults/azure-key-vault.ts';
import type { Vault } from '../../src/vaults/contract.ts';
import { AzureKeyVaultHttp } from '../fakes/azure-key-vault-http.ts';
import { createTestContext } from './vault-context.ts';
import type { TestContext } from './vault-context.ts';

export interface AzureBench {
  readonly server: AzureKeyVaultHttp;
  readonly context: TestContext;
  readonly vault: Vault;
  /** The file with the server's certificate. */
  readonly ca: string;
  /** Another vault on the same server. */
  another(options?: Partial<z.input<typeof azureKeyVaultType.schema>>, overrides?: ClientOverrides): Promise<Vault>;
  close(): Promise<void>;
}

/** A vault of the type `azure-key-vault` on a server of its own. */
export async function openAzureBench(): Promise<AzureBench> {
  const server = await AzureKeyVaultHttp.start();
  const folder = mkdtempSync(join(tmpdir(), 'rekeyd-azure-'));
  const ca = join(folder, 'ca.pem');
  writeFileSync(ca, server.certificate);
  const context = createTestContext();
  // `localhost` is no part of the domain that Key Vault's challenge names: that has tests of its own.
  const clientOptions = { disableChallengeResourceVerification: true };
  const another: AzureBench['another'] = (options, overrides) =>
    openAzureKeyVault(azureKeyVaultType.schema.parse({ url: server.url, ca, ...options }), context, {
      credential: server.credential,
      clientOptions,
      ...overrides,
    });
  const vault = await another();
  return {
    server,
    context,
    vault,
    ca,
    another,
    close: async () => {
      await vault.close();
      await server.stop();
      rmSync(folder, { recursive: true });
    },
  };
}
