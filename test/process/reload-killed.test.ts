import { randomInt } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { configOf, DUE, ReloadSite, SHOP } from './reload-site.ts';
import { seededRandom } from './seeded-random.ts';
import { pause, settled } from './site.ts';

const SEED = Number(process.env['REKEYD_SEED'] ?? randomInt(2 ** 31));

let on: ReloadSite;

beforeEach(async () => {
  on = await ReloadSite.open();
});
afterEach(() => on.close());

describe('SIGHUP', () => {
  it(
    `killed in the middle of it, again and again: the next start goes on (REKEYD_SEED=${SEED})`,
    { timeout: 240_000 },
    async () => {
      const random = seededRandom(SEED);
      on.issuer.faults({ acceptAfter: 200 });
      const vaults = '  other: { type: directory, path: ./other }\n';
      const both = '{ vault: plain, name: shop.json }, { vault: other, name: shop.json }';
      await on.site.configure(configOf({ policy: DUE }));
      for (let kill = 0; kill < 6; kill += 1) {
        await on.start();
        await pause(random() * 1_500);
        await on.site.configure(configOf({ policy: DUE, ...(kill % 2 === 0 ? { vaults, deliver: both } : {}) }));
        on.daemon.kill('SIGHUP');
        await pause(random() * 150);
        on.daemon.kill('SIGKILL');
        await on.daemon.ended();
        const alive = await on.served().catch(() => null);
        if (alive !== null) expect(on.issuer.accepts(SHOP, alive.clientSecret), `kill ${kill}`).toBe(true);
      }
      await on.site.configure(configOf({ vaults, deliver: both }));
      await on.start();
      const unrest = async (): Promise<string[]> => {
        const one = (await on.site.credentials()).find(({ clientId }) => clientId === SHOP);
        const live = on.issuer
          .truth()
          .filter(
            (each) =>
              each.deleted === null && each.clientId === SHOP && each.description?.includes('[rekeyd:') === true,
          );
        return [
          ...(one?.state === 'ok' ? [] : [`it is ${one?.state}: ${one?.reason}`]),
          ...(live.length === 1 ? [] : [`${live.length} live secrets`]),
        ];
      };
      expect(await settled(unrest, 90_000)).toEqual([]);
      expect(await on.served('other')).toEqual(await on.served());
    },
  );
});
