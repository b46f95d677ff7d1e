import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OidcIssuer } from '../../fakes/oidc-issuer.ts';
import { selfSigned } from '../../fakes/self-signed.ts';
import { NOW, OPERATOR, problemOf } from './fake-daemon.ts';
import type { Running } from './fake-daemon.ts';
import { QUICK, serveTrusting, trusting } from './oidc-scene.ts';

const AT = { now: NOW };
const status = async (http: Running, token: string): Promise<number> =>
  (await http.ask('/v1/status', {}, token)).status;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'rekeyd-oidc-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the keys of an OIDC issuer', () => {
  it('are fetched once, when the first token comes', async () => {
    await using issuer = await OidcIssuer.start();
    await using http = await serveTrusting([trusting(issuer)]);
    await status(http, OPERATOR);
    await status(http, 'neither.one.known');
    expect(issuer.requests).toEqual([]);
    const token = await issuer.sign({}, AT);
    const all = await Promise.all(Array.from({ length: 20 }, () => status(http, token)));
    expect(new Set(all)).toEqual(new Set([200]));
    expect(issuer.requests.map(({ path }) => path)).toEqual(['/.well-known/openid-configuration', '/keys']);
  });

  it('may be exchanged: a new one is found, one that was taken out is not believed', async () => {
    await using issuer = await OidcIssuer.start();
    await using http = await serveTrusting([trusting(issuer)]);
    const before = await issuer.sign({}, AT);
    expect(await status(http, before)).toBe(200);
    await issuer.addKey();
    const after = await issuer.sign({}, AT);
    expect([await status(http, after), await status(http, before)]).toEqual([200, 200]);
    issuer.keys = issuer.keys.slice(1);
    await issuer.addKey();
    // the next fetch, for whatever reason, ends the trust in the first
    expect(await status(http, await issuer.sign({}, AT))).toBe(200);
    expect(await status(http, before)).toBe(401);
  });

  it('are not fetched for each token that names an unknown one', async () => {
    await using issuer = await OidcIssuer.start();
    await using stranger = await OidcIssuer.start();
    await using http = await serveTrusting([trusting(issuer)], { ...QUICK, cooldown: 60_000 });
    expect(await status(http, await issuer.sign({}, AT))).toBe(200);
    await stranger.addKey();
    const token = await stranger.sign({ iss: issuer.url }, AT);
    for (let times = 0; times < 10; times += 1) expect(await status(http, token)).toBe(401);
    expect(issuer.requests).toHaveLength(2);
  });

  const bad: readonly [string, (response: ServerResponse, issuer: OidcIssuer) => void][] = [
    ['hangs', () => undefined],
    ['breaks off', (response) => response.destroy()],
    ['answers 500', (response) => response.writeHead(500).end('{}')],
    ['sends elsewhere', (response, { url }) => response.writeHead(302, { location: `${url}/keys` }).end()],
    ['answers no JSON', (response) => response.end('<html>')],
    ['answers other JSON', (response) => response.end('{"keys":5}')],
    [
      'names another issuer',
      (response, { url }) => response.end(JSON.stringify({ issuer: 'x', jwks_uri: `${url}/keys` })),
    ],
    [
      'names keys without TLS',
      (response, { url }) => response.end(JSON.stringify({ issuer: url, jwks_uri: 'http://keys.example/' })),
    ],
    [
      'answers without end',
      (response) => {
        const more = (): void => {
          if (!response.destroyed) response.write('x'.repeat(65_536), () => setImmediate(more));
        };
        more();
      },
    ],
  ];
  it.each(bad)('where it %s: 503, not 401; other tokens go on', async (_what, answer) => {
    await using issuer = await OidcIssuer.start();
    await using http = await serveTrusting([trusting(issuer)]);
    issuer.answer = (response) => answer(response, issuer);
    const token = await issuer.sign({}, AT);
    const response = await http.ask('/v1/status', {}, token);
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '5']);
    expect((await problemOf(response))['type']).toBe('urn:rekeyd:problem:issuer-unreachable');
    expect(await status(http, OPERATOR)).toBe(200);
    expect(await status(http, 'wrong')).toBe(401);
    expect(http.lines.filter((line) => line.includes('oidc-keys-failed'))).toHaveLength(1);
    issuer.answer = null;
    expect(await status(http, token)).toBe(200);
  });

  it('are not asked for again at once where they could not be had', async () => {
    await using issuer = await OidcIssuer.start();
    await using http = await serveTrusting([trusting(issuer)], { ...QUICK, afterFailure: 5_000 });
    issuer.answer = (response) => response.writeHead(503).end();
    const token = await issuer.sign({}, AT);
    for (let times = 0; times < 5; times += 1) expect(await status(http, token)).toBe(503);
    expect(issuer.requests).toHaveLength(1);
    issuer.answer = null;
    await http.clock.advance(5_000);
    expect(await status(http, token)).toBe(200);
  });

  it('are believed while they are fresh, though their host is down', async () => {
    const issuer = await OidcIssuer.start();
    await using http = await serveTrusting([trusting(issuer)]);
    const token = await issuer.sign({}, AT);
    expect(await status(http, token)).toBe(200);
    await issuer[Symbol.asyncDispose]();
    expect(await status(http, token)).toBe(200);
  });

  it('come over TLS from who has a certificate of the configured CA, and from nobody else', async () => {
    const tls = selfSigned();
    const ca = join(folder, 'ca.pem');
    writeFileSync(ca, tls.cert);
    await using issuer = await OidcIssuer.start({ tls });
    const token = await issuer.sign({}, AT);
    await using trusted = await serveTrusting([trusting(issuer, { ca })]);
    expect(await status(trusted, token)).toBe(200);
    await using distrusted = await serveTrusting([trusting(issuer)]);
    expect(await status(distrusted, token)).toBe(503);
    expect(distrusted.lines.join()).toMatch(/no connection to 127\.0\.0\.1:\d+ \(DEPTH_ZERO_SELF_SIGNED_CERT\)/);
    await using lost = await serveTrusting([trusting(issuer, { ca: join(folder, 'none.pem') })]);
    expect(await status(lost, token)).toBe(503);
  });

  it('may stand at a URL of their own, and be asked for with a token, which goes to no other host', async () => {
    const tokenFile = join(folder, 'token');
    writeFileSync(tokenFile, 'its-own-token\n');
    await using issuer = await OidcIssuer.start();
    await using elsewhere = await OidcIssuer.start();
    const token = await issuer.sign({}, AT);
    await using http = await serveTrusting([trusting(issuer, { jwksUrl: `${issuer.url}/keys`, tokenFile })]);
    expect(await status(http, token)).toBe(200);
    expect(issuer.requests).toEqual([{ path: '/keys', authorization: 'Bearer its-own-token' }]);
    issuer.requests.length = 0;
    issuer.answer = (response) =>
      response.end(JSON.stringify({ issuer: issuer.url, jwks_uri: `${elsewhere.url}/keys` }));
    await using moved = await serveTrusting([trusting(issuer, { tokenFile })]);
    expect(await status(moved, await elsewhere.sign({ iss: issuer.url }, AT))).toBe(200);
    expect(issuer.requests[0]?.authorization).toBe('Bearer its-own-token');
    expect(elsewhere.requests).toEqual([{ path: '/keys', authorization: null }]);
    expect([...http.lines, ...moved.lines].join()).not.toContain('its-own-token');
  });
});
