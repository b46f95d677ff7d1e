import { describe, expect, it } from 'vitest';
import { DAY, HOUR, MINUTE } from '../../../src/domain/time.ts';
import type { Duration } from '../../../src/domain/time.ts';
import { CLIENT, FIRST } from '../scene.ts';
import type { Scene } from '../scene.ts';
import { play, POLICY } from '../scripted.ts';

/** The secret of a generation; null: there is none. */
function generation(scene: Scene, wanted: number) {
  return scene.made().find((each) => each.generation === wanted) ?? null;
}

/** When a vault was put right by a daemon after that. */
function repairedAt(scene: Scene, vault: string, after: Duration): Duration {
  const found = scene.served(vault).find(({ by, at }) => by === 'daemon' && at >= after);
  if (found === undefined) throw new Error(`vault ${vault} was not repaired`);
  return found.at;
}

describe('V18: one destination is down for weeks', () => {
  it('V18, V1: the others get the next generations in time, and it gets the present one when it is back', async () => {
    // generation 1 is everywhere at day 1, generation 2 is due at day 13, generation 3 at day 25
    const [from, to] = [10 * DAY, 31 * DAY];
    const scene = await play({
      length: 40 * DAY,
      script: (it) => it.at(from, () => it.down('b', to - from)),
    });
    expect(scene.made().map((each) => each.generation)).toEqual([1, 2, 3, 4]);
    const served = (vault: string) =>
      scene.served(vault).map(({ secretId }) => scene.secret(secretId ?? '').generation);
    expect(served('a')).toEqual([null, 1, 2, 3, 4]);
    expect(served('b')).toEqual([null, 1, 3, 4]);
    for (const wanted of [2, 3]) {
      const { secretId = '', born = 0 } = generation(scene, wanted) ?? {};
      expect(scene.servedFrom('a', secretId)).toBeLessThan(born + HOUR);
    }
    const third = generation(scene, 3);
    expect(scene.servedFrom('b', third?.secretId ?? '')).toBeLessThan(to + 7 * HOUR);
    // what the lost vault served until then was not deleted before it had ended by itself
    expect(generation(scene, 1)?.deleted).toBeGreaterThan(generation(scene, 1)?.ends ?? Infinity);
    // and generation 2, which it may have got, not before it was seen again
    expect(generation(scene, 2)?.deleted).toBeGreaterThan(to);
  });
});

describe('V2: a crash between a value and its metadata', () => {
  /** Of a write only the value arrives, and its process dies. */
  function tear(it: Scene): void {
    const write = /^d0 a\.deliver /;
    it.force(write, 'crash-before');
    it.force(/^d0 b\.deliver /, 'lost-before');
    it.upon(write, () => {
      const secretId = it.made().at(-1)?.secretId ?? '';
      it.byHand('a', 'only a value is written', (a) => a.editByHand(CLIENT, it.payload(secretId)));
    });
  }

  it.each<[string, number, Duration]>([
    ['the first value is there, without any mark', 1, DAY],
    ["a value is there under its predecessor's mark", 2, 10 * DAY],
  ])('V2: %s', async (_name, torn, from) => {
    const scene = await play({ length: from + 14 * DAY, script: (it) => it.at(from - HOUR, () => tear(it)) });
    expect(scene.served('a').at(torn)).toMatchObject({ secretId: generation(scene, torn)?.secretId, by: 'hand' });
    const next = generation(scene, torn + 1);
    // what nothing can vouch for is replaced everywhere, soon
    expect(next?.born).toBeLessThan((generation(scene, torn)?.born ?? 0) + 2 * HOUR);
    const delivered = Math.max(...['a', 'b'].map((vault) => scene.servedFrom(vault, next?.secretId ?? '')));
    // and goes after its full grace
    const { deleted = null } = generation(scene, torn) ?? {};
    expect(deleted).toBeGreaterThanOrEqual(delivered + POLICY.grace - MINUTE);
    expect(deleted).toBeLessThan(delivered + POLICY.grace + 7 * HOUR);
  });
});

describe('V4: each vault holds another secret at first', () => {
  it('V4: the one that ends first is renewed in time', async () => {
    const scene = await play({
      length: 10 * DAY,
      filled: ['b'],
      script: (it) => {
        const { secretId } = it.world.addSecretByHand(CLIENT, it.world.time.now + 20 * DAY, DAY);
        it.putByHand('a', secretId);
      },
    });
    const [only, ...more] = scene.made();
    expect(more).toEqual([]);
    for (const vault of ['a', 'b']) {
      expect(scene.servedFrom(vault, only?.secretId ?? '')).toBeLessThan(9 * DAY - POLICY.renewBefore + HOUR);
    }
  });
});

describe('V19: a vault is rolled back hours before `deleteAfter`', () => {
  const due = DAY + POLICY.grace;

  it('V19, V14: repaired by the daemon: a full grace from the repair', async () => {
    // to the value that was there before any mark
    const scene = await play({
      length: 12 * DAY,
      script: (it) => it.at(due - 3 * HOUR, () => it.byHand('a', 'rolled back', (a) => a.rollBack(CLIENT))),
    });
    const repaired = repairedAt(scene, 'a', due - 3 * HOUR);
    expect(scene.secret(FIRST).deleted).toBeGreaterThanOrEqual(repaired + POLICY.grace - MINUTE);
    expect(scene.secret(FIRST).deleted).toBeLessThan(repaired + POLICY.grace + 7 * HOUR);
    expect(scene.made()).toHaveLength(1);
  });

  it('V19: and repaired by hand before anybody looked: a full grace from the look', async () => {
    const [back, forth] = [due - 3 * HOUR, due - HOUR];
    const scene = await play({
      length: 12 * DAY,
      script: (it) => {
        it.at(back, () => it.byHand('a', 'rolled back', (a) => a.rollBack(CLIENT)));
        it.at(forth, () => it.byHand('a', 'rolled forth', (a) => a.rollBack(CLIENT)));
      },
    });
    expect(scene.served('a').map(({ secretId }) => secretId)).toEqual([FIRST, '2', FIRST, '2']);
    expect(scene.secret(FIRST).deleted).toBeGreaterThanOrEqual(forth + POLICY.grace - MINUTE);
    expect(scene.secret(FIRST).deleted).toBeLessThan(due + POLICY.grace + 7 * HOUR);
  });

  it('V14, V19: a generation of ours that all vaults are rolled back to outlives the repair by a full grace', async () => {
    // generation 2 is everywhere at day 13
    const back = 13 * DAY + POLICY.grace - 3 * HOUR;
    const scene = await play({
      length: 24 * DAY,
      script: (it) =>
        it.at(back, () => {
          for (const vault of ['a', 'b']) it.byHand(vault, 'rolled back', (found) => found.rollBack(CLIENT));
        }),
    });
    const repaired = Math.max(...['a', 'b'].map((vault) => repairedAt(scene, vault, back)));
    const [first] = scene.made();
    expect(scene.served('a').find(({ by, at }) => by === 'hand' && at >= back)?.secretId).toBe(first?.secretId);
    expect(first?.deleted).toBeGreaterThanOrEqual(repaired + POLICY.grace - MINUTE);
  });
});

describe('V4: a copy takes over an unmarked entry', () => {
  it('V4, V1: in a vault that cannot be read, where the rule says `initial: rotate`', async () => {
    const scene = await play({
      length: 12 * DAY,
      policy: { initial: 'rotate' },
      vaults: [
        { name: 'a', capabilities: {} },
        { name: 'b', capabilities: { readable: false } },
      ],
      script: (it) => {
        // longer than a value stays in memory; meanwhile somebody puts another one there
        it.upon(/^d0 issuer\.updateSecret /, () => {
          it.down('b', 2 * HOUR);
          it.world.time.after(HOUR, () => it.putByHand('b', FIRST));
        });
      },
    });
    const [only, ...more] = scene.made();
    expect(more).toEqual([]);
    expect(scene.served('b').at(-1)?.secretId).toBe(only?.secretId);
    expect(scene.servedFrom('b', only?.secretId ?? '')).toBeGreaterThan(2 * HOUR);
    expect(scene.servedFrom('b', only?.secretId ?? '')).toBeLessThan(9 * HOUR);
  });
});
