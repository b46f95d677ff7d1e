import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ABSENT } from '../../src/vaults/contract.ts';
import type { EntryRef, Vault } from '../../src/vaults/contract.ts';
import { awsSecretsManagerVaultType } from '../../src/vaults/aws-secrets-manager.ts';
import { AwsHands, useTestCredentials } from '../conformance/aws-hands.ts';
import { makeMark } from '../conformance/vault-bench.ts';
import { createTestContext } from '../conformance/vault-context.ts';
import type { VaultFixture } from '../conformance/vault-fixture.ts';
import { describeVaultSuite } from '../conformance/vault-suite.ts';
import { SecretValue } from '../../src/domain/secret-value.ts';
import { moto } from './moto.ts';
import { provideServer } from './provided-server.ts';

const REGION = 'eu-west-2';
const ROLE = 'arn:aws:iam::123456789012:role/rekeyd';

const provided = await provideServer(moto);

if (provided.how === 'none') {
  describe('vault aws-secrets-manager on moto', () => {
    it.skip(`is held to the suite [skipped: ${provided.reason}]`);
  });
} else {
  const { server } = provided;
  const endpoint = server.access.url;
  const resetEnvironment = useTestCredentials();
  afterAll(async () => {
    await server.stop();
    resetEnvironment();
  });

  const create = (more: Readonly<Record<string, unknown>> = {}, seed = 1): Promise<Vault> => {
    const options = awsSecretsManagerVaultType.schema.parse({
      region: REGION,
      endpoint,
      stsEndpoint: endpoint,
      ...more,
    });
    return awsSecretsManagerVaultType.create(options, createTestContext('under-test', seed));
  };

  const open = async (): Promise<VaultFixture> => {
    const context = createTestContext();
    const options = awsSecretsManagerVaultType.schema.parse({ region: REGION, endpoint });
    const vault = await awsSecretsManagerVaultType.create(options, context);
    return {
      vault,
      type: awsSecretsManagerVaultType,
      makeRef: (label) => ({ entry: `team/${label}`, options: {} }),
      printed: () => context.printed(),
      ...new AwsHands(endpoint, REGION).hooks,
      deny: () => denyAll(endpoint),
      second: () => create({}, 2),
      close: () => vault.close(),
    };
  };

  describeVaultSuite('aws-secrets-manager on moto', {
    open,
    capabilities: { compareAndSet: true, readable: true, map: false },
    lacks: {
      lag: 'moto shows a write at once',
      rollBackAndForth: 'moto does not tell when a stage was moved last, as AWS does',
    },
  });
  describeTraps(create, new AwsHands(endpoint, REGION));
}

/** From now on moto checks credentials, and knows none of ours. */
async function denyAll(url: string): Promise<() => Promise<void>> {
  const set = async (free: string): Promise<void> => {
    const answer = await fetch(`${url}/moto-api/reset-auth`, { method: 'POST', body: free });
    if (!answer.ok) throw new Error(`moto answered ${answer.status}`);
  };
  await set('0');
  return () => set('1000000000');
}

function describeTraps(create: (more?: Readonly<Record<string, unknown>>) => Promise<Vault>, hands: AwsHands): void {
  describe('vault aws-secrets-manager on moto: its own traps', () => {
    let vault: Vault;
    let places = 0;
    const place = (): EntryRef => ({ entry: `traps/${(places += 1)}`, options: {} });
    const payload = (text: string) => ({ form: 'opaque', content: SecretValue.of(text) }) as const;

    beforeAll(async () => {
      vault = await create();
    });
    afterAll(() => vault.close());

    it('V6: restores a secret of ours that is scheduled for deletion', async () => {
      const ref = place();
      const { version } = await vault.deliver(ref, payload('one'), makeMark(1), ABSENT);
      await hands.client.deleteSecret({ SecretId: ref.entry, RecoveryWindowInDays: 7 });
      expect(await vault.describe(ref)).toMatchObject({ version, mark: makeMark(1), binding: 'broken' });
      expect(await vault.read(ref)).toMatchObject({ binding: 'broken', payload: null });
      const next = await vault.deliver(ref, payload('two'), makeMark(2), version);
      expect(await vault.describe(ref)).toMatchObject({
        state: 'present',
        ...next,
        mark: makeMark(2),
        binding: 'bound',
      });
    });

    it('V6: is locked where the deleted secret is not ours, although moto would take the write', async () => {
      const ref = place();
      await hands.client.createSecret({ Name: ref.entry, SecretString: 'foreign' });
      await hands.client.deleteSecret({ SecretId: ref.entry, RecoveryWindowInDays: 7 });
      // the service refuses this (see the test against HTTP); moto does it
      await hands.client.putSecretValue({ SecretId: ref.entry, SecretString: 'put while deleted' });
      const seen = await vault.describe(ref);
      expect(seen).toMatchObject({
        state: 'present',
        mark: null,
        locked: expect.stringContaining('deletion') as string,
      });
      const version = seen.state === 'present' ? seen.version : '';
      const refused = vault.deliver(ref, payload('one'), makeMark(1), version);
      await expect(refused).rejects.toMatchObject({
        fault: 'locked',
        message: expect.stringMatching(/not ours/) as string,
      });
    });

    it('V7: moves the stage to the version that is there already, and makes no second one', async () => {
      const ref = place();
      const first = await vault.deliver(ref, payload('one'), makeMark(1), ABSENT);
      const second = await vault.deliver(ref, payload('two'), makeMark(2), first.version);
      const again = await vault.deliver(ref, payload('one'), makeMark(1), second.version);
      expect(again).toEqual(first);
      const { Versions = [] } = await hands.client.listSecretVersionIds({
        SecretId: ref.entry,
        IncludeDeprecated: true,
      });
      expect(Versions.map(({ VersionId }) => VersionId).sort()).toEqual([first.version, second.version].sort());
      expect(await hands.holder(ref, 'AWSCURRENT')).toBe(first.version);
    });

    it('V17: a value put by hand as current is broken, and mended, where moto then has two current versions', async () => {
      const ref = place();
      const first = await vault.deliver(ref, payload('one'), makeMark(1), ABSENT);
      await vault.deliver(ref, payload('two'), makeMark(2), first.version);
      await hands.client.putSecretValue({ SecretId: ref.entry, SecretString: 'by hand' });
      const seen = await vault.describe(ref);
      expect(seen).toMatchObject({ mark: makeMark(2), binding: 'broken' });
      const version = seen.state === 'present' ? seen.version : '';
      const mended = await vault.deliver(ref, payload('three'), makeMark(3), version);
      expect(await vault.describe(ref)).toMatchObject({ ...mended, mark: makeMark(3), binding: 'bound' });
      expect(await vault.read(ref)).toMatchObject({ payload: payload('three') });
    });

    it('serves the new value to a consumer that asks by stage; one that names no stage is shown an old one by moto alone', async () => {
      const ref = place();
      const { version } = await vault.deliver(ref, payload('one'), makeMark(1), ABSENT);
      await vault.deliver(ref, payload('two'), makeMark(2), version);
      const byStage = await hands.client.getSecretValue({ SecretId: ref.entry, VersionStage: 'AWSCURRENT' });
      expect(byStage.SecretString).toBe('two');
      // The service's default is AWSCURRENT. moto's is the version that was last put as current, whatever was moved since:
      // where this fails, moto has mended it, and this half of the case can go.
      const byDefault = await hands.client.getSecretValue({ SecretId: ref.entry });
      expect(byDefault.SecretString).toBe('one');
    });

    it('makes a secret with key, replicas and tags, and assumes a role for it', async () => {
      const assuming = await create({
        roleArn: ROLE,
        kmsKeyId: 'alias/rekeyd',
        replicaRegions: ['eu-central-1'],
        tags: { 'cost-centre': '42', team: 'payments' },
      });
      expect(assuming.identity).toContain(':eu-west-2:123456789012:');
      const ref = { ...place(), options: { tags: { team: 'orders' } } };
      await assuming.deliver(ref, payload('one'), makeMark(1), ABSENT);
      const made = await hands.client.describeSecret({ SecretId: ref.entry });
      expect(made.KmsKeyId).toBe('alias/rekeyd');
      expect(made.ReplicationStatus).toMatchObject([{ Region: 'eu-central-1', Status: 'InSync' }]);
      expect(Object.fromEntries(await hands.tags(ref))).toMatchObject({
        'cost-centre': '42',
        team: 'orders',
        'rekeyd:managed-by': 'rekeyd',
        'rekeyd:generation': '1',
      });
      await assuming.close();
    });
  });
}
