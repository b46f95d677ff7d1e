import { once } from 'node:events';
import { appendFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { VaultError } from '../../src/domain/errors.ts';
import type { VaultFault } from '../../src/domain/errors.ts';
import { SecretValue } from '../../src/domain/secret-value.ts';
import { ABSENT } from '../../src/vaults/contract.ts';
import { failed } from '../fakes/azure-key-vault-http.ts';
import type { KeyVaultAnswer } from '../fakes/azure-key-vault-http.ts';
import { openAzureBench } from './azure-key-vault-bench.ts';
import type { AzureBench } from './azure-key-vault-bench.ts';
import { hatchCanary, leakIn } from './canary.ts';
import { makeMark } from './vault-bench.ts';

const ref = { entry: 'orders', options: {} };
const payload = (text: string) => ({ form: 'opaque', content: SecretValue.of(text) }) as const;
describe('azure-key-vault: what Key Vault answers', () => {
  let bench: AzureBench;

  beforeEach(async () => {
    bench = await openAzureBench();
  });
  afterEach(async () => {
    await bench.close();
  });

  /** What a look, a read and a write throw where every request has this answer. */
  async function thrownBy(answer: KeyVaultAnswer): Promise<VaultError> {
    bench.server.interfere = ({ authorization }) => (authorization === undefined ? null : answer);
    const errors: unknown[] = [];
    const note = (error: unknown): void => void errors.push(error);
    await bench.vault.describe(ref, { prove: true }).catch(note);
    await bench.vault.read(ref).catch(note);
    await bench.vault.deliver(ref, payload('value'), makeMark(1), ABSENT).catch(note);
    await bench.vault.restoreMark(ref, makeMark(1), 'any').catch(note);
    expect(errors).toHaveLength(4);
    const [first] = errors;
    for (const error of errors) {
      expect(error).toBeInstanceOf(VaultError);
      expect(error).toMatchObject({ message: (first as VaultError).message, vault: 'under-test', entry: 'orders' });
    }
    return first as VaultError;
  }

  const html = { 'content-type': 'text/html' };
  const page = '<html>blocked by the proxy</html>';
  it.each<[string, KeyVaultAnswer, VaultFault, RegExp]>([
    [
      'V15: no role',
      failed(403, 'Forbidden', 'ForbiddenByRbac'),
      'denied',
      /\(403 ForbiddenByRbac, request b1c6683d[^)]*\): .*secrets\/getSecret\/action \(role 'Key Vault Secrets Officer'\).*'Get'/,
    ],
    ['V15: no access policy', failed(403, 'Forbidden', 'AccessDenied'), 'denied', /an access policy, 'Get'/],
    ['V15: an inner code that nobody knows', failed(403, 'Forbidden', 'Whatever'), 'denied', /\(403, request/],
    ['V15: the firewall', failed(403, 'Forbidden', 'ForbiddenByFirewall'), 'denied', /firewall does not let/],
    ['V15: no public access', failed(403, 'Forbidden', 'ForbiddenByConnection'), 'denied', /private endpoint/],
    ['V15: 403 without a body', { status: 403 }, 'denied', /\(403\)/],
    ['V15: 403 of a proxy', { status: 403, headers: html, body: page }, 'denied', /\(403\)/],
    ['V15: 401 for a token of another tenant', failed(401, 'Unauthorized'), 'denied', /in the tenant/],
    ['V15: 404 of a proxy is not absence', { status: 404, headers: html, body: page }, 'malformed', /url right/],
    ['V15: 404 without a body is not absence', { status: 404 }, 'malformed', /url right/],
    ['V11: 429', { ...failed(429, 'Throttled'), headers: { 'retry-after': '3600' } }, 'throttled', /requestsPerSecond/],
    ['V11: 429 without a body', { status: 429 }, 'throttled', /called less often/],
    ['500', failed(500, 'InternalServerError'), 'unavailable', /\(500, request/],
    ['503 without a body', { status: 503 }, 'unavailable', /\(503\)/],
    ['a broken connection', { status: 0, reset: true }, 'unavailable', /\(ECONNRESET\)/],
    ['400', failed(400, 'BadParameter'), 'rejected', /refuses the request/],
    ['200 with a page', { status: 200, headers: html, body: page }, 'malformed', /cannot be read/],
    ['200 with broken JSON', { status: 200, body: '{"value": "hal' }, 'malformed', /cannot be read/],
    ['200 without an id', { status: 200, body: { value: 'x' } }, 'malformed', /cannot be read/],
    ['200 without a body', { status: 200 }, 'malformed', /cannot be read/],
  ])('%s', async (_, answer, fault, message) => {
    const error = await thrownBy(answer);
    expect(error.fault).toBe(fault);
    expect(error.message).toMatch(message);
    expect(error.message).toMatch(/^Vault 'under-test', entry 'orders': .*[^.?][.?]$/);
  });

  it('V11: is not asked again within a call: whoever called knows when to', async () => {
    await thrownBy(failed(429, 'Throttled'));
    expect(bench.server.requests.filter(({ authorization }) => authorization !== undefined)).toHaveLength(4);
  });

  it.each([
    ['write', 'PUT', /setSecret\/action.*'Set'/],
    ['mark', 'PATCH', /update\/action.*'Set'/],
  ])('V15: names the right that it takes to %s', async (_, verb, message) => {
    const { version } = await bench.vault.deliver(ref, payload('first'), makeMark(1), ABSENT);
    bench.server.interfere = ({ method }) => (method === verb ? failed(403, 'Forbidden', 'ForbiddenByRbac') : null);
    const attempt =
      verb === 'PUT'
        ? bench.vault.deliver(ref, payload('second'), makeMark(2), version)
        : bench.vault.restoreMark(ref, makeMark(2), version);
    await expect(attempt).rejects.toMatchObject({ fault: 'denied', message: expect.stringMatching(message) as string });
  });

  it('V12: a disabled version of a long history is found by its time; without the right to list, that is told', async () => {
    const { store } = bench.server;
    for (let count = 0; count < 60; count++) {
      store.set('orders', { value: 'old', tags: {} }).attributes.created -= 1000 - count;
    }
    const { id } = store.set('orders', { value: 'new', tags: {} });
    store.current('orders').attributes.enabled = false;
    expect(await bench.vault.read(ref)).toMatchObject({ version: id, binding: 'broken', payload: null });
    bench.server.interfere = ({ path }) =>
      path.endsWith('/versions') ? failed(403, 'Forbidden', 'ForbiddenByRbac') : null;
    await expect(bench.vault.read(ref)).rejects.toMatchObject({
      fault: 'denied',
      message: expect.stringContaining('secrets/readMetadata/action') as string,
    });
  });

  it('V12: a list that breaks off at its second page is no answer', async () => {
    const { server } = bench;
    for (let count = 0; count < 30; count++) server.store.set('orders', { value: 'x' });
    server.store.current('orders').attributes.enabled = false;
    let pages = 0;
    server.interfere = ({ path, authorization }) =>
      path.endsWith('/versions') && authorization !== undefined && ++pages === 2 ? { status: 0, reset: true } : null;
    await expect(bench.vault.describe(ref)).rejects.toMatchObject({
      fault: 'unavailable',
      message: expect.stringContaining('ECONNRESET') as string,
    });
    expect(pages).toBe(2);
  });

  it('V12: an empty value is not delivered', async () => {
    bench.server.store.set('orders', { value: '', tags: {} });
    expect(await bench.vault.read(ref)).toMatchObject({ state: 'present', binding: 'broken', payload: null });
  });

  it('S1: what an answer quotes shows in no error, and in nothing that an error refers to', async () => {
    const canary = hatchCanary();
    const quoting: KeyVaultAnswer[] = [
      failed(400, canary.text, canary.text, `Property value '${canary.text}' is invalid`),
      failed(403, 'Forbidden', canary.text, canary.text),
      { status: 200, body: `{"value": ${JSON.stringify(canary.text)}, oops` },
      { status: 500, headers: html, body: canary.text },
      { status: 409, headers: { 'x-ms-request-id': canary.forms[0]! }, body: { error: { code: canary.forms[0] } } },
    ];
    for (const answer of quoting) {
      bench.server.interfere = ({ method }) => (method === 'PUT' ? answer : null);
      const error: unknown = await bench.vault
        .deliver(ref, payload(canary.text), makeMark(1), ABSENT)
        .catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(VaultError);
      expect((error as VaultError).cause).toBeUndefined();
      expect(leakIn(error, [canary])).toBeNull();
    }
  });

  it.each([301, 302, 303, 307, 308])(
    'S9: a redirect (%i) is followed nowhere, with a token or without',
    async (status) => {
      const visits: string[] = [];
      const elsewhere = createServer((request, response) => {
        visits.push(request.url ?? '');
        response.end('{}');
      });
      elsewhere.listen(0, '127.0.0.1');
      await once(elsewhere, 'listening');
      const { port } = elsewhere.address() as AddressInfo;
      for (const location of [`http://127.0.0.1:${port}/secrets/orders`, '/secrets/others/']) {
        const error = await thrownBy({ status, headers: { location } });
        expect(error).toMatchObject({ fault: 'malformed', message: expect.stringContaining('redirect') as string });
      }
      expect(visits).toEqual([]);
      expect(bench.server.requests.filter(({ path }) => path.includes('others'))).toEqual([]);
      elsewhere.close();
    },
  );

  it('S9: a next page elsewhere gets no token', async () => {
    const tokens: (string | undefined)[] = [];
    const elsewhere = await openAzureBench();
    elsewhere.server.interfere = ({ authorization }) => {
      tokens.push(authorization);
      return null;
    };
    appendFileSync(bench.ca, elsewhere.server.certificate);
    const vault = await bench.another();
    bench.server.store.set('orders', { value: 'x' }).attributes.enabled = false;
    const nextLink = `${elsewhere.server.url}/secrets/orders/versions?api-version=7.4`;
    bench.server.interfere = ({ path, authorization }) =>
      path.endsWith('/versions') && authorization !== undefined ? { status: 200, body: { value: [], nextLink } } : null;
    await expect(vault.describe(ref)).rejects.toMatchObject({ fault: 'denied' });
    expect(tokens.filter((token) => token !== undefined)).toEqual([]);
    await elsewhere.close();
  });
});
