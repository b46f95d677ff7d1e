import { afterEach, describe, expect, it } from 'vitest';
import { VaultError } from '../../../src/domain/errors.ts';
import { SecretValue } from '../../../src/domain/secret-value.ts';
import { openData8 } from './data8-bench.ts';
import type { Data8Bench } from './data8-bench.ts';
import type { Answer } from './stub-server.ts';

const TOKEN = 'POST /connect/token';
const LIST = 'GET /ClientCredential';
const refusal = { status: 400, body: { error: 'invalid_client' } };
const clientSecret = { vault: 'local', entry: 'own' };

let bench: Data8Bench;
afterEach(() => bench.close());

/** A vault whose entry holds `value`, and an issuer that accepts what is in `valid`, and else says `no`. */
async function open(
  state: { value: string | Error; valid: readonly string[]; reads: number },
  no: Answer = refusal,
): Promise<void> {
  bench = await openData8(
    { clientSecret: clientSecret },
    {
      readSecret: (reference) => {
        expect(reference).toEqual({ ...clientSecret, field: 'clientSecret' });
        state.reads += 1;
        return state.value instanceof Error
          ? Promise.reject(state.value)
          : Promise.resolve(SecretValue.of(state.value));
      },
    },
  );
  bench.stub.answer(TOKEN, ({ body }: { body: string }) => {
    const secret = new URLSearchParams(body).get('client_secret') ?? '';
    return state.valid.includes(secret)
      ? { status: 200, body: { access_token: `by-${secret}`, expires_in: 3600 } }
      : no;
  });
  bench.stub.answer(LIST, { status: 200, body: [] });
}

describe('our own secret in a vault', () => {
  it('is read at the first need, and not again while it is accepted', async () => {
    const state = { value: 'one', valid: ['one'], reads: 0 };
    await open(state);
    expect(await bench.issuer.listCredentials()).toEqual([]);
    bench.ports.pass(7_200_000);
    expect(await bench.issuer.listCredentials()).toEqual([]);
    expect(state.reads).toBe(1);
    expect(bench.issuer.ownSecretIsStatic).toBe(false);
  });

  it('is read again where it is refused, and taken up where it has changed', async () => {
    const state = { value: 'one', valid: ['one'], reads: 0 };
    await open(state);
    await bench.issuer.listCredentials();
    Object.assign(state, { value: 'two', valid: ['two'] });
    bench.ports.pass(7_200_000);
    expect(await bench.issuer.listCredentials()).toEqual([]);
    expect(state.reads).toBe(2);
    expect(bench.logged.join()).toContain('client-secret-changed');
  });

  it('is read again where it is refused without a word', async () => {
    const state = { value: 'one', valid: ['one'], reads: 0 };
    await open(state, { status: 401 });
    await bench.issuer.listCredentials();
    Object.assign(state, { value: 'two', valid: ['two'] });
    bench.ports.pass(7_200_000);
    expect(await bench.issuer.listCredentials()).toEqual([]);
    expect(state.reads).toBe(2);
  });

  it('locked out: says what is wrong, where, and what to do', async () => {
    await open({ value: 'dead', valid: [], reads: 0 });
    await expect(bench.issuer.listCredentials()).rejects.toMatchObject({
      code: 'issuer.unauthorized',
      surelyNotApplied: true,
      message:
        "issuer d8: token: the token endpoint refuses our own client me (invalid_client): what is in field 'clientSecret' of entry 'own' in vault 'local' is no secret of it that is valid: make one at the issuer by hand, and put it there; rekeyd then goes on by itself",
    });
    expect(bench.stub.seen(TOKEN)).toHaveLength(1);
    expect(bench.logged.join()).not.toContain('dead');
  });

  it('goes on with the secret that it has where the vault is down', async () => {
    const state: Parameters<typeof open>[0] = { value: 'one', valid: ['one'], reads: 0 };
    await open(state);
    await bench.issuer.listCredentials();
    state.value = new VaultError('unavailable', 'Vault local is down', { vault: 'local' });
    bench.ports.pass(7_200_000);
    expect(await bench.issuer.listCredentials()).toEqual([]);
    expect(state.reads).toBe(1);
  });

  it('cannot be read at the start: an error that says so, and it is tried again', async () => {
    const down = new VaultError('unavailable', 'Vault local is down', { vault: 'local' });
    const state: Parameters<typeof open>[0] = { value: down, valid: ['one'], reads: 0 };
    await open(state);
    await expect(bench.issuer.listCredentials()).rejects.toMatchObject({
      code: 'issuer.unavailable',
      message: expect.stringContaining("in vault 'local', could not be read: Vault local is down") as string,
    });
    state.value = 'one';
    expect(await bench.issuer.listCredentials()).toEqual([]);
  });
});

describe('a secret of our own client is deleted', () => {
  const DELETE = 'DELETE /ClientCredential/me/secrets/7';

  it('by a token that was got with what the vault holds just now', async () => {
    const state = { value: 'one', valid: ['one', 'two'], reads: 0 };
    await open(state);
    await bench.issuer.listCredentials();
    state.value = 'two';
    bench.stub.answer(DELETE, { status: 204, body: '' });
    expect(await bench.issuer.deleteSecret('me', '7')).toBe('deleted');
    expect(bench.stub.seen(DELETE)[0]?.headers['authorization']).toBe('Bearer by-two');
  });

  it('never, where what the vault holds is refused, or cannot be read', async () => {
    const state: Parameters<typeof open>[0] = { value: 'one', valid: ['one'], reads: 0 };
    await open(state);
    await bench.issuer.listCredentials();
    state.value = 'not accepted yet';
    const refused = { code: 'issuer.unauthorized', surelyNotApplied: true };
    await expect(bench.issuer.deleteSecret('me', '7')).rejects.toMatchObject(refused);
    state.value = new VaultError('unavailable', 'Vault local is down', { vault: 'local' });
    const unread = { code: 'issuer.unavailable', surelyNotApplied: true };
    await expect(bench.issuer.deleteSecret('me', '7')).rejects.toMatchObject(unread);
    expect(bench.stub.seen(DELETE)).toHaveLength(0);
  });

  it('of another client: nothing is read for it', async () => {
    const state = { value: 'one', valid: ['one'], reads: 0 };
    await open(state);
    bench.stub.answer('DELETE /ClientCredential/shop/secrets/7', { status: 204, body: '' });
    await bench.issuer.deleteSecret('shop', '7');
    expect(state.reads).toBe(1);
  });
});
