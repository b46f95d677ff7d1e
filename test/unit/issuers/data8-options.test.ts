import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { SecretValue } from '../../../src/domain/secret-value.ts';
import { data8Schema } from '../../../src/issuers/data8/options.ts';
import { tokenUrlKind } from '../../../src/issuers/data8/token-url.ts';

const required = { baseUrl: 'https://api.example/admin/', clientId: 'me', clientSecret: 'hush' };

function problems(section: object): string[] {
  const result = data8Schema.safeParse(section);
  return result.success ? [] : result.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
}

describe('options of Data8', () => {
  it('has the defaults of the contract', () => {
    const { clientSecret, ...rest } = data8Schema.parse(required);
    expect(clientSecret).toBeInstanceOf(SecretValue);
    expect(clientSecret instanceof SecretValue && clientSecret.reveal()).toBe('hush');
    expect(rest).toEqual({
      baseUrl: 'https://api.example/admin',
      tokenUrl: 'https://auth.data-8.co.uk/connect/token',
      scope: 'BatchApi',
      tokenEndpointAuthMethod: 'client_secret_post',
      clientId: 'me',
      timeout: 30_000,
      requestsPerSecond: 10,
      requestLifetime: 300_000,
      listLag: 60_000,
      maxClockSkew: 300_000,
      maxRetryAfter: 900_000,
    });
  });

  it.each([
    ['baseUrl', 'http://api.example'],
    ['baseUrl', 'https://me:pw@api.example'],
    ['baseUrl', 'https://api.example/?a=1'],
    ['baseUrl', 'api.example'],
    ['baseUrl', undefined],
    ['tokenUrl', 'http://auth.example/connect/token'],
    ['tokenUrl', 'https://auth.example/#x'],
    ['tokenEndpointAuthMethod', 'private_key_jwt'],
    ['clientId', ''],
    ['clientSecret', ''],
    ['clientSecret', 5],
    ['timeout', '0s'],
    ['timeout', 30],
    ['maxRetryAfter', '10ms'],
    ['requestsPerSecond', 0],
    ['requestsPerSecond', 'many'],
    ['listLag', 'soon'],
    ['colour', 'blue'],
  ])('refuses %s: %s', (key, value) => {
    const found = problems({ ...required, [key]: value });
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(key);
    expect(found[0]).not.toContain('hush');
  });

  it('takes http to this machine', () => {
    for (const baseUrl of ['http://localhost:8080', 'http://127.0.0.1:1', 'http://[::1]:1']) {
      expect(problems({ ...required, baseUrl })).toEqual([]);
    }
  });

  it('takes the place of a secret in a vault', () => {
    const clientSecret = { vault: 'aws', entry: 'prod/rekeyd' };
    expect(data8Schema.parse({ ...required, clientSecret }).clientSecret).toEqual({
      ...clientSecret,
      field: 'clientSecret',
    });
    expect(problems({ ...required, clientSecret: { ...clientSecret, field: '' } })).toHaveLength(1);
    expect(problems({ ...required, clientSecret: { vault: 'aws' } })).toHaveLength(1);
    expect(problems({ ...required, clientSecret: { ...clientSecret, colour: 'blue' } })).toHaveLength(1);
  });

  it('S1: holds the secret so that it cannot be printed', () => {
    const options = data8Schema.parse(required);
    expect(JSON.stringify(options) + inspect(options)).not.toContain('hush');
  });

  it.each([
    ['https://auth.example', 'discovery', 'https://auth.example/.well-known/openid-configuration'],
    ['https://auth.example/', 'discovery', 'https://auth.example/.well-known/openid-configuration'],
    [
      'https://auth.example/tenant/.well-known/openid-configuration',
      'discovery',
      'https://auth.example/tenant/.well-known/openid-configuration',
    ],
    ['https://auth.example/connect/token', 'endpoint', 'https://auth.example/connect/token'],
    ['https://auth.example/oauth', 'endpoint', 'https://auth.example/oauth'],
  ])('takes %s for %s', (tokenUrl, kind, url) => {
    expect(tokenUrlKind(tokenUrl)).toEqual({ kind, url });
  });
});
