import { readFileSync } from 'node:fs';
import { describe, expect, it, vi } from 'vitest';
import { ConfigError } from '../../src/domain/errors.ts';
import { ABSENT } from '../../src/vaults/contract.ts';
import { awsSecretsManagerVaultType } from '../../src/vaults/aws-secrets-manager.ts';
import { ROLE_KEY } from '../fakes/aws-secrets-manager-http.ts';
import type { AwsFault } from '../fakes/aws-secrets-manager-http.ts';
import { deliveredScene, refusal, REGION, text } from './aws-bench.ts';
import { makeMark } from './vault-bench.ts';

const ROLE = 'arn:aws:iam::123456789012:role/rekeyd';
const USER = 'arn:aws:sts::123456789012:assumed-role/pod/session';
describe('vault aws-secrets-manager: who it is to AWS, and what it may there', () => {
  const scene = deliveredScene();

  it('assumes the role, with the external id, and names it where it may not', async () => {
    const assuming = await scene.bench.vault({ roleArn: ROLE, externalId: 'ours-1' });
    expect(assuming.identity).toContain(':123456789012:');
    await assuming.describe(scene.ref);
    await assuming.describe(scene.ref);
    expect(scene.bench.fake.operations).toEqual(['AssumeRole', 'DescribeSecret', 'DescribeSecret']);
    const [asked, used] = scene.bench.fake.requests;
    expect(asked?.input).toMatchObject({ RoleArn: ROLE, ExternalId: 'ours-1', RoleSessionName: 'rekeyd' });
    expect(used?.headers.authorization).toContain(`Credential=${ROLE_KEY}/`);
    const refused = await scene.bench.vault({ roleArn: ROLE });
    const message = `User: ${USER} is not authorized to perform: sts:AssumeRole on resource: ${ROLE}`;
    const lift = scene.bench.fake.fail({ operations: ['AssumeRole'], status: 403, type: 'AccessDenied', message });
    const error = await refusal(refused.describe(scene.ref));
    lift();
    expect(error.fault).toBe('denied');
    expect(error.message).toContain(`${USER} may not assume the role ${ROLE}`);
  });

  it('says where there are no credentials', async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', undefined);
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', undefined);
    const bare = await scene.bench.vault();
    expect(await refusal(bare.describe(scene.ref))).toMatchObject({
      fault: 'unavailable',
      message: expect.stringMatching(/no AWS credentials were found/) as string,
    });
  });

  it('takes the region of the environment, and says where there is none or where it is wrong', async () => {
    await expect(scene.bench.vault({ region: null })).rejects.toThrow(ConfigError);
    await expect(scene.bench.vault({ region: null })).rejects.toThrow(
      /^vaults\.under-test\.region: is not set, and neither AWS_REGION/,
    );
    vi.stubEnv('AWS_REGION', 'eu-central-1');
    expect((await scene.bench.vault({ region: null })).identity).toContain(':eu-central-1:');
    const wrong = await scene.bench.vault({ endpoint: 'https://secretsmanager.eu-wst-2.invalid', region: 'eu-wst-2' });
    expect((await refusal(wrong.describe(scene.ref))).message).toMatch(/is the region 'eu-wst-2' right/);
  });

  it('names one store by any of its endpoints, and another elsewhere', async () => {
    const identity = async (endpoint: string | null) => (await scene.bench.vault({ endpoint })).identity;
    expect(await identity(null)).toBe(`aws-secrets-manager:${REGION}:default`);
    expect(await identity('https://vpce-0a1b-2c3d.secretsmanager.eu-west-2.vpce.amazonaws.com')).toBe(
      await identity(null),
    );
    expect(await identity(scene.bench.fake.url)).not.toBe(await identity(null));
  });

  it('prints nothing, and sends nothing but what was asked, to nobody else', async () => {
    const printed: unknown[] = [];
    for (const level of ['log', 'info', 'warn', 'error', 'debug'] as const) {
      vi.spyOn(console, level).mockImplementation((...given) => void printed.push(given));
    }
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    vi.stubEnv('AWS_PROFILE', 'none'); // beside the keys: of which the SDK warns on the console
    const own = await scene.bench.vault();
    await refusal(own.describe(scene.ref));
    vi.stubEnv('AWS_PROFILE', undefined);
    await (await scene.bench.vault()).read(scene.ref);
    expect(printed).toEqual([]);
    expect(warned).not.toHaveBeenCalled();
    expect(scene.bench.fake.operations).toEqual(['DescribeSecret', 'GetSecretValue']);
    expect(scene.bench.fake.requests[0]?.headers['user-agent']).toContain('app/rekeyd');
  });

  it('tells its rights: what is missing, and of whom', async () => {
    const status = async () =>
      Object.fromEntries((await scene.vault.rights([scene.ref])).map((each) => [each.right, each.status]));
    expect(await status()).toMatchObject({
      reached: 'ok',
      'secretsmanager:DescribeSecret': 'ok',
      'secretsmanager:GetSecretValue': 'ok',
      'secretsmanager:PutSecretValue': 'unknown',
    });
    const lift = scene.bench.fake.fail({ ...denied('GetSecretValue'), operations: ['GetSecretValue'] });
    expect(await status()).toMatchObject({ reached: 'ok', 'secretsmanager:GetSecretValue': 'missing' });
    // a policy for some names says nothing of a name that nobody configured
    const without = await scene.vault.rights([]);
    expect(without).toContainEqual(
      expect.objectContaining({ right: 'secretsmanager:GetSecretValue', status: 'unknown' }),
    );
    lift();
    const down = scene.bench.fake.fail({ how: 'lost' });
    expect(await scene.vault.rights([scene.ref])).toEqual([
      expect.objectContaining({ right: 'reached', status: 'missing' }),
    ]);
    down();
    expect(scene.bench.fake.requests.every(({ operation }) => /^(Describe|Get)/.test(operation))).toBe(true);
  });

  it('has a policy with each right that rekeyd uses, the same on its page', async () => {
    const { version: second } = await scene.vault.deliver(scene.ref, text('two'), makeMark(2), scene.version);
    await scene.vault.deliver(scene.ref, text('3'), makeMark(3, { deliveredAt: Date.UTC(2040, 0) }), second);
    const [last] = await Promise.all([scene.vault.describe(scene.ref)]);
    const from = last.state === 'present' ? last.version : '';
    await scene.vault.deliver(scene.ref, text('4'), makeMark(4, { deliveredAt: Date.UTC(2041, 0) }), from);
    await scene.vault.deliver(scene.bench.place(), text('1'), makeMark(1), ABSENT);
    await scene.vault.read(scene.ref);
    scene.bench.fake.store.run('DeleteSecret', { SecretId: scene.ref.entry });
    const deleted = await scene.vault.describe(scene.ref);
    await scene.vault.deliver(scene.ref, text('5'), makeMark(5), deleted.state === 'present' ? deleted.version : '');
    const policy = readFileSync('config/policies/aws-secrets-manager.json', 'utf8');
    const allowed = [...policy.matchAll(/secretsmanager:(\w+)"/g)].map(([, action]) => action);
    expect([...new Set(scene.bench.fake.operations)].sort()).toEqual(allowed.sort());
    expect(readFileSync('docs/vaults/aws-secrets-manager.md', 'utf8')).toContain(policy);
    expect(awsSecretsManagerVaultType.maxBytes).toBe(65_536);
  });
});

function denied(action: string): AwsFault {
  const message = `User: ${USER} is not authorized to perform: secretsmanager:${action} on resource: x because no identity-based policy allows it`;
  return { type: 'AccessDeniedException', message };
}
