import { afterEach, beforeEach, describe, expect, it } from 'vitest';
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

const TOKEN = 'k4nari-token-of-our-own';
const ref: EntryRef = { entry: 'prod/orders', options: {} };
const canary = hatchCanary();
const payload = { form: 'fields', content: SecretValue.of(JSON.stringify({ clientSecret: canary.text })) } as const;

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

function connect(url: string, around: VaultContext, more: object = {}): Promise<Vault> {
  const auth = { method: 'token', token: TOKEN };
  return hashicorpVaultType.create(hashicorpVaultType.schema.parse({ url, auth, ...more }), around);
}

/** What a call throws: always a VaultError, which shows neither the value nor our token. */
async function failure(work: Promise<unknown>): Promise<VaultError> {
  const thrown: unknown = await work.then(
    () => null,
    (error: unknown) => error,
  );
  expect(thrown).toBeInstanceOf(VaultError);
  const token = { text: TOKEN, forms: [TOKEN, Buffer.from(TOKEN).toString('base64')] };
  expect(leakIn(thrown, [canary, token])).toBeNull();
  expect(leakIn(context.printed(), [canary, token])).toBeNull();
  return thrown as VaultError;
}
/** Every request for an entry, or for what `path` says, is answered so. */
function answer(scripted: ScriptedAnswer, path = /^secret\//): void {
  server.script = (request) => (path.test(request.path) ? scripted : null);
}
const calls: [string, () => Promise<unknown>][] = [
  ['describe', () => vault.describe(ref)],
  ['describe with proof', () => vault.describe(ref, { prove: true })],
  ['read', () => vault.read(ref)],
  ['deliver', () => vault.deliver(ref, payload, makeMark(1), ABSENT)],
  ['restoreMark', () => vault.restoreMark(ref, makeMark(1), ABSENT)],
];

describe('the mount', () => {
  it.each([
    [
      'of KV version 1, which has no versions',
      { type: 'kv', options: {}, path: 'secret/' },
      /version 1.*enable-versioning/,
    ],
    ['of KV version 1, as older servers tell it', { type: 'kv', options: null, path: 'secret/' }, /version 1/],
    ['of another engine', { type: 'transit', options: null, path: 'secret/' }, /no KV engine/],
    ['that only lies in one', { type: 'kv', options: { version: '2' }, path: 'sec/' }, /no mount/],
  ])('%s is refused before anything is looked for or written', async (_, mount, message) => {
    server.mount = mount;
    for (const [, call] of calls) {
      expect(await failure(call())).toMatchObject({
        fault: 'rejected',
        message: expect.stringMatching(message) as string,
      });
    }
    expect(server.seen.filter(({ path }) => path.startsWith('secret/'))).toEqual([]);
  });

  it('V15: is looked at again before an entry is called absent', async () => {
    expect(await vault.describe(ref)).toEqual({ state: 'absent' });
    server.mount = { type: 'kv', options: {}, path: 'secret/' };
    for (const look of [vault.describe(ref), vault.describe(ref, { prove: true }), vault.read(ref)]) {
      expect(await failure(look)).toMatchObject({ fault: 'rejected' });
    }
  });
});

describe('V13: a standby that lags', () => {
  beforeEach(async () => {
    await vault.describe(ref); // logged in: from here on only the waits for the standby are in the clock
  });

  it('is told what was written last, so that it cannot answer with what was there before', async () => {
    await vault.deliver(ref, payload, makeMark(1), ABSENT);
    await vault.read(ref);
    expect(server.seen.at(-1)!.headers['x-vault-index']).toMatch(/^index-\d+$/);
  });

  it.each([412, 472, 473])('is asked again until it has caught up (%i)', async (status) => {
    let left = 5;
    server.script = (request) => (request.path.startsWith('secret/') && --left >= 0 ? { status, body: '' } : null);
    await expect(context.clock.until(vault.describe(ref))).resolves.toEqual({ state: 'absent' });
    expect(context.clock.monotonic()).toBeLessThan(10_000);
  });

  it('is given up after readBack', async () => {
    answer({ status: 412, body: '{"errors":["required index state not present"]}' });
    const error = await failure(context.clock.until(vault.read(ref)));
    expect(error).toMatchObject({ fault: 'unavailable', message: expect.stringContaining('caught up') as string });
    expect(context.clock.monotonic()).toBeGreaterThan(context.readBack - 3_000);
    expect(context.clock.monotonic()).toBeLessThanOrEqual(context.readBack);
  });
});

describe('a namespace', () => {
  it('goes with every request', async () => {
    const inside = await connect(server.url, context, { namespace: 'team/prod' });
    await inside.deliver(ref, payload, makeMark(1), ABSENT);
    await inside.rights([ref]);
    expect(server.seen.every(({ headers }) => headers['x-vault-namespace'] === 'team/prod')).toBe(true);
    expect(inside.identity).not.toBe(vault.identity);
  });
});

describe('rights', () => {
  it('names what the policy lacks, of each of many entries', async () => {
    server.capabilities = (path) => (path.startsWith('secret/metadata') ? ['read'] : ['create', 'read', 'update']);
    const refs = Array.from({ length: 120 }, (_, index) => ({ entry: `prod/app-${index}`, options: {} }));
    const reports = await vault.rights(refs);
    expect(Object.fromEntries(reports.map(({ right, status }) => [right, status]))).toEqual({
      reached: 'ok',
      'log in': 'ok',
      'KV version 2 at the mount': 'ok',
      'read on data': 'ok',
      'create on data': 'ok',
      'update on data': 'ok',
      'read on metadata': 'ok',
      'create on metadata': 'missing',
      'patch on metadata': 'missing',
    });
    expect(reports.at(-1)!.hint).toContain('patch on "secret/metadata/prod/app-0"');
    expect(reports.at(-1)!.hint).toContain('and 117 more');
    expect(server.seen.every(({ method, path }) => method === 'GET' || path === 'sys/capabilities-self')).toBe(true);
  });

  it('takes root for every right', async () => {
    server.capabilities = () => ['root'];
    expect((await vault.rights([ref])).every(({ status }) => status === 'ok')).toBe(true);
  });

  it('does not know what it cannot ask', async () => {
    answer({ status: 403, body: '{"errors":["permission denied"]}' }, /capabilities-self/);
    expect((await vault.rights([ref])).at(-1)).toMatchObject({
      status: 'unknown',
      hint: expect.stringContaining('capabilities-self') as string,
    });
  });

  it('tells what comes first: the server, the login, the mount', async () => {
    server.mount = { type: 'kv', options: {}, path: 'secret/' };
    expect((await vault.rights([ref])).at(-1)).toMatchObject({ right: 'KV version 2 at the mount', status: 'missing' });
    const stranger = await connect(server.url, context, { auth: { method: 'token', token: 'unknown' } });
    expect((await stranger.rights([ref])).at(-1)).toMatchObject({ right: 'log in', status: 'missing' });
    const nowhere = await connect('http://127.0.0.1:1', context);
    expect(await nowhere.rights([ref])).toMatchObject([{ right: 'reached', status: 'missing' }]);
  });
});
