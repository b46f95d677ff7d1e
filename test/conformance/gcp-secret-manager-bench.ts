import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { VaultError } from '../../src/domain/errors.ts';
import type { Mark } from '../../src/domain/mark.ts';
import type { Payload } from '../../src/domain/payload.ts';
import { SecretValue } from '../../src/domain/secret-value.ts';
import { ABSENT } from '../../src/vaults/contract.ts';
import type { EntryDescription, EntryRef, Vault } from '../../src/vaults/contract.ts';
import { gcpSecretManagerVaultType } from '../../src/vaults/gcp-secret-manager.ts';
import type { GcpOptions } from '../../src/vaults/gcp-secret-manager/options.ts';
import { writeGcpKeyFile } from '../fakes/gcp-key-file.ts';
import { FakeGcpSecretManager } from '../fakes/gcp-secret-http.ts';
import { createTestContext } from './vault-context.ts';
import type { TestContext } from './vault-context.ts';

/** A vault of the type `gcp-secret-manager` on a service of its own. */
export interface GcpBench {
  readonly service: FakeGcpSecretManager;
  readonly context: TestContext;
  readonly vault: Vault;
  readonly folder: string;
  /** Another vault on the same service, as another process has one. */
  another(options?: Partial<GcpOptions>): Promise<{ readonly vault: Vault; readonly context: TestContext }>;
  close(): Promise<void>;
}

export async function openGcpBench(): Promise<GcpBench> {
  const folder = mkdtempSync(join(tmpdir(), 'rekeyd-gcp-'));
  const keyFile = join(folder, 'key.json');
  writeGcpKeyFile(keyFile);
  const service = new FakeGcpSecretManager();
  const endpoint = await service.start();
  const vaults: Vault[] = [];
  const another: GcpBench['another'] = async (options = {}) => {
    const context = createTestContext(`gcp-${vaults.length}`, vaults.length + 1);
    const base = { project: 'test-project', keyFile, endpoint };
    const vault = await gcpSecretManagerVaultType.create(
      gcpSecretManagerVaultType.schema.parse({ ...base, ...options }),
      context,
    );
    vaults.push(vault);
    return { vault, context };
  };
  return {
    service,
    folder,
    another,
    ...(await another()),
    close: async () => {
      for (const vault of vaults) await vault.close();
      await service.stop();
      rmSync(folder, { recursive: true });
    },
  };
}

/** The error of a promise that must be rejected by a vault. */
export async function errorOf(promise: Promise<unknown>): Promise<VaultError> {
  const error: unknown = await promise.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (error instanceof VaultError) return error;
  throw new Error(`no VaultError: ${String(error)}`);
}

export function payload(text: string): Payload {
  return { form: 'opaque', content: SecretValue.of(text) };
}

export function versionOf(seen: EntryDescription): string {
  return seen.state === 'absent' ? ABSENT : seen.version;
}

/** Delivers over whatever is there. @returns the version. */
export async function put(vault: Vault, ref: EntryRef, text: string, mark: Mark): Promise<string> {
  const expected = versionOf(await vault.describe(ref, { prove: true }));
  return (await vault.deliver(ref, payload(text), mark, expected)).version;
}
