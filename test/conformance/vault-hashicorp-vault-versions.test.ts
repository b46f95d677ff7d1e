import { describe, expect, it } from 'vitest';
import { SecretValue } from '../../src/domain/secret-value.ts';
import { ABSENT } from '../../src/vaults/contract.ts';
import type { EntryRef } from '../../src/vaults/contract.ts';
import { hashicorpVaultType } from '../../src/vaults/hashicorp-vault.ts';
import { makeMark } from './vault-bench.ts';
import { DATA, fields, kvScene, METADATA, opaque, ref } from './hashicorp-kv-scene.ts';

const scene = kvScene();
const { look, deliver, failingAt } = scene;

describe('V2: a crash between mark and value', () => {
  it('leaves the old value bound to its own mark, where the new value was never written', async () => {
    const version = await deliver(1);
    await failingAt('POST', DATA, 1, () => deliver(2));
    expect(await look()).toMatchObject({ version, mark: makeMark(1), binding: 'bound' });
    expect(await scene.vault.describe(ref)).toMatchObject({ mark: makeMark(1), binding: 'unproven' });
    await deliver(2);
    expect(await look()).toMatchObject({ mark: makeMark(2), binding: 'bound' });
  });

  it('leaves a first entry absent, and free to be delivered to', async () => {
    await failingAt('POST', DATA, 1, () => deliver(1));
    expect(await scene.hands.custom(ref.entry)).not.toEqual({});
    for (const prove of [false, true]) expect(await scene.vault.describe(ref, { prove })).toEqual({ state: 'absent' });
    expect(await scene.vault.read(ref)).toEqual({ state: 'absent' });
    await scene.vault.deliver(ref, fields({ clientSecret: 'a' }), makeMark(2), ABSENT);
    expect(await look()).toMatchObject({ mark: makeMark(2), binding: 'bound' });
  });

  it('leaves the new value bound to the new mark, where only what a person reads is missing', async () => {
    await deliver(1);
    await failingAt('PATCH', METADATA, 2, () => deliver(2));
    expect((await scene.hands.custom(ref.entry))['rekeyd-generation']).toBe('1');
    const seen = await look();
    expect(seen).toMatchObject({ mark: makeMark(2), binding: 'bound' });
    expect(await scene.vault.describe(ref)).toMatchObject({ mark: makeMark(2), binding: 'unproven' });

    const writes = scene.server.count('POST', DATA);
    expect(await deliver(2)).toBe(seen.version);
    expect(scene.server.count('POST', DATA)).toBe(writes);
    expect((await scene.hands.custom(ref.entry))['rekeyd-generation']).toBe('2');
  });

  it('leaves an entry of somebody else as it was: it does not look like ours', async () => {
    await scene.hands.put(ref.entry, { password: 'theirs' });
    await failingAt('POST', DATA, 1, () => deliver(1));
    expect(await look()).toMatchObject({ mark: null, binding: 'broken' });
    expect((await scene.vault.describe(ref)) as unknown).toMatchObject({ mark: null, binding: 'broken' });
  });
});

describe('V8: versions without a value', () => {
  it('sees a deleted version as an entry without value, delivers over it, and knows it again when it is undeleted', async () => {
    const delivered = await deliver(1);
    await scene.hands.must('DELETE', scene.hands.data(ref.entry));
    const seen = await look();
    expect(seen).toMatchObject({ mark: makeMark(1), binding: 'broken' });
    expect(seen.version).not.toBe(delivered);
    expect(await scene.vault.read(ref)).toMatchObject({ payload: null });
    expect(await scene.vault.describe(ref)).toMatchObject({ version: seen.version, binding: 'broken' });
    await expect(scene.vault.restoreMark(ref, makeMark(1), seen.version)).rejects.toMatchObject({ fault: 'malformed' });

    await scene.hands.must('POST', 'secret/undelete/prod/orders', { versions: [1] });
    expect(await look()).toMatchObject({ version: delivered, binding: 'bound' });
    await scene.hands.must('DELETE', scene.hands.data(ref.entry));
    await deliver(2);
    expect(await look()).toMatchObject({ mark: makeMark(2), binding: 'bound' });
  });

  it('delivers over a destroyed version', async () => {
    await deliver(1);
    await scene.hands.must('PUT', 'secret/destroy/prod/orders', { versions: [1] });
    expect(await look()).toMatchObject({ binding: 'broken' });
    await deliver(2);
    expect(await look()).toMatchObject({ mark: makeMark(2), binding: 'bound' });
  });

  it('tells a `cas` that does not match, a 400, as a conflict, and the next delivery reads the version that is there', async () => {
    await deliver(1);
    let late = false;
    scene.server.script = (request) => {
      if (!late && request.method === 'POST' && request.path.startsWith('secret/data')) {
        late = true;
        scene.server.store.write('prod/orders', { data: { clientSecret: 'theirs' } });
      }
      return null;
    };
    await expect(deliver(2)).rejects.toMatchObject({ fault: 'conflict' });
    expect(await scene.hands.get(ref.entry)).toEqual({ clientSecret: 'theirs' });
    await deliver(3);
    expect(await scene.hands.version(ref.entry)).toBe(3);
    expect(await look()).toMatchObject({ mark: makeMark(3), binding: 'bound' });
  });

  it('does not take an entry that was removed and made anew for the version of the same number', async () => {
    const version = await deliver(1);
    await scene.hands.must('DELETE', scene.hands.metadata(ref.entry));
    await scene.hands.put(ref.entry, { clientSecret: 'value-1' });
    expect(await scene.hands.version(ref.entry)).toBe(1);
    expect((await look()).version).not.toBe(version);
    await expect(scene.vault.restoreMark(ref, makeMark(1), version)).rejects.toMatchObject({ fault: 'conflict' });
  });
});

describe('keys of an entry', () => {
  it('are those of the fields; the keys of others stay, also those with numbers, lists and nothing in them', async () => {
    const theirs = { port: 5432, hosts: ['a', 'b'], nothing: null, __proto__x: 1 };
    await scene.hands.put(ref.entry, { ...theirs, clientId: 'old' });
    await deliver(1, fields({ clientId: 'new', expires: null }));
    expect(await scene.hands.get(ref.entry)).toEqual({ ...theirs, clientId: 'new' });
  });

  it('that were ours, and are not any more, are taken away', async () => {
    await scene.hands.put(ref.entry, { note: 'theirs' });
    await deliver(1, fields({ ID: 'a', SECRET: 'b', OLD: 'c' }));
    await deliver(2, fields({ ID: 'a', SECRET: 'b2', expires: null }));
    expect(await scene.hands.get(ref.entry)).toEqual({ note: 'theirs', ID: 'a', SECRET: 'b2' });
    await deliver(3, opaque('text'));
    expect(await scene.hands.get(ref.entry)).toEqual({ note: 'theirs', value: 'text' });
  });

  it('of others are not taken for ours where all marks were stripped, and the mark was restored', async () => {
    const version = await deliver(1, fields({ clientId: 'a', clientSecret: 'b' }));
    await scene.hands.must('POST', scene.hands.metadata(ref.entry), { custom_metadata: {} });
    await scene.vault.restoreMark(ref, makeMark(1), version);
    expect(await look()).toMatchObject({ mark: makeMark(1), binding: 'bound' });
    await scene.hands.put(ref.entry, { ...(await scene.hands.get(ref.entry)), note: 'theirs' });
    await deliver(2, fields({ clientSecret: 'c' }));
    expect(await scene.hands.get(ref.entry)).toMatchObject({ note: 'theirs', clientSecret: 'c' });
  });

  it('V12: of ours that are gone are no value, whatever others keep there', async () => {
    await deliver(1);
    await scene.hands.put(ref.entry, { note: 'theirs' });
    expect(await scene.vault.read(ref)).toMatchObject({ binding: 'broken', payload: null });
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
    expect(await scene.vault.describe(other)).toEqual({ state: 'absent' });
    await scene.vault.deliver(odd, opaque('x'), makeMark(1), ABSENT);
    expect(await scene.vault.describe(odd, { prove: true })).toMatchObject({ binding: 'bound' });
  });
});
