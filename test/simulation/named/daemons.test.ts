import { describe, expect, it } from 'vitest';
import { DAY, HOUR, MINUTE, SECOND } from '../../../src/domain/time.ts';
import { CLIENT, FIRST } from '../scene.ts';
import type { Scene } from '../scene.ts';
import { play, POLICY } from '../scripted.ts';
import type { SimConfig } from '../sim-config.ts';

const TWO_ON_ONE_LEDGER = [
  { ahead: 0, disk: 0 },
  { ahead: 0, disk: 0 },
];
const TWO_LEDGERS = [
  { ahead: 0, disk: 0 },
  { ahead: 0, disk: 1 },
];

/** What a cluster of its own has in its configuration. */
function deliversTo(...vaults: readonly string[]) {
  return (config: SimConfig): SimConfig => ({ ...config, deliver: new Map([[CLIENT, vaults]]) });
}

/** The longest time in which a deleted secret had been served no more is no shorter than its grace. */
function expectFullGraces(scene: Scene): void {
  for (const { deleted, served, ends } of scene.made()) {
    if (deleted === null || served === null || deleted >= (ends ?? 0)) continue;
    expect(deleted - served).toBeGreaterThanOrEqual(POLICY.grace - MINUTE);
  }
}

describe('C5: two clusters with one instance name and different vaults', () => {
  it("C5: each renews what it serves, and leaves the other's secrets to their end", async () => {
    const scene = await play({
      length: 40 * DAY,
      machines: [
        { ahead: 0, disk: 0, own: deliversTo('a') },
        { ahead: 0, disk: 1, own: deliversTo('b') },
      ],
    });
    for (const vault of ['a', 'b']) {
      const generations = scene.served(vault).map(({ secretId }) => scene.secret(secretId ?? '').generation);
      expect(generations.length).toBeGreaterThanOrEqual(3);
      expect(generations).toEqual([...generations].sort((one, other) => (one ?? 0) - (other ?? 0)));
    }
    // no secret is ever given to both
    const ofA = new Set(scene.served('a').map(({ secretId }) => secretId));
    const shared = scene.served('b').filter(({ secretId }) => ofA.has(secretId));
    expect(shared.map(({ secretId }) => secretId)).toEqual([FIRST]);
    expectFullGraces(scene);
  });
});

describe('P6: two ledgers', () => {
  it('P6: that make the same generation agree on the higher secret, and the other one goes after a full grace', async () => {
    const scene = await play({ length: 10 * DAY, machines: TWO_LEDGERS, expires: 5 * DAY });
    const [lower, higher, ...more] = scene.made();
    expect(more).toEqual([]);
    expect([lower?.generation, higher?.generation]).toEqual([1, 1]);
    for (const vault of ['a', 'b']) expect(scene.served(vault).at(-1)?.secretId).toBe(higher?.secretId);
    expect(lower?.deleted).not.toBeNull();
    expect(lower?.deleted).toBeGreaterThanOrEqual((lower?.served ?? lower?.born ?? 0) + POLICY.grace - MINUTE);
    expect(lower?.deleted).toBeLessThan(POLICY.grace + 7 * HOUR);
  });

  it("P6: a delivery that another ledger's daemon retried for minutes counts from the attempt that worked", async () => {
    const retried = 12 * MINUTE;
    const scene = await play({
      length: 20 * DAY,
      machines: TWO_LEDGERS,
      script: (it) => {
        const other = it.installation(1);
        other.isDown = true;
        // generation 2, which the one daemon delivers while the other is away
        it.at(10 * DAY, () => it.upon(/^d0 b\.deliver /, () => it.down('b', retried)));
        it.at(14 * DAY, () => {
          other.isDown = false;
          other.start();
          // only the other one is left to delete what was replaced
          it.installation(0).isDown = true;
          it.installation(0).crash(SECOND);
        });
        it.at(18 * DAY, () => {
          it.installation(0).isDown = false;
          it.installation(0).start();
        });
      },
    });
    const [old, next] = scene.made();
    const [fromA, fromB] = ['a', 'b'].map((vault) => scene.servedFrom(vault, next?.secretId ?? ''));
    expect(fromB).toBeGreaterThan((fromA ?? 0) + 8 * MINUTE);
    expect(scene.made()).toHaveLength(2);
    expect(old?.deleted).toBeGreaterThanOrEqual((fromB ?? 0) + POLICY.grace - MINUTE);
    expect(old?.deleted).toBeLessThan((fromB ?? 0) + POLICY.grace + 6 * HOUR);
  });
});

describe('P7: a frozen owner thaws after its peer took over', () => {
  /** The last of these calls, one after the other, is the one whose answer finds it frozen. */
  const moments = [
    { name: 'with its creation on the way', calls: [/^d0 issuer\.createSecret /], made: 2 },
    {
      name: 'with its delivery recorded',
      calls: [/^d0 issuer\.updateSecret /, /^d0 issuer\.verify /, /^d0 disk\.commit$/, /^d0 disk\.commit$/],
      made: 2,
    },
    { name: 'between its look and its write', calls: [/^d0 issuer\.updateSecret /, /^d0 a\.describe /], made: 2 },
    { name: 'with a write on the way', calls: [/^d0 a\.deliver /], made: 1 },
  ];
  it.each(moments)('P7, P6: $name', async ({ calls, made }) => {
    const scene = await play({
      length: 10 * DAY,
      machines: TWO_ON_ONE_LEDGER,
      script: (it) => it.at(DAY - MINUTE, () => follow(it, calls, (process) => it.freeze(process, 40 * MINUTE))),
    });
    expect(scene.told('rotation-lost')).toHaveLength(1);
    expect(scene.made()).toHaveLength(made);
    const last = scene.made().at(-1);
    for (const vault of ['a', 'b']) {
      expect(scene.served(vault).map(({ secretId }) => secretId)).toEqual([FIRST, last?.secretId]);
    }
    // what the frozen one had made is gone, and what both replaced as well
    expect(scene.secrets().filter(({ deleted }) => deleted === null)).toEqual([last]);
    expect(scene.secret(FIRST).deleted).toBeGreaterThanOrEqual(
      (scene.secret(FIRST).served ?? 0) + POLICY.grace - MINUTE,
    );
  });

  it('P7: an intent that was stored in a freeze creates nothing after it, what was planned on is looked at again', async () => {
    const calls = [/^d0 issuer\.listSecrets /, /^d0 disk\.commit$/, /^d0 disk\.commit$/];
    const scene = await play({
      length: 10 * DAY,
      machines: TWO_LEDGERS,
      script: (it) => it.at(DAY - MINUTE, () => follow(it, calls, (process) => it.freeze(process, 40 * MINUTE))),
    });
    const [, thawed, ...more] = scene.told('rotation-intended');
    expect(more).toEqual([]);
    expect(thawed).toBeGreaterThan(DAY + 30 * MINUTE);
    expect(scene.told('rotation-abandoned')).toHaveLength(1);
    expect(scene.made()).toHaveLength(1);
  });

  it('P7: a proof that was made before a freeze deletes nothing after it', async () => {
    const due = DAY + POLICY.grace;
    const scene = await play({
      length: 14 * DAY,
      script: (it) => {
        const calls = [/^d0 issuer\.listSecrets /, /^d0 disk\.commit$/, /^d0 disk\.commit$/];
        it.at(due, () =>
          follow(it, calls, (process) => {
            it.freeze(process, 40 * MINUTE);
            it.world.time.after(10 * MINUTE, () => it.byHand('a', 'a value is rolled back', (a) => a.rollBack(CLIENT)));
          }),
        );
      },
    });
    const rolledBack = scene.served('a').find(({ by, at }) => by === 'hand' && at > due);
    expect(rolledBack?.secretId).toBe(FIRST);
    const repaired = scene.served('a').find(({ by, at }) => by === 'daemon' && at > (rolledBack?.at ?? 0));
    expect(scene.secret(FIRST).deleted).toBeGreaterThanOrEqual((repaired?.at ?? 0) + POLICY.grace - MINUTE);
    expect(scene.secret(FIRST).deleted).toBeLessThan((repaired?.at ?? 0) + POLICY.grace + 6 * HOUR);
  });
});

/** Waits for calls one after the other, then acts as the last one leaves. */
function follow(scene: Scene, [call, ...more]: readonly RegExp[], act: Parameters<Scene['upon']>[1]): void {
  if (call === undefined) throw new Error('there is no call to wait for');
  scene.upon(call, more.length === 0 ? act : () => follow(scene, more, act));
}
