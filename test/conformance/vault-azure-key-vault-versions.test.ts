import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SecretValue } from '../../src/domain/secret-value.ts';
import { OPERATIONS } from '../../src/vaults/azure-key-vault/failure.ts';
import { azureKeyVaultType } from '../../src/vaults/azure-key-vault.ts';
import type { Vault } from '../../src/vaults/contract.ts';
import { ABSENT } from '../../src/vaults/contract.ts';
import { failed } from '../fakes/azure-key-vault-http.ts';
import { openAzureBench } from './azure-key-vault-bench.ts';
import type { AzureBench } from './azure-key-vault-bench.ts';
import { makeMark } from './vault-bench.ts';

const ref = { entry: 'orders', options: {} };

describe('azure-key-vault: what a version is made with', () => {
  let bench: AzureBench;

  beforeEach(async () => {
    bench = await openAzureBench();
  });
  afterEach(async () => {
    await bench.close();
  });

  const fields = (more: object) =>
    ({ form: 'fields', content: SecretValue.of(JSON.stringify({ clientSecret: 's', ...more })) }) as const;

  it.each([
    ['with the end that the payload names', { expires: '2030-04-01T12:00:00.999Z' }, Date.UTC(2030, 3, 1, 12) / 1000],
    ['without one where the secret never ends', { expires: null }, undefined],
    ['without one where the payload does not say', {}, undefined],
    [
      'without one that is past: it would be announced as expired at once',
      { expires: '2029-12-31T23:59:59.000Z' },
      undefined,
    ],
    ['without one that the SDK would send as a time in the past', { expires: '2038-02-01T00:00:00.000Z' }, undefined],
    ['without one that is no time', { expires: 'tomorrow' }, undefined],
    ['without one that is no text', { expires: 7 }, undefined],
  ])('%s', async (_, more, exp) => {
    await bench.vault.deliver(ref, fields(more), makeMark(1), ABSENT);
    const { attributes, contentType } = bench.server.store.current('orders');
    expect(attributes.exp).toBe(exp);
    expect(contentType).toBe('application/json');
  });

  it.each(['{"expires": broken', '[]', 'null', '"text"'])(
    'takes fields that are no object as they are: %s',
    async (text) => {
      await bench.vault.deliver(ref, { form: 'fields', content: SecretValue.of(text) }, makeMark(1), ABSENT);
      expect(bench.server.store.current('orders')).toMatchObject({ value: text });
    },
  );

  it('stays readable and bound when its end has passed', async () => {
    await bench.vault.deliver(ref, fields({ expires: '2030-04-01T12:00:00.000Z' }), makeMark(1), ABSENT);
    bench.context.clock.jump(365 * 86_400_000);
    bench.server.store.current('orders').attributes.exp = 1;
    expect(await bench.vault.describe(ref)).toMatchObject({ binding: 'bound' });
  });

  it('has its form told by the binding, whatever the content type was changed to', async () => {
    await bench.vault.deliver(ref, { form: 'opaque', content: SecretValue.of('{}') }, makeMark(1), ABSENT);
    expect(bench.server.store.current('orders').contentType).toBe('text/plain');
    bench.server.store.current('orders').contentType = 'application/json';
    expect(await bench.vault.read(ref)).toMatchObject({ binding: 'bound', payload: { form: 'opaque' } });
  });

  it('C8: has its form again when a stripped mark is restored', async () => {
    const { version } = await bench.vault.deliver(ref, fields({}), makeMark(1), ABSENT);
    bench.server.store.current('orders').tags = {};
    await bench.vault.restoreMark(ref, makeMark(1), version);
    expect(await bench.vault.read(ref)).toMatchObject({ version, binding: 'bound', payload: { form: 'fields' } });
  });

  it('V17: is broken where one tag of its mark was edited', async () => {
    await bench.vault.deliver(ref, fields({}), makeMark(1), ABSENT);
    bench.server.store.current('orders').tags['rekeyd-generation'] = '2';
    expect(await bench.vault.describe(ref)).toMatchObject({
      mark: makeMark(2, { secretId: '1001', deliveredAt: makeMark(1).deliveredAt }),
      binding: 'broken',
    });
  });

  it('V10: names that differ only in case are one entry', () => {
    expect(azureKeyVaultType.entryOf('Data8-Orders')).toBe(azureKeyVaultType.entryOf('data8-ORDERS'));
  });

  it.each(['a_b', 'a.b', 'a/b', 'ä', 'a b', 'x'.repeat(128)])('S5: refuses the name %s', (name) => {
    expect(azureKeyVaultType.nameProblem(name)).toMatch(/127 letters/);
  });

  it('S5: takes a name as long as it may be', () => {
    expect(azureKeyVaultType.nameProblem('A1-'.repeat(42) + 'z')).toBeNull();
  });
});

describe('azure-key-vault: disableSuperseded', () => {
  let bench: AzureBench;
  let vault: Vault;

  beforeEach(async () => {
    bench = await openAzureBench();
    vault = await bench.another({ disableSuperseded: true });
  });
  afterEach(async () => {
    await bench.close();
  });

  async function deliver(to: Vault, generation: number, changes = {}): Promise<string> {
    const seen = await to.describe(ref);
    const payload = { form: 'opaque', content: SecretValue.of(`value ${generation}`) } as const;
    const expected = seen.state === 'present' ? seen.version : ABSENT;
    return (await to.deliver(ref, payload, makeMark(generation, changes), expected)).version;
  }
  const enabled = (): string[] =>
    bench.server.store.versions('orders').flatMap(({ value, attributes }) => (attributes.enabled ? [value] : []));

  it('disables by the next delivery what was superseded before it, never what it supersedes itself', async () => {
    await deliver(vault, 1);
    await deliver(vault, 2);
    expect(enabled()).toEqual(['value 1', 'value 2']);
    await deliver(vault, 3);
    expect(enabled()).toEqual(['value 2', 'value 3']);
    await deliver(vault, 4);
    expect(enabled()).toEqual(['value 3', 'value 4']);
  });

  it('leaves versions of others, and of other credentials', async () => {
    bench.server.store.set('orders', { value: 'by hand', tags: { team: 'checkout' } });
    await deliver(vault, 1, { credential: 'another' });
    for (const generation of [2, 3, 4]) await deliver(vault, generation);
    expect(enabled()).toEqual(['by hand', 'value 1', 'value 3', 'value 4']);
  });

  it('leaves the version that was current until now, though it was rolled back', async () => {
    for (const generation of [1, 2, 3]) await deliver(bench.vault, generation);
    const { value, tags } = bench.server.store.versions('orders')[0]!;
    const { id } = bench.server.store.set('orders', { value, tags });
    await deliver(vault, 4);
    const kept = bench.server.store.versions('orders').filter(({ attributes }) => attributes.enabled);
    expect(kept.map((version) => version.value)).toEqual(['value 3', 'value 1', 'value 4']);
    expect(kept[1]?.id).toBe(id);
  });

  it('is off by default', async () => {
    for (const generation of [1, 2, 3]) await deliver(bench.vault, generation);
    expect(enabled()).toHaveLength(3);
  });

  it('does not undo a delivery where it fails, and is made up for by the next', async () => {
    await deliver(vault, 1);
    await deliver(vault, 2);
    bench.server.interfere = ({ method }) => (method === 'PATCH' ? failed(403, 'Forbidden', 'ForbiddenByRbac') : null);
    await deliver(vault, 3);
    expect(bench.context.printed()).toMatch(/vault-tidy-failed .*secrets\/update\/action/s);
    bench.server.interfere = () => null;
    await deliver(vault, 4);
    expect(enabled()).toEqual(['value 3', 'value 4']);
  });
});

describe('config/policies/azure-key-vault.json', () => {
  const role = JSON.parse(readFileSync('config/policies/azure-key-vault.json', 'utf8')) as { DataActions: string[] };

  it('grants what the calls need, and nothing else', () => {
    const needed = Object.values(OPERATIONS).map(({ action }) => `Microsoft.KeyVault/vaults/secrets/${action}`);
    expect([...role.DataActions].sort()).toEqual([...new Set(needed)].sort());
  });

  it('stands whole in the page', () => {
    const page = readFileSync('docs/vaults/azure-key-vault.md', 'utf8');
    expect(JSON.parse(/```json\n(.*?)```/s.exec(page)?.[1] ?? '')).toEqual(role);
  });
});
