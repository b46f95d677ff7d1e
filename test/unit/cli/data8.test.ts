import { describe, expect, it } from 'vitest';
import { IssuerError } from '../../../src/domain/errors.ts';
import { SecretValue } from '../../../src/domain/secret-value.ts';
import { DAY } from '../../../src/domain/time.ts';
import type { SecretWish } from '../../../src/issuers/contract.ts';
import { cli, NOON, settingsFor } from './bench.ts';

const secret = { secretId: '7', expires: NOON + 30 * DAY, description: 'by hand' };

describe('data8 credentials', () => {
  it('list, get and create print a table, or JSON', async () => {
    const one = { clientId: 'c1', description: 'CRM\u0007 (prod)' };
    const data8 = {
      listCredentials: async () => [one],
      getCredential: async (clientId: string) => ({ ...one, clientId }),
      createCredential: async (description: string) => ({ clientId: 'new', description }),
    };
    const listed = await cli(['data8', 'credentials', 'list'], { data8 });
    expect(listed).toMatchObject({ code: 0, out: 'CLIENT ID  DESCRIPTION\nc1         CRM\\u0007 (prod)\n' });
    const got = await cli(['data8', 'credentials', 'get', 'c9', '--json'], { data8 });
    expect(JSON.parse(got.out)).toEqual({ ...one, clientId: 'c9' });
    const made = await cli(['data8', 'credentials', 'create', '--description', 'X'], { data8 });
    expect(made.out).toContain('new');
    expect(made.closed).toEqual(['data8 data8']);
  });

  it('update and delete', async () => {
    const calls: unknown[] = [];
    const data8 = {
      updateCredential: async (...args: unknown[]) => void calls.push(args),
      deleteCredential: async (id: string) => (id === 'c1' ? ('deleted' as const) : ('absent' as const)),
    };
    expect((await cli(['data8', 'credentials', 'update', 'c1', '--description', 'X'], { data8 })).code).toBe(0);
    expect(calls).toEqual([['c1', 'X']]);
    expect((await cli(['data8', 'credentials', 'delete', 'c1'], { data8 })).code).toBe(0);
    const gone = await cli(['data8', 'credentials', 'delete', 'c2'], { data8 });
    expect(gone.code).toBe(1);
    expect(gone.err).toContain('nothing was deleted');
  });

  it('wants --issuer where several are configured, and knows only those', async () => {
    const both = { type: 'data8', options: {} };
    const settings = settingsFor({
      issuers: new Map([
        ['a', both],
        ['b', both],
      ]),
    });
    const data8 = { listCredentials: async () => [] };
    const unsaid = await cli(['data8', 'credentials', 'list'], { settings, data8 });
    expect(unsaid.code).toBe(2);
    expect(unsaid.err).toContain('a, b');
    expect((await cli(['data8', 'credentials', 'list', '--issuer', 'c'], { settings, data8 })).code).toBe(2);
    const said = await cli(['data8', 'credentials', 'list', '--issuer', 'b'], { settings, data8 });
    expect(said).toMatchObject({ code: 0, opened: ['data8 b'] });
  });
});

describe('data8 secrets', () => {
  it('create prints the value once, on stdout only', async () => {
    const wishes: SecretWish[] = [];
    const data8 = {
      createSecret: async (_id: string, wish: SecretWish) => {
        wishes.push(wish);
        return { ...secret, ...wish, value: SecretValue.of('the-value') };
      },
    };
    const ran = await cli(['data8', 'secrets', 'create', 'c1', '--expires', '90d', '--description', 'X'], { data8 });
    expect(ran.code).toBe(0);
    expect(ran.out.match(/the-value/g)).toHaveLength(1);
    expect(ran.err).not.toContain('the-value');
    const json = await cli(['data8', 'secrets', 'create', 'c1', '--expires', '2026-07-01T08:00:00', '--json'], {
      data8,
    });
    expect(JSON.parse(json.out)).toMatchObject({ secretId: '7', generatedSecret: 'the-value' });
    await cli(['data8', 'secrets', 'create', 'c1', '--expires', 'never'], { data8 });
    expect(wishes.map((wish) => wish.expires)).toEqual([NOON + 90 * DAY, Date.parse('2026-07-01T08:00:00Z'), null]);
  });

  it('create says which secret to delete where its value could not be written, for nobody gets it again', async () => {
    const data8 = {
      createSecret: async (_id: string, wish: SecretWish) => ({
        ...secret,
        ...wish,
        value: SecretValue.of('the-value'),
      }),
    };
    const ran = await cli(['data8', 'secrets', 'create', 'c1'], { data8, unwritten: true });
    expect(ran).toMatchObject({ code: 1, closed: ['data8 data8'] });
    expect(ran.err).toContain("'rekeyd data8 secrets delete c1 7'");
    expect(ran.err).not.toMatch(/the-value|shown this once/);
  });

  it('I20: update sends the whole secret, for a PUT may replace it', async () => {
    const sent: unknown[] = [];
    const data8 = {
      getSecret: async () => secret,
      updateSecret: async (...args: unknown[]) => void sent.push(args),
    };
    await cli(['data8', 'secrets', 'update', 'c1', '7', '--description', 'new'], { data8 });
    await cli(['data8', 'secrets', 'update', 'c1', '7', '--expires', 'never'], { data8 });
    expect(sent).toEqual([
      ['c1', '7', { expires: secret.expires, description: 'new' }],
      ['c1', '7', { expires: null, description: 'by hand' }],
    ]);
  });

  it('list and delete; an error of the issuer exits 1', async () => {
    const gone = new IssuerError('not-found', 'data8 has no credential c9', { issuer: 'data8', operation: 'x' });
    const data8 = {
      listSecrets: async (id: string) => (id === 'c1' ? [secret] : Promise.reject(gone)),
      deleteSecret: async () => 'deleted' as const,
    };
    const ran = await cli(['data8', 'secrets', 'list', 'c1'], { data8 });
    expect(ran.out).toMatch(/^7 +2026-03-31T12:00:00.000Z +in 30d +by hand$/m);
    expect(await cli(['data8', 'secrets', 'list', 'c9'], { data8 })).toMatchObject({
      code: 1,
      out: '',
      err: 'rekeyd: data8 has no credential c9\n',
      closed: ['data8 data8'],
    });
    expect((await cli(['data8', 'secrets', 'delete', 'c1', '7'], { data8 })).code).toBe(0);
  });
});
