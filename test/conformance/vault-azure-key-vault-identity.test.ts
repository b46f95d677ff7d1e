import { writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ConfigError } from '../../src/domain/errors.ts';
import { azureKeyVaultType, openAzureKeyVault } from '../../src/vaults/azure-key-vault.ts';
import { failed } from '../fakes/azure-key-vault-http.ts';
import { selfSigned } from '../fakes/self-signed.ts';
import { openAzureBench } from './azure-key-vault-bench.ts';
import type { AzureBench } from './azure-key-vault-bench.ts';
import { hatchCanary, leakIn } from './canary.ts';

const ref = { entry: 'orders', options: {} };

describe('azure-key-vault: who it talks to, and as whom', () => {
  let bench: AzureBench;

  beforeEach(async () => {
    bench = await openAzureBench();
    for (const name of ['AZURE_TENANT_ID', 'AZURE_CLIENT_ID', 'AZURE_FEDERATED_TOKEN_FILE'])
      vi.stubEnv(name, undefined);
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    await bench.close();
  });

  /** As shipped, but for a credential that asks nobody. */
  function shipped(ca: string | undefined, resource: string) {
    bench.server.resource = resource;
    const getToken = vi.fn(bench.server.credential.getToken);
    const options = azureKeyVaultType.schema.parse({ url: bench.server.url, ca });
    const vault = openAzureKeyVault(options, bench.context, { credential: { getToken } });
    return { vault, getToken };
  }

  it('S9: gets no token for a server outside of the domain that it asks a token for', async () => {
    const { vault, getToken } = shipped(bench.ca, 'https://vault.azure.net');
    await expect((await vault).describe(ref)).rejects.toMatchObject({
      fault: 'denied',
      message: expect.stringContaining('is url right?') as string,
    });
    expect(getToken).not.toHaveBeenCalled();
    expect(bench.server.requests.map(({ authorization }) => authorization)).toEqual([undefined]);
  });

  it('sends no value before it has proven whom it talks to', async () => {
    const { vault } = shipped(bench.ca, 'https://vault.azure.net');
    await (await vault).describe(ref).catch(() => null);
    expect(bench.server.requests.map(({ body }) => body)).toEqual(['']);
  });

  it('does not talk to a server whose certificate is not trusted, and says what to do', async () => {
    const { vault } = shipped(undefined, 'https://vault.azure.net');
    await expect((await vault).describe(ref)).rejects.toMatchObject({
      fault: 'unavailable',
      message: expect.stringContaining('name the file of your CA in ca') as string,
    });
    expect(bench.server.requests).toEqual([]);
    writeFileSync(bench.ca, selfSigned().cert);
    await expect((await bench.another()).describe(ref)).rejects.toMatchObject({ fault: 'unavailable' });
  });

  it.each([
    ['is missing', (ca: string) => `${ca}.not-there`, /cannot read/],
    ['holds no certificate', () => 'package.json', /no certificate in PEM/],
  ])('names a ca that %s', async (_, ca, message) => {
    const opened = bench.another({ ca: ca(bench.ca) });
    await expect(opened).rejects.toThrow(ConfigError);
    await expect(opened).rejects.toThrow(message);
  });

  it.each([
    { method: 'default' },
    { method: 'workload-identity', tenantId: 'tenant', clientId: 'client', tokenFile: '/var/run/token' },
    { method: 'managed-identity' },
    { method: 'managed-identity', clientId: 'client' },
    { method: 'client-secret', tenantId: 'tenant', clientId: 'client', clientSecret: 'a secret' },
  ] as const)('opens as $method without asking anybody', async (auth) => {
    const options = azureKeyVaultType.schema.parse({ url: bench.server.url, auth });
    const vault = await azureKeyVaultType.create(options, bench.context);
    expect(vault.identity).toBe(`azure-key-vault:${bench.server.url}`);
    expect(leakIn(vault, [{ text: 'a secret', forms: ['a secret'] }])).toBeNull();
    await vault.close();
  });

  it('names the method that lacks a setting', async () => {
    const options = azureKeyVaultType.schema.parse({ url: bench.server.url, auth: { method: 'workload-identity' } });
    await expect(azureKeyVaultType.create(options, bench.context)).rejects.toThrow(
      /vaults\.under-test\.auth: method workload-identity lacks a setting/,
    );
  });

  it.each([
    ['http', { url: 'http://localhost:8443' }, /https/],
    ['a path', { url: 'https://example.vault.azure.net/secrets' }, /without a path/],
    ['a user', { url: 'https://me:pass@example.vault.azure.net' }, /user name/],
    ['an unknown method', { url: 'https://example.vault.azure.net', auth: { method: 'certificate' } }, /auth/],
    [
      'a key of another method',
      { url: 'https://a.vault.azure.net', auth: { method: 'default', clientId: 'x' } },
      /clientId/,
    ],
    [
      'a relative token file',
      { url: 'https://a.vault.azure.net', auth: { method: 'workload-identity', tokenFile: 't' } },
      /absolute/,
    ],
  ])('refuses %s', (_, options, message) => {
    const parsed = azureKeyVaultType.schema.safeParse(options);
    expect(JSON.stringify(parsed.error?.issues)).toMatch(message);
  });

  it.each([
    [
      'denied',
      { name: 'AuthenticationError', statusCode: 401, message: 'AADSTS7000215: Invalid client secret' },
      /AADSTS7000215/,
    ],
    ['denied', { name: 'AuthenticationRequiredError', message: 'AADSTS700016: not found' }, /Entra ID refuses/],
    ['throttled', { name: 'AuthenticationError', statusCode: 429, message: 'slow down' }, /AuthenticationError/],
    ['unavailable', { name: 'CredentialUnavailableError', message: 'no identity' }, /is there an identity here/],
    ['unavailable', { name: 'AuthenticationError', statusCode: 503, message: '' }, /no token/],
  ] as const)('a token that is not to be had: %s (%o)', async (fault, thrown, message) => {
    const canary = hatchCanary();
    const inner: Error = Object.assign(new Error(), { ...thrown, response: canary.text });
    inner.message = `${thrown.message} ${canary.text}`;
    const chain = Object.assign(new Error(canary.text), { name: 'AggregateAuthenticationError', errors: [inner] });
    for (const error of [inner, chain]) {
      const vault = await bench.another(
        {},
        {
          credential: { getToken: () => Promise.reject(error) },
          clientOptions: { disableChallengeResourceVerification: true },
        },
      );
      const seen: unknown = await vault.describe(ref).catch((e: unknown) => e);
      expect(seen).toMatchObject({ fault });
      if (error === inner) expect(String(seen)).toMatch(message);
      expect(leakIn(seen, [canary])).toBeNull();
    }
  });

  describe('rights', () => {
    const refs = ['orders', 'billing'].map((entry) => ({ entry, options: {} }));

    it('are proven as far as reading goes, without a write', async () => {
      bench.server.store.set('billing', { value: 'x' }).attributes.enabled = false;
      const rights = await bench.vault.rights(refs);
      expect(rights.map(({ right, status }) => `${right}: ${status}`)).toEqual([
        'reached: ok',
        'secrets/getSecret/action: ok',
        'secrets/readMetadata/action: ok',
        'secrets/setSecret/action: unknown',
        'secrets/update/action: unknown',
        'secrets/recover/action: unknown',
      ]);
      expect(bench.server.writes).toEqual([]);
    });

    it('can be asked for before there is a destination', async () => {
      expect(await bench.vault.rights([])).toContainEqual({
        right: 'secrets/getSecret/action',
        status: 'ok',
        hint: '',
      });
    });

    it('that are missing are named, with the entries', async () => {
      bench.server.interfere = ({ path }) =>
        path.startsWith('/secrets/billing') || path.startsWith('/deletedsecrets')
          ? failed(403, 'Forbidden', 'ForbiddenByRbac')
          : null;
      const rights = await bench.vault.rights(refs);
      expect(rights).toContainEqual({
        right: 'secrets/getSecret/action',
        status: 'missing',
        hint: expect.stringMatching(/Key Vault Secrets Officer.*, for billing$/) as string,
      });
      expect(rights).toContainEqual({
        right: 'secrets/readMetadata/action',
        status: 'missing',
        hint: expect.stringContaining('readMetadata/action') as string,
      });
    });

    it.each([
      ['the firewall', failed(403, 'Forbidden', 'ForbiddenByFirewall'), /firewall/],
      ['a failure', failed(503, 'ServiceUnavailable'), /503/],
    ])('are not told where it is not reached: %s', async (_, answer, hint) => {
      bench.server.interfere = () => answer;
      const rights = await bench.vault.rights(refs);
      expect(rights).toEqual([{ right: 'reached', status: 'missing', hint: expect.stringMatching(hint) as string }]);
    });
  });
});
