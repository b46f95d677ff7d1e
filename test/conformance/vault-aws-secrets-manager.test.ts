import { awsSecretsManagerVaultType } from '../../src/vaults/aws-secrets-manager.ts';
import { FakeAws } from '../fakes/aws-secrets-manager-http.ts';
import { AwsHands, useTestCredentials } from './aws-hands.ts';
import { createTestContext } from './vault-context.ts';
import type { VaultFixture } from './vault-fixture.ts';
import { describeVaultSuite } from './vault-suite.ts';

const REGION = 'eu-west-2';

async function open(): Promise<VaultFixture> {
  const resetEnvironment = useTestCredentials();
  const fake = await FakeAws.start(REGION);
  const options = awsSecretsManagerVaultType.schema.parse({ region: REGION, endpoint: fake.url });
  const context = createTestContext();
  const vault = await awsSecretsManagerVaultType.create(options, context);
  return {
    vault,
    type: awsSecretsManagerVaultType,
    printed: () => context.printed(),
    ...new AwsHands(fake.url, REGION).hooks,
    deny: () =>
      fake.fail({
        type: 'AccessDeniedException',
        message: 'User: arn:aws:iam::123456789012:user/x is not authorized to perform: secretsmanager:DescribeSecret',
      }),
    lag: () => fake.lag(4),
    pass: () => Promise.resolve(),
    second: () => awsSecretsManagerVaultType.create(options, createTestContext('under-test', 2)),
    close: async () => {
      await vault.close();
      await fake.stop();
      resetEnvironment();
    },
  };
}

describeVaultSuite('aws-secrets-manager (the service, as documented)', {
  open,
  capabilities: { compareAndSet: true, readable: true, map: false },
});
