import { afterEach, beforeEach, expect } from 'vitest';
import { VaultError } from '../../src/domain/errors.ts';
import { SecretValue } from '../../src/domain/secret-value.ts';
import { ABSENT } from '../../src/vaults/contract.ts';
import type { EntryRef, Vault, VaultContext } from '../../src/vaults/contract.ts';
import { hashicorpVaultType } from '../../src/vaults/hashicorp-vault.ts';
import { FakeVaultServer } from '../fakes/hashicorp-vault-http.ts';
import type { ScriptedAnswer } from '../fakes/hashicorp-vault-http.ts';
import { hatchCanary, leakIn } from './canary.ts';
import { makeMark } from './vault-bench.ts';
import { createTestContext } from './vault-context.ts';
import type { TestContext } from './vault-context.ts';

export const TOKEN = 'k4nari-token-of-our-own';
export const ref: EntryRef = { entry: 'prod/orders', options: {} };
export const canary = hatchCanary();
export const payload = {
  form: 'fields',
  content: SecretValue.of(JSON.stringify({ clientSecret: canary.text })),
} as const;

export function connect(url: string, around: VaultContext, more: object = {}): Promise<Vault> {
  const auth = { method: 'token', token: TOKEN };
  return hashicorpVaultType.create(hashicorpVaultType.schema.parse({ url, auth, ...more }), around);
}

/** A fake server that refuses as it is told to, and a vault on it: new ones for each test of the file that calls it. */
export function refusalScene() {
  let server: FakeVaultServer;
  let context: TestContext;
  let vault: Vault;
  beforeEach(async () => {
    server = await FakeVaultServer.start();
    server.issue(TOKEN, 0, false);
    context = createTestContext();
    vault = await connect(server.url, context);
  });
  afterEach(async () => {
    await vault.close();
    await server.stop();
  });
  const calls: [string, () => Promise<unknown>][] = [
    ['describe', () => vault.describe(ref)],
    ['describe with proof', () => vault.describe(ref, { prove: true })],
    ['read', () => vault.read(ref)],
    ['deliver', () => vault.deliver(ref, payload, makeMark(1), ABSENT)],
    ['restoreMark', () => vault.restoreMark(ref, makeMark(1), ABSENT)],
  ];
  return {
    calls,
    get server() {
      return server;
    },
    get context() {
      return context;
    },
    get vault() {
      return vault;
    },
    /** What a call throws: always a VaultError, which shows neither the value nor our token. */
    failure: async (work: Promise<unknown>): Promise<VaultError> => {
      const thrown: unknown = await work.then(
        () => null,
        (error: unknown) => error,
      );
      expect(thrown).toBeInstanceOf(VaultError);
      const token = { text: TOKEN, forms: [TOKEN, Buffer.from(TOKEN).toString('base64')] };
      expect(leakIn(thrown, [canary, token])).toBeNull();
      expect(leakIn(context.printed(), [canary, token])).toBeNull();
      return thrown as VaultError;
    },
    /** Every request for an entry, or for what `path` says, is answered so. */
    answer: (scripted: ScriptedAnswer, path = /^secret\//): void => {
      server.script = (request) => (path.test(request.path) ? scripted : null);
    },
  };
}
