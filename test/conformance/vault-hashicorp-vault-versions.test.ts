import { afterEach, beforeEach, describe, expect, it } from 'vitest';
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

let server: FakeVaultServer;
let vault: Vault;
let hands: KvHands;
const DATA = /^secret\/data\//;
const METADATA = /^secret\/metadata\//;
const ref: EntryRef = { entry: 'prod/orders', options: {} };

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

function fields(values: Readonly<Record<string, string | null>>) {
  return { form: 'fields', content: SecretValue.of(JSON.stringify(values)) } as const;
}
function opaque(text: string) {
  return { form: 'opaque', content: SecretValue.of(text) } as const;
}
/** Looks with proof. */
async function look() {
  const seen = await vault.describe(ref, { prove: true });
  if (seen.state === 'absent') throw new Error('it is absent');
  return seen;
}
async function deliver(
  generation: number,
  payload: Payload = fields({ clientSecret: `value-${generation}` }),
): Promise<string> {
  const seen = await vault.describe(ref);
  const expected = seen.state === 'absent' ? ABSENT : seen.version;
  return (await vault.deliver(ref, payload, makeMark(generation), expected)).version;
}
/** The server breaks down at the n-th request that fits, and stays so until the call has failed. */
async function failingAt(method: string, path: RegExp, count: number, work: () => Promise<unknown>): Promise<void> {
  let seen = 0;
  const fits = (request: SeenRequest): boolean => request.method === method && path.test(request.path);
  server.script = (request) => (fits(request) && ++seen >= count ? { status: 500, body: '{"errors":["down"]}' } : null);
  await expect(work()).rejects.toMatchObject({ fault: 'unavailable' });
  server.script = () => null;
}

describe('V2: a crash between mark and value', () => {
  it('leaves the old value bound to its own mark, where the new value was never written', async () => {
    const version = await deliver(1);
    await failingAt('POST', DATA, 1, () => deliver(2));
    expect(await look()).toMatchObject({ version, mark: makeMark(1), binding: 'bound' });
    expect(await vault.describe(ref)).toMatchObject({ mark: makeMark(1), binding: 'unproven' });
    await deliver(2);
    expect(await look()).toMatchObject({ mark: makeMark(2), binding: 'bound' });
  });

  it('leaves a first entry absent, and free to be delivered to', async () => {
    await failingAt('POST', DATA, 1, () => deliver(1));
    expect(await hands.custom(ref.entry)).not.toEqual({});
    for (const prove of [false, true]) expect(await vault.describe(ref, { prove })).toEqual({ state: 'absent' });
    expect(await vault.read(ref)).toEqual({ state: 'absent' });
    await vault.deliver(ref, fields({ clientSecret: 'a' }), makeMark(2), ABSENT);
    expect(await look()).toMatchObject({ mark: makeMark(2), binding: 'bound' });
  });

  it('leaves the new value bound to the new mark, where only what a person reads is missing', async () => {
    await deliver(1);
    await failingAt('PATCH', METADATA, 2, () => deliver(2));
    expect((await hands.custom(ref.entry))['rekeyd-generation']).toBe('1');
    const seen = await look();
    expect(seen).toMatchObject({ mark: makeMark(2), binding: 'bound' });
    expect(await vault.describe(ref)).toMatchObject({ mark: makeMark(2), binding: 'unproven' });

    const writes = server.count('POST', DATA);
    expect(await deliver(2)).toBe(seen.version);
    expect(server.count('POST', DATA)).toBe(writes);
    expect((await hands.custom(ref.entry))['rekeyd-generation']).toBe('2');
  });

  it('leaves an entry of somebody else as it was: it does not look like ours', async () => {
    await hands.put(ref.entry, { password: 'theirs' });
    await failingAt('POST', DATA, 1, () => deliver(1));
    expect(await look()).toMatchObject({ mark: null, binding: 'broken' });
    expect((await vault.describe(ref)) as unknown).toMatchObject({ mark: null, binding: 'broken' });
  });
});

describe('V8: versions without a value', () => {
  it('sees a deleted version as an entry without value, delivers over it, and knows it again when it is undeleted', async () => {
    const delivered = await deliver(1);
    await hands.must('DELETE', hands.data(ref.entry));
    const seen = await look();
    expect(seen).toMatchObject({ mark: makeMark(1), binding: 'broken' });
    expect(seen.version).not.toBe(delivered);
    expect(await vault.read(ref)).toMatchObject({ payload: null });
    expect(await vault.describe(ref)).toMatchObject({ version: seen.version, binding: 'broken' });
    await expect(vault.restoreMark(ref, makeMark(1), seen.version)).rejects.toMatchObject({ fault: 'malformed' });

    await hands.must('POST', 'secret/undelete/prod/orders', { versions: [1] });
    expect(await look()).toMatchObject({ version: delivered, binding: 'bound' });
    await hands.must('DELETE', hands.data(ref.entry));
    await deliver(2);
    expect(await look()).toMatchObject({ mark: makeMark(2), binding: 'bound' });
  });

  it('delivers over a destroyed version', async () => {
    await deliver(1);
    await hands.must('PUT', 'secret/destroy/prod/orders', { versions: [1] });
    expect(await look()).toMatchObject({ binding: 'broken' });
    await deliver(2);
    expect(await look()).toMatchObject({ mark: makeMark(2), binding: 'bound' });
  });

  it('tells a `cas` that does not match, a 400, as a conflict, and the next delivery reads the version that is there', async () => {
    await deliver(1);
    let late = false;
    server.script = (request) => {
      if (!late && request.method === 'POST' && request.path.startsWith('secret/data')) {
        late = true;
        server.store.write('prod/orders', { data: { clientSecret: 'theirs' } });
      }
      return null;
    };
    await expect(deliver(2)).rejects.toMatchObject({ fault: 'conflict' });
    expect(await hands.get(ref.entry)).toEqual({ clientSecret: 'theirs' });
    await deliver(3);
    expect(await hands.version(ref.entry)).toBe(3);
    expect(await look()).toMatchObject({ mark: makeMark(3), binding: 'bound' });
  });

  it('does not take an entry that was removed and made anew for the version of the same number', async () => {
    const version = await deliver(1);
    await hands.must('DELETE', hands.metadata(ref.entry));
    await hands.put(ref.entry, { clientSecret: 'value-1' });
    expect(await hands.version(ref.entry)).toBe(1);
    expect((await look()).version).not.toBe(version);
    await expect(vault.restoreMark(ref, makeMark(1), version)).rejects.toMatchObject({ fault: 'conflict' });
  });
});

describe('keys of an entry', () => {
  it('are those of the fields; the keys of others stay, also those with numbers, lists and nothing in them', async () => {
    const theirs = { port: 5432, hosts: ['a', 'b'], nothing: null, __proto__x: 1 };
    await hands.put(ref.entry, { ...theirs, clientId: 'old' });
    await deliver(1, fields({ clientId: 'new', expires: null }));
    expect(await hands.get(ref.entry)).toEqual({ ...theirs, clientId: 'new' });
  });

  it('that were ours, and are not any more, are taken away', async () => {
    await hands.put(ref.entry, { note: 'theirs' });
    await deliver(1, fields({ ID: 'a', SECRET: 'b', OLD: 'c' }));
    await deliver(2, fields({ ID: 'a', SECRET: 'b2', expires: null }));
    expect(await hands.get(ref.entry)).toEqual({ note: 'theirs', ID: 'a', SECRET: 'b2' });
    await deliver(3, opaque('text'));
    expect(await hands.get(ref.entry)).toEqual({ note: 'theirs', value: 'text' });
  });

  it('of others are not taken for ours where all marks were stripped, and the mark was restored', async () => {
    const version = await deliver(1, fields({ clientId: 'a', clientSecret: 'b' }));
    await hands.must('POST', hands.metadata(ref.entry), { custom_metadata: {} });
    await vault.restoreMark(ref, makeMark(1), version);
    expect(await look()).toMatchObject({ mark: makeMark(1), binding: 'bound' });
    await hands.put(ref.entry, { ...(await hands.get(ref.entry)), note: 'theirs' });
    await deliver(2, fields({ clientSecret: 'c' }));
    expect(await hands.get(ref.entry)).toMatchObject({ note: 'theirs', clientSecret: 'c' });
  });

  it('V12: of ours that are gone are no value, whatever others keep there', async () => {
    await deliver(1);
    await hands.put(ref.entry, { note: 'theirs' });
    expect(await vault.read(ref)).toMatchObject({ binding: 'broken', payload: null });
  });

  it('V16: unset or not, in whatever way the JSON is written, are written once', async () => {
    const spaced = { form: 'fields', content: SecretValue.of('{ "b": "1", "a": null, "7": "x" }') } as const;
    const version = await deliver(1, spaced);
    expect(await deliver(1, spaced)).toBe(version);
    expect(await look()).toMatchObject({ binding: 'bound' });
  });

  it.each(['[]', '"text"', '{}', '{"a":null}', 'nonsense'])('refuses fields that are none: %s', async (text) => {
    const payload = { form: 'fields', content: SecretValue.of(text) } as const;
    await expect(deliver(1, payload)).rejects.toMatchObject({ fault: 'rejected' });
  });
});

describe('names', () => {
  it.each(['a\u00a0b', 'a\u200bb', 'x'.repeat(1025)])('V10: refuses what the server cannot hold: %#', (name) => {
    expect(hashicorpVaultType.nameProblem(name)).toEqual(expect.stringMatching(/\w/));
  });

  it('keeps names apart that differ in case, and takes spaces and signs', async () => {
    const other: EntryRef = { entry: 'prod/Orders', options: {} };
    const odd: EntryRef = { entry: 'team a/50%/ü?#+&', options: {} };
    await deliver(1);
    expect(await vault.describe(other)).toEqual({ state: 'absent' });
    await vault.deliver(odd, opaque('x'), makeMark(1), ABSENT);
    expect(await vault.describe(odd, { prove: true })).toMatchObject({ binding: 'bound' });
  });
});
