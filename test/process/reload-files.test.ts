import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { configOf, ReloadSite } from './reload-site.ts';
import { settled } from './site.ts';

let on: ReloadSite;

beforeEach(async () => {
  on = await ReloadSite.open();
});
afterEach(() => on.close());

describe('without a signal', () => {
  it('a token whose file is swapped, as a cluster does it: the old one is out, the new one is in', async () => {
    for (const [name, token] of [
      ['..1', 'first-token-0123456789'],
      ['..2', 'other-token-0123456789'],
    ] as const) {
      await mkdir(on.site.path(`mount/${name}`), { recursive: true });
      await writeFile(on.site.path(`mount/${name}/token`), `${token}\n`);
    }
    await symlink('..1', on.site.path('mount/..data'));
    await symlink('..data/token', on.site.path('mount/token'));
    await on.site.configure(
      configOf({ http: ', tokens: [{ name: ci, role: operator, token: "${file:mount/token}" }]' }),
    );
    await on.start();
    const ask = async (token: string): Promise<number> =>
      (await fetch(`${on.url}/v1/status`, { headers: { authorization: `Bearer ${token}` } })).status;
    expect([await ask('first-token-0123456789'), await ask('other-token-0123456789')]).toEqual([200, 401]);
    await symlink('..2', on.site.path('mount/..tmp'));
    await rename(on.site.path('mount/..tmp'), on.site.path('mount/..data'));
    await rm(on.site.path('mount/..1'), { recursive: true });
    const changed = Date.now();
    expect(
      await settled(async () => ((await ask('other-token-0123456789')) === 200 ? [] : ['refused']), 40_000),
    ).toEqual([]);
    expect(Date.now() - changed).toBeLessThan(35_000);
    expect(await ask('first-token-0123456789')).toBe(401);
    expect(on.told('config-reloaded')).toMatchObject([{ trigger: 'files', changed: ['http.tokens'] }]);
    expect(on.daemon.out).not.toMatch(/(first|other)-token/);
  });
});

describe('a token that might be guessed', () => {
  it('works, and is warned of at start and at each reload, and by check, never with its text', async () => {
    const config = (more: string) =>
      configOf({ http: `, tokens: [{ name: ci, role: operator, token: operator-token }${more}]` });
    await on.site.configure(config(''));
    await on.start();
    const headers = { authorization: 'Bearer operator-token' };
    expect((await fetch(`${on.url}/v1/status`, { headers })).status).toBe(200);
    expect(on.told('token-short')).toMatchObject([{ level: 'warn', tokenName: 'ci' }]);
    expect(await on.reload(config(', { name: eyes, role: viewer, token: viewer-token }'))).toBe('config-reloaded');
    expect(on.told('token-short').map((each) => each['tokenName'])).toEqual(['ci', 'ci', 'eyes']);
    const checked = await on.site.run(['check', '--offline']);
    expect(checked.code).toBe(0);
    expect(checked.err.match(/warning: .*/g)).toHaveLength(2);
    expect(on.daemon.out + checked.err).not.toMatch(/(operator|viewer)-token/);
  });
});
