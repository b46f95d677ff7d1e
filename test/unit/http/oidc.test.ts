import { createHmac, createPublicKey } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { OidcIssuer } from '../../fakes/oidc-issuer.ts';
import { NOW, OPERATOR, problemOf } from './fake-daemon.ts';
import type { Running } from './fake-daemon.ts';
import { serveTrusting, trusting } from './oidc-scene.ts';

const POST = { method: 'POST' };
const AT = { now: NOW };
const SECONDS = NOW / 1000;
const base64url = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

let issuer: OidcIssuer;
let other: OidcIssuer;
let http: Running;
beforeAll(async () => {
  issuer = await OidcIssuer.start();
  other = await OidcIssuer.start();
  http = await serveTrusting([trusting(issuer), trusting(other, { name: 'email' })]);
});
beforeEach(() => {
  http.calls.length = 0;
});
afterAll(async () => {
  await http.server.close();
  await issuer[Symbol.asyncDispose]();
  await other[Symbol.asyncDispose]();
});

/** Status and detail of an act with this token. */
async function act(token: string): Promise<[number, unknown]> {
  const response = await http.ask('/v1/resume', POST, token);
  return [response.status, response.ok ? null : (await problemOf(response))['detail']];
}

describe('a JWT of an OIDC issuer', () => {
  it('gets in, with the role of its claims, under a name of its own', async () => {
    expect(await act(await issuer.sign({}, AT))).toEqual([200, null]);
    expect(http.calls).toEqual([['resume', null, `deployer@${new URL(issuer.url).host}`]]);
    expect((await http.ask('/v1/status', {}, await issuer.sign({ sub: 'watcher-1' }, AT))).status).toBe(200);
    expect((await act(await issuer.sign({ sub: 'watcher-1' }, AT)))[0]).toBe(403);
    const listed = await issuer.sign({ sub: 'somebody', groups: ['dev', 'ops-eu'], aud: ['other', 'rekeyd'] }, AT);
    expect((await act(listed))[0]).toBe(200);
  });

  it.each(['RS256', 'PS256', 'ES384', 'EdDSA'])('gets in by %s', async (alg) => {
    await issuer.addKey(alg);
    expect((await act(await issuer.sign({}, AT)))[0]).toBe(200);
  });

  it('gets nowhere where no role is for it, or no claim names it', async () => {
    for (const sub of ['nobody', 'Deployer', 'deployer2', 'xdeployer', '']) {
      const token = await issuer.sign({ sub }, AT);
      const response = await http.ask('/v1/status', {}, token);
      expect([sub, (await problemOf(response))['type']]).toEqual([sub, 'urn:rekeyd:problem:forbidden']);
    }
    // its entry asks for `email`, in an own property
    expect((await act(await other.sign({}, AT)))[1]).toContain('no claim that names its bearer');
    expect((await act(await other.sign({ email: 5 }, AT)))[0]).toBe(403);
    expect(http.calls).toEqual([]);
  });

  it('must be signed, by its own issuer, in a way that is taken', async () => {
    const good = await issuer.sign({}, AT);
    const [head = '', body = '', signature = ''] = good.split('.');
    const claims = { iss: issuer.url, aud: 'rekeyd', sub: 'deployer', exp: SECONDS + 600 };
    const none = `${base64url({ alg: 'none' })}.${base64url(claims)}.`;
    const key = issuer.keys.find(({ alg }) => alg === 'RS256');
    const pem = createPublicKey({ key: key?.publicJwk ?? {}, format: 'jwk' }).export({ type: 'spki', format: 'pem' });
    const start = `${base64url({ alg: 'HS256', kid: key?.kid })}.${base64url(claims)}`;
    const symmetric = `${start}.${createHmac('sha256', pem).update(start).digest('base64url')}`;
    const stolen = await other.sign({ iss: issuer.url }, AT);
    const changed = `${head}.${base64url({ ...claims, groups: ['ops-x'] })}.${signature}`;
    const refused = 'The token is signed in a way that is not taken.';
    expect(await act(none)).toEqual([401, refused]);
    expect(await act(symmetric)).toEqual([401, refused]);
    for (const token of [stolen, changed, `${head}.${body}.`, `${head}.${body}.${signature.slice(4)}`]) {
      expect(await act(token)).toEqual([401, "The token's signature is not one of its issuer's."]);
    }
    expect(http.calls).toEqual([]);
  });

  it('must be for this rekeyd, now, and have an end', async () => {
    const cases: readonly [Readonly<Record<string, unknown>>, string][] = [
      [{ aud: 'another' }, 'The token is for another audience than this rekeyd.'],
      [{ aud: ['a', 'b'] }, 'The token is for another audience than this rekeyd.'],
      [{ aud: undefined }, 'The token is for another audience than this rekeyd.'],
      [{ exp: SECONDS - 31 }, 'The token has expired.'],
      [{ exp: undefined }, 'The token has no `exp`.'],
      [{ nbf: SECONDS + 60 }, 'The token is not valid yet.'],
      [{ iss: 'https://elsewhere.example' }, 'The token is not known here.'],
      [{ iss: undefined }, 'The token is not known here.'],
      [{ sub: 'x'.repeat(9_000) }, 'The token is not known here.'],
    ];
    for (const [claims, detail] of cases) expect(await act(await issuer.sign(claims, AT))).toEqual([401, detail]);
    const close = { exp: SECONDS - 20, nbf: SECONDS + 20 };
    expect((await act(await issuer.sign(close, AT)))[0], 'clocks may differ a little').toBe(200);
  });

  it('says in the header that it is invalid, and is never quoted', async () => {
    const token = await issuer.sign({ exp: SECONDS - 100 }, AT);
    const response = await http.ask('/v1/status', {}, token);
    expect(response.headers.get('www-authenticate')).toBe('Bearer realm="rekeyd", error="invalid_token"');
    expect(await response.text()).not.toContain(token.slice(0, 20));
    expect(http.lines.join('\n')).not.toContain(token.slice(0, 20));
  });

  it('names its actor in bounds, on one line, and as nobody else', async () => {
    const host = new URL(issuer.url).host;
    const names = ['socket', 'a\u001b[31m\nb', 'x'.repeat(300), `${'x'.repeat(299)}y`, '\u202eevil', '😀'.repeat(150)];
    const tokens = await Promise.all(names.map((sub) => issuer.sign({ sub, groups: ['ops-1'] }, AT)));
    for (const token of tokens) expect((await act(token))[0]).toBe(200);
    const actors = http.calls.map(([, , actor]) => String(actor));
    expect(actors[0]).toBe(`socket@${host}`);
    expect(actors[1]).toMatch(/^a\\u001b\[31m\\u000ab…[0-9a-f]{12}@/);
    expect(
      actors.every((actor) => actor.length < 240 && /^[^\p{Cc}\u202e]*$/u.test(actor) && actor.isWellFormed()),
    ).toBe(true);
    expect(new Set(actors).size).toBe(names.length);
    expect(http.lines.filter((line) => line.includes('"audit"') && line.includes(`socket@${host}`))).toHaveLength(1);
  });

  it('whatever is made of one, it is refused, and nothing breaks', async () => {
    const good = await issuer.sign({}, AT);
    const parts = good.split('.');
    const part = fc.oneof(
      fc.constantFrom(...parts, ''),
      fc.jsonValue().map(base64url),
      fc
        .record({
          alg: fc.constantFrom('ES256', 'none', 'HS256', 'RSA-OAEP', ''),
          kid: fc.jsonValue(),
          crit: fc.jsonValue(),
        })
        .map(base64url),
      fc.record({ iss: fc.constantFrom(issuer.url, ''), exp: fc.jsonValue(), aud: fc.jsonValue() }).map(base64url),
      fc.stringMatching(/^[\w-]{0,40}$/),
    );
    const token = fc.array(part, { minLength: 2, maxLength: 4 }).map((each) => each.join('.'));
    await fc.assert(
      fc.asyncProperty(token, async (text) => {
        if (text === good || text === '') return;
        expect((await http.ask('/v1/status', {}, text)).status).toBe(401);
      }),
      { numRuns: 300 },
    );
    expect((await act(OPERATOR))[0]).toBe(200);
  });
});
