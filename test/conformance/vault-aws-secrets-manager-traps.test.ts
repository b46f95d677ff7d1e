import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { randomUUID } from 'node:crypto';
import { ABSENT } from '../../src/vaults/contract.ts';
import type { Vault } from '../../src/vaults/contract.ts';
import { AwsBench, refusal, text, versionOf } from './aws-bench.ts';
import { makeMark } from './vault-bench.ts';

describe('vault aws-secrets-manager: its own traps, against the service as documented', () => {
  let bench: AwsBench;
  let vault: Vault;

  beforeAll(async () => {
    bench = await AwsBench.open();
    vault = await bench.vault();
  });
  beforeEach(() => {
    bench.fake.requests.length = 0;
    bench.fake.before = null;
  });
  afterAll(() => bench.close());

  it.each([
    [['PutSecretValue'], 1],
    [['UpdateSecretVersionStage'], 1],
    [['TagResource'], 1],
  ])('V2: killed at %s, the entry reads as what it serves, bound', async (operations) => {
    const ref = bench.place();
    const first = await vault.deliver(ref, text('one'), makeMark(1), ABSENT);
    const lift = bench.fake.fail({ operations, how: 'lost' });
    await refusal(vault.deliver(ref, text('two'), makeMark(2), first.version));
    lift();
    expect(await vault.describe(ref)).toMatchObject({ ...first, mark: makeMark(1), binding: 'bound' });
    const second = await vault.deliver(ref, text('two'), makeMark(2), first.version);
    expect(await vault.describe(ref)).toMatchObject({ ...second, mark: makeMark(2), binding: 'bound' });
    expect(bench.fake.store.secrets.get(ref.entry)?.versions.size).toBe(2);
  });

  it('V2: killed after the new version became current, it has its mark; the fields follow with the next delivery', async () => {
    const ref = bench.place();
    const first = await vault.deliver(ref, text('one'), makeMark(1), ABSENT);
    bench.fake.before = ({ operation }) => {
      if (operation === 'UpdateSecretVersionStage')
        bench.fake.fail({ operations: ['TagResource'], how: 'lost', times: 2 });
    };
    await refusal(vault.deliver(ref, text('two'), makeMark(2), first.version));
    bench.fake.before = null;
    const seen = await vault.describe(ref);
    expect(seen).toMatchObject({ mark: makeMark(2), binding: 'bound' });
    expect((await bench.hands.tags(ref)).get('rekeyd:generation')).toBe('1');
    await vault.deliver(ref, text('three'), makeMark(3), versionOf(seen));
    expect((await bench.hands.tags(ref)).get('rekeyd:generation')).toBe('3');
  });

  it('V2: a failed take-over leaves an entry that is not ours as one that is not ours', async () => {
    const ref = bench.place();
    await bench.hands.client.createSecret({ Name: ref.entry, SecretString: 'foreign' });
    const lift = bench.fake.fail({
      operations: ['PutSecretValue'],
      type: 'AccessDeniedException',
      message: 'Access to KMS is not allowed',
    });
    const error = await refusal(vault.deliver(ref, text('one'), makeMark(1), versionOf(await vault.describe(ref))));
    lift();
    expect(error).toMatchObject({ fault: 'denied', message: expect.stringContaining('kms:Decrypt') as string });
    expect(await vault.describe(ref)).toMatchObject({ mark: null, binding: 'broken' });
  });

  it.each(['CreateSecret', 'PutSecretValue', 'UpdateSecretVersionStage', 'TagResource'])(
    'V7: where the answer to %s is lost, the repeat finds it done and makes no second version',
    async (operation) => {
      const ref = bench.place();
      const lift = bench.fake.fail({ operations: [operation], how: 'applied-and-lost', times: 1 });
      const first = await vault.deliver(ref, text('one'), makeMark(1), ABSENT);
      const second = await vault.deliver(ref, text('two'), makeMark(2), first.version);
      lift();
      expect(await vault.describe(ref)).toMatchObject({ ...second, mark: makeMark(2), binding: 'bound' });
      expect(bench.fake.store.secrets.get(ref.entry)?.versions.size).toBe(2);
    },
  );

  it('V7: a version that is there, and that nothing points to any more, gets the stage again', async () => {
    const ref = bench.place();
    const first = await vault.deliver(ref, text('one'), makeMark(1), ABSENT);
    const second = await vault.deliver(ref, text('two'), makeMark(2), first.version);
    const third = await vault.deliver(ref, text('three'), makeMark(3), second.version);
    expect(bench.fake.store.secrets.get(ref.entry)?.versions.get(first.version)?.stages).toEqual([]);
    expect(await vault.deliver(ref, text('one'), makeMark(1), third.version)).toEqual(first);
    expect(bench.fake.store.secrets.get(ref.entry)?.versions.size).toBe(3);
    expect(await vault.read(ref)).toMatchObject({ mark: makeMark(1), binding: 'bound', payload: text('one') });
  });

  it('V7: the version id differs with credential, secret id, payload and entry, and with nothing else', async () => {
    const ids = new Set<string>();
    for (const [content, changes, options] of [
      ['one', {}, {}],
      ['one', { generation: 9, deliveredAt: 1, instance: 'other' }, {}],
      ['two', {}, {}],
      ['one', { secretId: '7' }, {}],
      ['one', { credential: 'x' }, {}],
      ['one', { issuer: 'x' }, { entry: 'traps/same' }],
      ['one', {}, { entry: 'traps/elsewhere' }],
    ] as const) {
      const ref = { entry: 'traps/same', options: {}, ...options };
      const { version } = await vault.deliver(ref, text(content), makeMark(1, changes), ABSENT);
      expect(version).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
      ids.add(version);
      bench.fake.store.secrets.delete(ref.entry);
    }
    expect(ids.size).toBe(6);
  });

  it('V3: the move itself compares: who comes in after the look is not overwritten', async () => {
    const ref = bench.place();
    const first = await vault.deliver(ref, text('one'), makeMark(1), ABSENT);
    const store = bench.fake.store;
    bench.fake.before = ({ operation }) => {
      if (operation !== 'UpdateSecretVersionStage') return;
      bench.fake.before = null;
      store.run('PutSecretValue', { SecretId: ref.entry, SecretString: 'by hand', ClientRequestToken: randomUUID() });
    };
    const error = await refusal(vault.deliver(ref, text('two'), makeMark(2), first.version));
    expect(error.fault).toBe('conflict');
    expect(await vault.describe(ref)).toMatchObject({ mark: makeMark(1), binding: 'broken' });
    expect((await vault.read(ref)) as unknown).toMatchObject({ payload: text('by hand') });
  });

  it('V3: of two that fill an empty secret, the second is refused', async () => {
    const ref = bench.place();
    await bench.hands.client.createSecret({ Name: ref.entry });
    const empty = versionOf(await vault.describe(ref));
    bench.fake.before = ({ operation }) => {
      if (operation !== 'PutSecretValue') return;
      bench.fake.before = null;
      const input = { SecretId: ref.entry, SecretString: 'by hand', ClientRequestToken: randomUUID() };
      bench.fake.store.run('PutSecretValue', input);
    };
    expect((await refusal(vault.deliver(ref, text('one'), makeMark(1), empty))).fault).toBe('conflict');
  });

  it('V16: a mark that was given to a value put by hand is not written again with it', async () => {
    const ref = bench.place();
    await vault.deliver(ref, text('one'), makeMark(1), ABSENT);
    const version = await bench.hands.edit(ref, 'the same');
    await vault.restoreMark(ref, makeMark(2), version);
    bench.fake.requests.length = 0;
    expect(await vault.deliver(ref, text('the same'), makeMark(2), version)).toEqual({ version });
    expect(bench.fake.operations).toEqual(['DescribeSecret', 'GetSecretValue']);
  });

  it('looks without asking for the value', async () => {
    const ref = bench.place();
    await vault.deliver(ref, text('one'), makeMark(1), ABSENT);
    bench.fake.requests.length = 0;
    await vault.describe(ref, { prove: true });
    expect(bench.fake.operations).toEqual(['DescribeSecret']);
  });

  it('keeps few tags in calm times, and stays within 50 however fast it is', async () => {
    const ref = bench.place();
    let { version } = await vault.deliver(ref, text('0'), makeMark(0, { deliveredAt: 0 }), ABSENT);
    const deliver = async (number: number, deliveredAt: number): Promise<void> => {
      ({ version } = await vault.deliver(ref, text(String(number)), makeMark(number, { deliveredAt }), version));
    };
    for (let number = 1; number <= 60; number++) await deliver(number, number * 60_000);
    expect((await bench.hands.tags(ref)).size).toBeLessThan(25);
    for (let number = 100; number <= 103; number++) await deliver(number, number * 86_400_000);
    expect((await bench.hands.tags(ref)).size).toBe(10);
  });

  it('reads a binary value that is text, and says so of one that is none', async () => {
    const [good, bad] = [bench.place(), bench.place()];
    await bench.hands.client.createSecret({ Name: good.entry, SecretBinary: Buffer.from('text ✓') });
    await bench.hands.client.createSecret({ Name: bad.entry, SecretBinary: Uint8Array.of(0xff, 0x00) });
    expect(await vault.read(good)).toMatchObject({ payload: text('text ✓') });
    expect(await refusal(vault.read(bad))).toMatchObject({ fault: 'malformed' });
  });
});
