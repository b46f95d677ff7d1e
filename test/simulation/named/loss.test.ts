import { describe, expect, it } from 'vitest';
import { DAY, HOUR, MINUTE } from '../../../src/domain/time.ts';
import { CLIENT, FIRST } from '../scene.ts';
import { play, POLICY } from '../scripted.ts';
import { LIMITS } from '../sim-config.ts';
import type { SimConfig } from '../sim-config.ts';

const THREE = ['a', 'b', 'c'].map((name) => ({ name, capabilities: {} }));

/** From then on no rule names vault c. */
function withoutC(config: SimConfig): SimConfig {
  return { ...config, deliver: new Map([[CLIENT, ['a', 'b']]]) };
}

describe('P5: the ledger is lost in a grace', () => {
  it('P5: what replaced a secret made by hand is known again, and that secret is left alone', async () => {
    // renewed at day 1, its grace would end at day 4
    const scene = await play({ length: 24 * DAY, script: (it) => it.at(2 * DAY, () => it.loseLedger()) });
    expect(scene.secret(FIRST).deleted).toBeNull();
    // nothing is made for nothing: the next one comes when the first ends
    expect(scene.made().map(({ generation }) => generation)).toEqual([1, 2]);
    const [first, second] = scene.made();
    expect(second?.born).toBeGreaterThan((first?.ends ?? 0) - POLICY.renewBefore - HOUR);
  });

  it("P5: a generation of ours keeps its date: counted from its successor's delivery", async () => {
    // generation 2 is delivered at day 13 and some hours, its predecessor's grace ends at day 16
    const scene = await play({ length: 24 * DAY, script: (it) => it.at(14 * DAY, () => it.loseLedger()) });
    const [old, next] = scene.made();
    expect(scene.made()).toHaveLength(2);
    const delivered = Math.max(...['a', 'b'].map((vault) => scene.servedFrom(vault, next?.secretId ?? '')));
    expect(old?.deleted).toBeGreaterThanOrEqual(delivered + POLICY.grace - MINUTE);
    expect(old?.deleted).toBeLessThan(delivered + POLICY.grace + 6 * HOUR);
  });

  it('P5: an old copy of it comes back: what it takes for current is not what is served, and nothing goes early', async () => {
    const scene = await play({
      length: 24 * DAY,
      script: (it) => {
        const { world } = it;
        // from before generation 2 was thought of
        it.at(12 * DAY, () => world.disks[0]?.backUp());
        it.at(14 * DAY, () => {
          it.loseLedger();
          expect(world.disks[0]?.restore(0)).toBe(true);
        });
      },
    });
    const [old, next] = scene.made();
    expect(scene.made()).toHaveLength(2);
    expect(old?.deleted).toBeGreaterThanOrEqual(scene.servedFrom('a', next?.secretId ?? '') + POLICY.grace - MINUTE);
    expect(old?.deleted).toBeLessThan(18 * DAY);
  });
});

describe('C2: the ledger is lost and a destination removed', () => {
  it('C2, P5: what the former destination serves lives until it ends by itself', async () => {
    const scene = await play({
      vaults: THREE,
      length: 24 * DAY,
      script: (it) =>
        it.at(12 * DAY, () => {
          it.loseLedger();
          it.configure('without c', withoutC);
        }),
    });
    const [old] = scene.made();
    expect(scene.served('c').at(-1)?.secretId).toBe(old?.secretId);
    // its marker says that it went to three places, and the new ledger knows of two
    expect(old?.deleted).toBeGreaterThanOrEqual(old?.ends ?? 0);
    expect(old?.deleted).toBeLessThan((old?.ends ?? 0) + DAY);
    expect(scene.made()).toHaveLength(2);
  });

  it('C2: with the ledger whole, a former destination that was emptied is still proven before the deletion', async () => {
    const scene = await play({
      vaults: THREE,
      length: 28 * DAY,
      script: (it) => {
        it.at(12 * DAY, () => it.configure('without c', withoutC));
        it.at(12 * DAY + 8 * HOUR, () => it.byHand('c', 'the entry is deleted', (vault) => vault.remove(CLIENT)));
        // surely absent at every look since; hours before the date somebody fills it again
        it.at(16 * DAY, () => it.putByHand('c', it.made()[0]?.secretId ?? ''));
      },
    });
    const [old, next] = scene.made();
    expect(scene.servedFrom('a', next?.secretId ?? '')).toBeLessThan(14 * DAY);
    expect(old?.deleted).toBeGreaterThanOrEqual(old?.ends ?? 0);
  });

  it('C2: one that stays empty holds nothing back', async () => {
    const scene = await play({
      vaults: THREE,
      length: 28 * DAY,
      script: (it) => {
        it.at(12 * DAY, () => it.configure('without c', withoutC));
        it.at(12 * DAY + 8 * HOUR, () => it.byHand('c', 'the entry is deleted', (vault) => vault.remove(CLIENT)));
      },
    });
    const [old, next] = scene.made();
    const delivered = scene.servedFrom('a', next?.secretId ?? '');
    expect(old?.deleted).toBeGreaterThanOrEqual(delivered + POLICY.grace - MINUTE);
    expect(old?.deleted).toBeLessThan(delivered + POLICY.grace + HOUR);
  });
});

describe('P12: an emptied ledger at each restart of a crash loop', () => {
  it.each([
    // the first two prove what the entries held at first
    ['verify', 3],
    ['updateSecret', 1],
    ['deliver', 1],
  ])('P12: that dies at %s for two days', async (operation, nth) => {
    const scene = await play({
      length: 20 * DAY,
      downtime: 2 * MINUTE,
      // so that it is the budget that holds it
      config: { limits: { ...LIMITS, maxLiveSecrets: 20 } },
      script: (it) => {
        const dies = new RegExp(`\\.${operation} `);
        const dieNext = (): void => {
          if (it.now >= 3 * DAY) return;
          it.force(dies, 'crash-before', nth);
          it.upon(
            dies,
            () => {
              it.loseLedger();
              dieNext();
            },
            nth,
          );
        };
        dieNext();
      },
    });
    const budget = scene.world.config.limits.createsPerDay;
    const loop = scene.made().filter(({ born }) => born < 3 * DAY);
    for (const { born } of loop) {
      const day = loop.filter((each) => each.born > born - DAY && each.born <= born);
      expect(day.length).toBeLessThanOrEqual(budget);
    }
    // the loop did go round
    expect(loop.length).toBeGreaterThan(2);
    // and what it left is gone once it had a day to end
    const served = scene.served('a').at(-1)?.secretId;
    expect(scene.made().filter(({ deleted, secretId }) => deleted === null && secretId !== served)).toEqual([]);
  });
});
