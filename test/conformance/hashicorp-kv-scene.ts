import { afterEach, beforeEach, expect } from 'vitest';
import type { Payload } from '../../src/domain/payload.ts';
import { SecretValue } from '../../src/domain/secret-value.ts';
import { ABSENT } from '../../src/vaults/contract.ts';
import type { EntryRef, Vault } from '../../src/vaults/contract.ts';
import { hashicorpVaultType } from '../../src/vaults/hashicorp-vault.ts';
import { FakeVaultServer } from '../fakes/hashicorp-vault-http.ts';
import type { SeenRequest } from '../fakes/hashicorp-vault-http.ts';
import { KvHands } from './kv-hands.ts';
import { makeMark } from './vault-bench.ts';
import { createTestContext } from './vault-context.ts';

export const DATA = /^secret\/data\//;
export const METADATA = /^secret\/metadata\//;
export const ref: EntryRef = { entry: 'prod/orders', options: {} };

export function fields(values: Readonly<Record<string, string | null>>) {
  return { form: 'fields', content: SecretValue.of(JSON.stringify(values)) } as const;
}

export function opaque(text: string) {
  return { form: 'opaque', content: SecretValue.of(text) } as const;
}

/** A fake server, a vault on it, and hands beside it: new ones for each test of the file that calls it. */
export function kvScene() {
  let server: FakeVaultServer;
  let vault: Vault;
  let hands: KvHands;
  beforeEach(async () => {
    server = await FakeVaultServer.start();
    const options = hashicorpVaultType.schema.parse({ url: server.url, auth: { method: 'token', token: 'root' } });
    vault = await hashicorpVaultType.create(options, createTestContext());
    hands = new KvHands({ url: server.url, token: 'root', mount: 'secret' });
  });
  afterEach(async () => {
    await vault.close();
    await server.stop();
  });
  return {
    get server() {
      return server;
    },
    get vault() {
      return vault;
    },
    get hands() {
      return hands;
    },
    /** Looks with proof. */
    look: async () => {
      const seen = await vault.describe(ref, { prove: true });
      if (seen.state === 'absent') throw new Error('it is absent');
      return seen;
    },
    /** Delivers over whatever is there. @returns the version. */
    deliver: async (
      generation: number,
      payload: Payload = fields({ clientSecret: `value-${generation}` }),
    ): Promise<string> => {
      const seen = await vault.describe(ref);
      const expected = seen.state === 'absent' ? ABSENT : seen.version;
      return (await vault.deliver(ref, payload, makeMark(generation), expected)).version;
    },
    /** The server breaks down at the n-th request that fits, and stays so until the call has failed. */
    failingAt: async (method: string, path: RegExp, count: number, work: () => Promise<unknown>): Promise<void> => {
      let seen = 0;
      const fits = (request: SeenRequest): boolean => request.method === method && path.test(request.path);
      server.script = (request) =>
        fits(request) && ++seen >= count ? { status: 500, body: '{"errors":["down"]}' } : null;
      await expect(work()).rejects.toMatchObject({ fault: 'unavailable' });
      server.script = () => null;
    },
  };
}
