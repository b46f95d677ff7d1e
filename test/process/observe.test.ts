import { readdir } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { configOf, ReloadSite, SHOP } from './reload-site.ts';

let on: ReloadSite;

beforeEach(async () => {
  on = await ReloadSite.open();
});
afterEach(() => on.close());

const written = {
  vaults: '  local: { type: file, path: ./vault, key: ./vault.key }\n',
  deliver: '{ vault: plain, name: shop.json }, { vault: local, name: shop }',
};

/** What is in the installation's folder, less what is the daemon's own: ledger and socket. */
async function left(): Promise<string[]> {
  const names = await readdir(on.site.folder);
  return names.filter((name) => !/^rekeyd\.(db|sock)/.test(name));
}

describe('mode observe changes nothing anywhere', () => {
  it('once: neither at the issuer nor where the vaults are to be', async () => {
    await on.site.configure(configOf({ ...written, mode: 'observe' }));
    const ran = await on.site.run(['once']);
    expect(ran.code, ran.err).toBe(0);
    expect(ran.out).toMatch(/acted on 0, unwell 0/);
    expect(await left()).toEqual(['rekeyd.yaml']);
    expect(on.issuer.truth().filter((each) => each.description?.includes('[rekeyd:') === true)).toEqual([]);
  });

  it('run: likewise, until a reload makes it active, which opens the vaults to write', async () => {
    await on.site.configure(configOf({ ...written, mode: 'observe' }));
    await on.start();
    await on.daemon.until(/"event":"scan-finished"/);
    expect(await left()).toEqual(['rekeyd.yaml']);

    expect(await on.reload(configOf(written))).toBe('config-reloaded');
    await on.daemon.until(/"event":"rotation-settled"/);
    expect(on.issuer.accepts(SHOP, (await on.served()).clientSecret)).toBe(true);
    expect((await left()).sort()).toEqual(['plain', 'rekeyd.yaml', 'vault', 'vault.key']);
  });
});
