import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { HOUR } from '../../src/domain/time.ts';
import { hashicorpVaultType } from '../../src/vaults/hashicorp-vault.ts';
import { hatchCanary, leakIn } from './canary.ts';
import { APPROLE, LOGIN, loginScene, ref } from './hashicorp-login-scene.ts';

const scene = loginScene();
const { connect, allow, file, failure } = scene;

function loginBodies(): unknown[] {
  return scene.server.seen.filter(({ path }) => LOGIN.test(path)).map(({ path, body }) => ({ path, ...body }));
}

describe('logging in', () => {
  it('by AppRole sends role id and secret id', async () => {
    allow('approle');
    await (await connect(APPROLE)).describe(ref);
    expect(loginBodies()).toEqual([{ path: 'auth/approle/login', role_id: 'rekeyd', secret_id: 'a-secret-id' }]);
  });

  it('by AppRole without a secret id, where the role binds none', async () => {
    allow('team/approle');
    await (await connect({ method: 'approle', mount: '/team/approle/', roleId: 'rekeyd' })).describe(ref);
    expect(loginBodies()).toEqual([{ path: 'auth/team/approle/login', role_id: 'rekeyd' }]);
  });

  it.each([
    ['kubernetes', (path: string) => ({ method: 'kubernetes', role: 'rekeyd', tokenFile: path }), 'jwt'],
    ['jwt', (path: string) => ({ method: 'jwt', role: 'rekeyd', tokenFile: path }), 'jwt'],
    ['approle', (path: string) => ({ method: 'approle', roleId: 'rekeyd', secretIdFile: path }), 'secret_id'],
  ])('by %s reads its file again at each login', async (mount, auth, field) => {
    allow(mount, { ttl: 60, renewable: false });
    const vault = await connect(auth(file('token', 'first\n')));
    await vault.describe(ref);
    file('token', 'second\n');
    await vault.describe(ref);
    expect(scene.server.count('POST', LOGIN)).toBe(1);
    await scene.context.clock.freeze(HOUR);
    await vault.describe(ref);
    expect(loginBodies()).toMatchObject([{ [field]: 'first' }, { [field]: 'second' }]);
  });

  it('may be in a namespace above that of the entries', async () => {
    allow('approle');
    await (await connect({ ...APPROLE, namespace: 'team' }, { namespace: 'team/prod' })).describe(ref);
    const namespaces = scene.server.seen.map(({ path, headers }) => [path.split('/')[0], headers['x-vault-namespace']]);
    expect(new Set(namespaces.map((each) => each.join(' ')))).toEqual(
      new Set(['auth team', 'sys team/prod', 'secret team/prod']),
    );
  });

  it('is done once for many callers, and goes on where one of them gives up', async () => {
    allow('approle');
    const vault = await connect(APPROLE);
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    scene.server.delay = (request) => (LOGIN.test(request.path) ? held : null);
    const stop = new AbortController();
    const reason = new Error('enough');
    const impatient = vault.describe(ref, {}, stop.signal);
    const others = Array.from({ length: 5 }, () => vault.describe(ref));
    await vi.waitFor(() => expect(scene.server.count('POST', LOGIN)).toBe(1));
    stop.abort(reason);
    await expect(impatient).rejects.toBe(reason);
    release();
    await Promise.all(others);
    expect(scene.server.count('POST', LOGIN)).toBe(1);
  });

  it.each([400, 403])(
    'S1: that is refused (%i) is denied, says what to look at, and shows no secret id',
    async (status) => {
      const canary = hatchCanary();
      scene.server.script = ({ body }) => ({
        status,
        body: JSON.stringify({ errors: [`invalid: ${JSON.stringify(body)}`] }),
      });
      const vault = await connect({ ...APPROLE, secretId: canary.text });
      const error = await failure(vault.describe(ref));
      expect(error).toMatchObject({ fault: 'denied', message: expect.stringContaining('secret id') as string });
      expect(leakIn(error, [canary])).toBeNull();
      expect(leakIn(vault, [canary])).toBeNull();
    },
  );

  it.each([
    [503, '{"errors":["Vault is sealed"]}', 'unavailable'],
    [429, '{"errors":["rate limit quota exceeded"]}', 'throttled'],
    [200, '{"auth":null}', 'malformed'],
    [200, '{"auth":{"client_token":"a\\nb"}}', 'malformed'],
    [302, '', 'unavailable'],
  ])(
    'that is answered with %i %s has the fault %s, and is tried again with the next call',
    async (status, body, fault) => {
      allow('approle');
      const vault = await connect(APPROLE);
      scene.server.script = ({ path }) => (LOGIN.test(path) ? { status, body } : null);
      expect(await failure(vault.describe(ref))).toMatchObject({ fault });
      scene.server.script = () => null;
      await vault.describe(ref);
    },
  );

  it('that is not answered ends in time, for all who wait for it', async () => {
    allow('approle');
    const vault = await connect(APPROLE);
    scene.server.script = ({ path }) => (LOGIN.test(path) ? { hang: true } : null);
    const calls = [vault.describe(ref), vault.read(ref)].map(failure);
    await vi.waitFor(() => expect(scene.server.count('POST', LOGIN)).toBe(1));
    await scene.context.clock.advance(scene.context.timeout);
    for (const call of calls) expect(await call).toMatchObject({ fault: 'unavailable' });
  });

  it('by a file that is not there, or holds no token, is told with its path', async () => {
    const missing = join(scene.folder, 'none');
    const vault = await connect({ method: 'jwt', role: 'rekeyd', tokenFile: missing });
    expect(await failure(vault.describe(ref))).toMatchObject({
      fault: 'unavailable',
      message: expect.stringContaining(`${missing}' cannot be read: unexpected Error ENOENT`) as string,
    });
    const canary = hatchCanary();
    const wrong = await connect({ method: 'jwt', role: 'rekeyd', tokenFile: file('wrong', `a\n${canary.text}`) });
    const error = await failure(wrong.describe(ref));
    expect(error.message).toContain('holds no token');
    expect(leakIn(error, [canary])).toBeNull();
  });
});

describe('options', () => {
  const base = { url: 'https://bao:8200', auth: { method: 'token', token: 't' } };
  const problems = (options: object): string =>
    JSON.stringify(hashicorpVaultType.schema.safeParse({ ...base, ...options }).error?.issues ?? []);

  it('have defaults, and are written in more than one way', () => {
    const options = hashicorpVaultType.schema.parse({ ...base, url: 'https://bao:8200/v1/', mount: '/kv/team/' });
    expect(options).toMatchObject({ url: 'https://bao:8200', mount: 'kv/team', namespace: null, caFile: null });
    expect(hashicorpVaultType.schema.parse(base).mount).toBe('secret');
    const kubernetes = hashicorpVaultType.schema.parse({ ...base, auth: { method: 'kubernetes', role: 'rekeyd' } });
    expect(kubernetes.auth).toMatchObject({
      mount: 'kubernetes',
      tokenFile: '/var/run/secrets/kubernetes.io/serviceaccount/token',
    });
  });

  it.each([
    ['a URL without TLS', { url: 'http://bao:8200' }, /https/],
    ['a URL with a query', { url: 'https://bao:8200/?a=b' }, /query/],
    ['a mount that is none', { mount: 'a//b' }, /parted by/],
    ['a mount with dots', { mount: '../sys' }, /parted by/],
    ['a namespace with a slash at its end', { namespace: 'team/' }, /no \/ at its ends/],
    ['no method', { auth: {} }, /method/],
    ['no token', { auth: { method: 'token' } }, /one of token and file/],
    ['two tokens', { auth: { method: 'token', token: 'a', file: '/b' } }, /one of token and file/],
    ['two secret ids', { auth: { ...APPROLE, secretIdFile: '/b' } }, /only one/],
    ['a file in nobody knows which folder', { auth: { method: 'token', file: 'sink' } }, /absolute/],
    ['an unknown key', { auth: { method: 'token', token: 'a', roel: 'b' } }, /roel/],
  ])('refuse %s', (_, options, message) => {
    expect(problems(options)).toMatch(message);
  });

  it('show no token', () => {
    const canary = hatchCanary();
    expect(
      leakIn(hashicorpVaultType.schema.parse({ ...base, auth: { method: 'token', token: canary.text } }), [canary]),
    ).toBeNull();
  });

  it.each([
    ['is not there', 'none.pem', null],
    ['holds no certificate', 'key.pem', '-----BEGIN PRIVATE KEY-----'],
  ])('name a file with the CA that %s when the vault is opened', async (_, name, text) => {
    const path = text === null ? join(scene.folder, name) : file(name, text);
    await expect(connect({ method: 'token', token: 't' }, { caFile: path })).rejects.toMatchObject({
      code: 'config.invalid',
      message: expect.stringContaining(path) as string,
    });
  });
});
