import { rename, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { configOf, ReloadSite, SHOP } from './reload-site.ts';

let on: ReloadSite;

beforeEach(async () => {
  on = await ReloadSite.open();
});
afterEach(() => on.close());

/** Starts the daemon, and waits until all is well. Its next scan is far: the request finds out what is wrong. */
async function start(): Promise<void> {
  await on.site.configure(configOf({ schedule: '0 0 1 1 *' }));
  await on.start();
  await on.daemon.until(/"event":"rotation-settled"/);
}

/** Has it rotated, and expects the waiting to end before its time. @returns what is said at the end. */
async function rotateInVain(): Promise<string> {
  const { code, err } = await on.site.run(['rotate', SHOP, '--wait', '--timeout', '2m']);
  expect(code, err).toBe(1);
  return err.trimEnd().split('\n').at(-1) ?? '';
}

describe('rotate --wait ends and says why', () => {
  it('where the issuer is down; the daemon does it once the issuer is back', async () => {
    await start();
    on.issuer.faults({ rules: [{ kind: 'unavailable', operations: ['listCredentials', 'listSecrets'] }] });
    expect(await rotateInVain()).toMatch(/^failing \(issuer-failed\): .* 503 .*The daemon goes on trying/);
    on.issuer.faults({});
    const before = await on.served();
    await on.daemon.until(/"event":"rotation-settled"[^]*"event":"rotation-settled"/);
    expect((await on.served()).secretId).not.toBe(before.secretId);
  });

  it('where the only vault is dead', async () => {
    await start();
    await rename(on.site.path('plain'), on.site.path('away'));
    await writeFile(on.site.path('plain'), '');
    expect(await rotateInVain()).toMatch(/^failing \(vault-failed\): Vault 'plain'.*The daemon goes on trying/);
  });
});
