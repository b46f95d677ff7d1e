import { beforeAll, describe, expect, it } from 'vitest';
import { buildImage, IMAGE, tryDocker, whyNoDocker } from './docker.ts';

const reason = await whyNoDocker();
if (reason !== null) process.stderr.write(`test/containers is skipped: ${reason}\n`);

const NOBODY = '00000000-0000-0000-0000-000000000000';
const ENVIRONMENT = {
  DATA8_BASE_URL: 'https://127.0.0.1:1',
  DATA8_TOKEN_URL: 'https://127.0.0.1:1/connect/token',
  DATA8_CLIENT_ID: 'a',
  DATA8_CLIENT_SECRET: 'b',
  AWS_REGION: 'eu-west-2',
  AWS_ACCESS_KEY_ID: 'a',
  AWS_SECRET_ACCESS_KEY: 'b',
  AZURE_KEY_VAULT_URL: 'https://example.vault.azure.net',
  AZURE_CLIENT_ID: NOBODY,
  AZURE_TENANT_ID: NOBODY,
  AZURE_CLIENT_SECRET: 'b',
  GOOGLE_CLOUD_PROJECT: 'example-project',
  VAULT_ADDR: 'https://127.0.0.1:1',
  VAULT_TOKEN: 't',
};

/** What each says, without a network: that its library was loaded out of the bundle, and got as far as to ask. */
const SAID = {
  'aws-secrets-manager': /DescribeSecret failed: .*(EAI_AGAIN|ENOTFOUND)/,
  'azure-key-vault': /example\.vault\.azure\.net cannot be reached/,
  'gcp-secret-manager': /there are no Google credentials/,
  'hashicorp-vault': /no whole answer from https:\/\/127\.0\.0\.1:1 .*ECONNREFUSED/,
} as const;

describe.skipIf(reason !== null)('the libraries in the bundle', () => {
  beforeAll(() => buildImage(), 900_000);

  it.each(Object.entries(SAID))('%s works without __proto__, on a read-only root', async (vault, said) => {
    const { code, stdout } = await tryDocker(
      ...['run', '--rm', '--read-only', '--network', 'none'],
      ...Object.entries(ENVIRONMENT).flatMap(([name, value]) => ['--env', `${name}=${value}`]),
      ...[IMAGE, 'check', '-c', '/etc/rekeyd/rekeyd.yaml', '-c', `/etc/rekeyd/vaults/${vault}.yaml`],
    );
    expect(code).toBe(1);
    expect(stdout).toMatch(said);
    expect(stdout).not.toMatch(/TypeError|ReferenceError|Cannot find/);
  });
});
