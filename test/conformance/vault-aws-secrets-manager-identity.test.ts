import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { ConfigError } from '../../src/domain/errors.ts';
import { ABSENT } from '../../src/vaults/contract.ts';
import type { EntryRef, Vault } from '../../src/vaults/contract.ts';
import { awsSecretsManagerVaultType } from '../../src/vaults/aws-secrets-manager.ts';
import { ROLE_KEY } from '../fakes/aws-secrets-manager-http.ts';
import type { AwsFault } from '../fakes/aws-secrets-manager-http.ts';
import { AwsBench, refusal, REGION, text } from './aws-bench.ts';
import { makeMark } from './vault-bench.ts';

const ROLE = 'arn:aws:iam::123456789012:role/rekeyd';
const USER = 'arn:aws:sts::123456789012:assumed-role/pod/session';
describe('vault aws-secrets-manager: who it is to AWS, and what it may there', () => {
  let bench: AwsBench;
  let vault: Vault;
  let ref: EntryRef;
  let version: string;

  beforeAll(async () => {
    bench = await AwsBench.open();
    vault = await bench.vault();
  });
  beforeEach(async () => {
    ref = bench.place();
    ({ version } = await vault.deliver(ref, text('one'), makeMark(1), ABSENT));
    bench.fake.requests.length = 0;
  });
  afterEach(() => {
    bench.fake.heal();
    vi.restoreAllMocks();
    vi.unstubAllEnvs();
  });
  afterAll(() => bench.close());

  it('assumes the role, with the external id, and names it where it may not', async () => {
    const assuming = await bench.vault({ roleArn: ROLE, externalId: 'ours-1' });
    expect(assuming.identity).toContain(':123456789012:');
    await assuming.describe(ref);
    await assuming.describe(ref);
    expect(bench.fake.operations).toEqual(['AssumeRole', 'DescribeSecret', 'DescribeSecret']);
    const [asked, used] = bench.fake.requests;
    expect(asked?.input).toMatchObject({ RoleArn: ROLE, ExternalId: 'ours-1', RoleSessionName: 'rekeyd' });
    expect(used?.headers.authorization).toContain(`Credential=${ROLE_KEY}/`);
    const refused = await bench.vault({ roleArn: ROLE });
    const message = `User: ${USER} is not authorized to perform: sts:AssumeRole on resource: ${ROLE}`;
    const lift = bench.fake.fail({ operations: ['AssumeRole'], status: 403, type: 'AccessDenied', message });
    const error = await refusal(refused.describe(ref));
    lift();
    expect(error.fault).toBe('denied');
    expect(error.message).toContain(`${USER} may not assume the role ${ROLE}`);
  });

  it('says where there are no credentials', async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', undefined);
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', undefined);
    const bare = await bench.vault();
    expect(await refusal(bare.describe(ref))).toMatchObject({
      fault: 'unavailable',
      message: expect.stringMatching(/no AWS credentials were found/) as string,
    });
  });

  it('takes the region of the environment, and says where there is none or where it is wrong', async () => {
    await expect(bench.vault({ region: null })).rejects.toThrow(ConfigError);
    await expect(bench.vault({ region: null })).rejects.toThrow(
      /^vaults\.under-test\.region: is not set, and neither AWS_REGION/,
    );
    vi.stubEnv('AWS_REGION', 'eu-central-1');
    expect((await bench.vault({ region: null })).identity).toContain(':eu-central-1:');
    const wrong = await bench.vault({ endpoint: 'https://secretsmanager.eu-wst-2.invalid', region: 'eu-wst-2' });
    expect((await refusal(wrong.describe(ref))).message).toMatch(/is the region 'eu-wst-2' right/);
  });

  it('names one store by any of its endpoints, and another elsewhere', async () => {
    const identity = async (endpoint: string | null) => (await bench.vault({ endpoint })).identity;
    expect(await identity(null)).toBe(`aws-secrets-manager:${REGION}:default`);
    expect(await identity('https://vpce-0a1b-2c3d.secretsmanager.eu-west-2.vpce.amazonaws.com')).toBe(
      await identity(null),
    );
    expect(await identity(bench.fake.url)).not.toBe(await identity(null));
  });

  it('prints nothing, and sends nothing but what was asked, to nobody else', async () => {
    const printed: unknown[] = [];
    for (const level of ['log', 'info', 'warn', 'error', 'debug'] as const) {
      vi.spyOn(console, level).mockImplementation((...given) => void printed.push(given));
    }
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    vi.stubEnv('AWS_PROFILE', 'none'); // beside the keys: of which the SDK warns on the console
    const own = await bench.vault();
    await refusal(own.describe(ref));
    vi.stubEnv('AWS_PROFILE', undefined);
    await (await bench.vault()).read(ref);
    expect(printed).toEqual([]);
    expect(warned).not.toHaveBeenCalled();
    expect(bench.fake.operations).toEqual(['DescribeSecret', 'GetSecretValue']);
    expect(bench.fake.requests[0]?.headers['user-agent']).toContain('app/rekeyd');
  });

  it('tells its rights: what is missing, and of whom', async () => {
    const status = async () => Object.fromEntries((await vault.rights([ref])).map((each) => [each.right, each.status]));
    expect(await status()).toMatchObject({
      reached: 'ok',
      'secretsmanager:DescribeSecret': 'ok',
      'secretsmanager:GetSecretValue': 'ok',
      'secretsmanager:PutSecretValue': 'unknown',
    });
    const lift = bench.fake.fail({ ...denied('GetSecretValue'), operations: ['GetSecretValue'] });
    expect(await status()).toMatchObject({ reached: 'ok', 'secretsmanager:GetSecretValue': 'missing' });
    // a policy for some names says nothing of a name that nobody configured
    const without = await vault.rights([]);
    expect(without).toContainEqual(
      expect.objectContaining({ right: 'secretsmanager:GetSecretValue', status: 'unknown' }),
    );
    lift();
    const down = bench.fake.fail({ how: 'lost' });
    expect(await vault.rights([ref])).toEqual([expect.objectContaining({ right: 'reached', status: 'missing' })]);
    down();
    expect(bench.fake.requests.every(({ operation }) => /^(Describe|Get)/.test(operation))).toBe(true);
  });

  it('has a policy with each right that rekeyd uses, the same on its page', async () => {
    const { version: second } = await vault.deliver(ref, text('two'), makeMark(2), version);
    await vault.deliver(ref, text('3'), makeMark(3, { deliveredAt: Date.UTC(2040, 0) }), second);
    const [last] = await Promise.all([vault.describe(ref)]);
    const from = last.state === 'present' ? last.version : '';
    await vault.deliver(ref, text('4'), makeMark(4, { deliveredAt: Date.UTC(2041, 0) }), from);
    await vault.deliver(bench.place(), text('1'), makeMark(1), ABSENT);
    await vault.read(ref);
    bench.fake.store.run('DeleteSecret', { SecretId: ref.entry });
    const deleted = await vault.describe(ref);
    await vault.deliver(ref, text('5'), makeMark(5), deleted.state === 'present' ? deleted.version : '');
    const policy = readFileSync('config/policies/aws-secrets-manager.json', 'utf8');
    const allowed = [...policy.matchAll(/secretsmanager:(\w+)"/g)].map(([, action]) => action);
    expect([...new Set(bench.fake.operations)].sort()).toEqual(allowed.sort());
    expect(readFileSync('docs/vaults/aws-secrets-manager.md', 'utf8')).toContain(policy);
    expect(awsSecretsManagerVaultType.maxBytes).toBe(65_536);
  });
});

function denied(action: string): AwsFault {
  const message = `User: ${USER} is not authorized to perform: secretsmanager:${action} on resource: x because no identity-based policy allows it`;
  return { type: 'AccessDeniedException', message };
}
