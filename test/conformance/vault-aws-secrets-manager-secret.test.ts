import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ABSENT } from '../../src/vaults/contract.ts';
import type { Vault } from '../../src/vaults/contract.ts';
import { awsSecretsManagerVaultType } from '../../src/vaults/aws-secrets-manager.ts';
import { AwsBench, refusal, text, versionOf } from './aws-bench.ts';
import { makeMark } from './vault-bench.ts';

describe('vault aws-secrets-manager: a secret that is made, deleted, or held by others', () => {
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

  it('V12: an empty secret, as Terraform makes it, is filled; its first version is current at once', async () => {
    const ref = bench.place();
    await bench.hands.client.createSecret({ Name: ref.entry, Tags: [{ Key: 'team', Value: 'payments' }] });
    const seen = await vault.describe(ref);
    expect(seen).toMatchObject({ state: 'present', mark: null, binding: 'broken' });
    expect(await vault.read(ref)).toMatchObject({ payload: null });
    const { version } = await vault.deliver(ref, text('one'), makeMark(1), versionOf(seen));
    expect(bench.fake.operations).not.toContain('UpdateSecretVersionStage');
    expect(await vault.describe(ref)).toMatchObject({ version, mark: makeMark(1), binding: 'bound' });
    expect((await bench.hands.tags(ref)).get('team')).toBe('payments');
  });

  it('V6: the service refuses a put on a secret that is being deleted; one of ours is restored first', async () => {
    const ref = bench.place();
    const { version } = await vault.deliver(ref, text('one'), makeMark(1), ABSENT);
    await bench.hands.client.deleteSecret({ SecretId: ref.entry });
    await expect(bench.hands.edit(ref, 'by hand')).rejects.toMatchObject({ name: 'InvalidRequestException' });
    const seen = await vault.describe(ref, { prove: true });
    expect(seen).toMatchObject({ version, mark: makeMark(1), binding: 'broken' });
    expect(seen).not.toHaveProperty('locked');
    expect(await vault.read(ref)).toMatchObject({ binding: 'broken', payload: null });
    // the same again: it is only restored
    bench.fake.requests.length = 0;
    expect(await vault.deliver(ref, text('one'), makeMark(1), version)).toEqual({ version });
    expect(bench.fake.operations).toEqual(['DescribeSecret', 'RestoreSecret']);
    expect(await vault.read(ref)).toMatchObject({ binding: 'bound', payload: text('one') });
    expect(bench.context.printed()).toContain('vault-entry-restored');
  });

  it('V6: one that is not ours, or of another credential, is locked and stays as it is', async () => {
    const [foreign, another] = [bench.place(), bench.place()];
    await bench.hands.client.createSecret({ Name: foreign.entry, SecretString: 'foreign' });
    await vault.deliver(another, text('one'), makeMark(1, { credential: 'another' }), ABSENT);
    for (const ref of [foreign, another]) {
      await bench.hands.client.deleteSecret({ SecretId: ref.entry });
      const seen = await vault.describe(ref);
      const error = await refusal(vault.deliver(ref, text('two'), makeMark(2), versionOf(seen)));
      expect(error).toMatchObject({
        fault: 'locked',
        message: expect.stringMatching(/2030-01-08.*not ours/) as string,
      });
      expect(bench.fake.store.secrets.get(ref.entry)?.deletedAt).not.toBeNull();
    }
    expect(await vault.describe(foreign)).toMatchObject({ locked: expect.stringContaining('restore it') as string });
  });

  it('V6: a secret that AWS still deletes, and says is not there, is locked when it is made', async () => {
    const ref = bench.place();
    const message = "You can't create this secret because a secret with this name is already scheduled for deletion.";
    const lift = bench.fake.fail({ operations: ['CreateSecret'], type: 'InvalidRequestException', message });
    const error = await refusal(vault.deliver(ref, text('one'), makeMark(1), ABSENT));
    lift();
    expect(error).toMatchObject({ fault: 'locked', message: expect.stringContaining('being deleted') as string });
  });

  it.each([
    ['a replica', { PrimaryRegion: 'us-east-1' }, /us-east-1/],
    ["another service's", { OwningService: 'rds' }, /'rds'/],
    ['rotated by AWS', { RotationEnabled: true }, /rotation/],
  ])('is locked where the secret is %s', async (_, more, why) => {
    const ref = bench.place();
    const { version } = await vault.deliver(ref, text('one'), makeMark(1), ABSENT);
    bench.fake.store.secrets.get(ref.entry)!.more = more;
    expect(await vault.describe(ref)).toMatchObject({ binding: 'bound', locked: expect.stringMatching(why) as string });
    const error = await refusal(vault.deliver(ref, text('two'), makeMark(2), version));
    expect(error).toMatchObject({ fault: 'locked', message: expect.stringMatching(why) as string });
  });

  it('V10: is locked, before anything is written, where others have taken the tags', async () => {
    const ref = bench.place();
    const tags = Array.from({ length: 41 }, (_, index) => ({ Key: `team-${index}`, Value: '' }));
    await bench.hands.client.createSecret({ Name: ref.entry, SecretString: 'foreign', Tags: tags });
    const seen = await vault.describe(ref);
    expect(seen).toMatchObject({ locked: expect.stringContaining('41 tags') as string });
    expect((await refusal(vault.deliver(ref, text('one'), makeMark(1), versionOf(seen)))).fault).toBe('locked');
    expect(await bench.hands.tags(ref)).toHaveLength(41);
  });

  it('makes a secret with key, replicas and tags, in one call', async () => {
    const given = {
      kmsKeyId: 'alias/data8',
      replicaRegions: ['eu-central-1', { region: 'eu-west-1', kmsKeyId: 'mrk-1' }],
    };
    const own = await bench.vault({ ...given, tags: { team: 'payments', env: 'all' } });
    const ref = { ...bench.place(), options: { tags: { env: 'prod' } } };
    await own.deliver(ref, text('one'), makeMark(1), ABSENT);
    expect(bench.fake.operations).toEqual(['DescribeSecret', 'CreateSecret']);
    const made = bench.fake.store.secrets.get(ref.entry)!;
    expect(made.created).toMatchObject({
      KmsKeyId: 'alias/data8',
      AddReplicaRegions: [{ Region: 'eu-central-1' }, { Region: 'eu-west-1', KmsKeyId: 'mrk-1' }],
    });
    expect(Object.fromEntries(made.tags)).toMatchObject({ team: 'payments', env: 'prod', 'rekeyd:secret-id': '1001' });
    made.more = {
      ReplicationStatus: [
        { Region: 'eu-west-1', Status: 'Failed' },
        { Region: 'eu-central-1', Status: 'InSync' },
      ],
    };
    expect(await own.rights([ref])).toContainEqual({
      right: 'replicas',
      status: 'missing',
      hint: expect.stringMatching(/eu-west-1: /) as string,
    });
  });

  it('V10: tags of vault and destination that leave no room for a mark are told when the configuration is loaded', async () => {
    const { optionsProblem, schema } = awsSecretsManagerVaultType;
    const some = (name: string, count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`${name}-${index}`, 'x']));
    const own = { tags: { ...some('vault', 20), team: 'a' } };
    const options = { tags: { ...some('destination', 19), team: '{app}' } };
    expect(optionsProblem(options, schema.parse(own))).toBeNull();
    expect(optionsProblem({ tags: { ...options.tags, more: '' } }, schema.parse(own))).toMatch(/41 tags.* 40 /);
    expect(optionsProblem({}, schema.parse({ tags: some('vault', 41) }))).toMatch(/41 tags/);
    expect(optionsProblem({}, undefined)).toBeNull();
    const ref = { ...bench.place(), options: { tags: { ...options.tags, team: 'b' } } };
    await (await bench.vault(own)).deliver(ref, text('one'), makeMark(1), ABSENT);
    expect(await vault.describe(ref)).not.toHaveProperty('locked');
  });

  it('V10: names and tags that AWS would refuse are told when the configuration is loaded', () => {
    const { nameProblem, schema } = awsSecretsManagerVaultType;
    expect(nameProblem('a b', {})).toMatch(/ASCII/);
    expect(nameProblem('a'.repeat(513), {})).toMatch(/512/);
    expect(nameProblem('prod/data8/orders', { tags: { env: 'a&b' } })).toMatch(/tags/);
    expect(nameProblem('prod/data8/orders', { tags: { env: 'prod' } })).toBeNull();
    for (const bad of [
      { tags: { 'aws:x': '' } },
      { endpoint: 'http://vpce.example' },
      { region: 'London' },
      { roleArn: 'rekeyd' },
    ]) {
      expect(schema.safeParse(bad).success).toBe(false);
    }
  });
});
