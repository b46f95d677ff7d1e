import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect } from 'vitest';
import { VaultError } from '../../src/domain/errors.ts';
import type { EntryRef, Vault } from '../../src/vaults/contract.ts';
import { hashicorpVaultType } from '../../src/vaults/hashicorp-vault.ts';
import { FakeVaultServer } from '../fakes/hashicorp-vault-http.ts';
import type { LoginRule } from '../fakes/hashicorp-vault-http.ts';
import { createTestContext } from './vault-context.ts';
import type { TestContext } from './vault-context.ts';

export const ref: EntryRef = { entry: 'prod/orders', options: {} };
export const LOGIN = /\/login$/;
export const APPROLE = { method: 'approle', roleId: 'rekeyd', secretId: 'a-secret-id' };

/** A fake server whose tokens end by the test's clock, and a folder: new ones for each test of the file that calls it. */
export function loginScene() {
  let server: FakeVaultServer;
  let context: TestContext;
  let folder: string;
  const opened: Vault[] = [];
  beforeEach(async () => {
    server = await FakeVaultServer.start();
    context = createTestContext();
    server.now = () => context.clock.monotonic();
    folder = mkdtempSync(join(tmpdir(), 'rekeyd-vault-login-'));
  });
  afterEach(async () => {
    server.script = () => null;
    for (const vault of opened.splice(0)) await vault.close();
    await server.stop();
    rmSync(folder, { recursive: true });
  });
  return {
    get server() {
      return server;
    },
    get context() {
      return context;
    },
    get folder() {
      return folder;
    },
    /** Opens a vault, which is closed after the test. */
    connect: async (auth: object, more: object = {}): Promise<Vault> => {
      const options = hashicorpVaultType.schema.parse({ url: server.url, auth, ...more });
      const vault = await hashicorpVaultType.create(options, context);
      opened.push(vault);
      return vault;
    },
    allow: (mount: string, rule: Partial<LoginRule> = {}): void => {
      server.logins.set(mount, { accepts: () => true, ttl: 3600, ...rule });
    },
    /** Writes a file into the folder. @returns its path. */
    file: (name: string, text: string): string => {
      writeFileSync(join(folder, name), text);
      return join(folder, name);
    },
    failure: async (work: Promise<unknown>): Promise<VaultError> => {
      const thrown: unknown = await work.then(
        () => null,
        (error: unknown) => error,
      );
      expect(thrown).toBeInstanceOf(VaultError);
      return thrown as VaultError;
    },
  };
}
