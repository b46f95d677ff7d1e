import { describe, expect, it } from 'vitest';
import { DAY, HOUR, MINUTE } from '../../../src/domain/time.ts';
import type { Duration } from '../../../src/domain/time.ts';
import { CLIENT, FIRST } from '../scene.ts';
import type { Scene } from '../scene.ts';
import { play, POLICY } from '../scripted.ts';

/** A person wants another secret at once, and what it replaces gone after an hour. */
function emergency(it: Scene): void {
  it.world.note(`retired ${CLIENT}`); // a grace that is shortened on request
  it.ask('rotate at once', (daemon) =>
    daemon.rotate({ issuer: 'data8', clientId: CLIENT }, { note: 'it leaked', grace: HOUR, actor: 'somebody' }),
  );
}

function settledAt(scene: Scene, secretId: string): Duration {
  return Math.max(...['a', 'b'].map((vault) => scene.servedFrom(vault, secretId)));
}

describe('C1: an emergency rotation during a scheduled one', () => {
  it('C1: while it settles: it is that one, with the shorter grace', async () => {
    const scene = await play({
      length: 8 * DAY,
      script: (it) => it.at(DAY + 2 * MINUTE, () => emergency(it)),
    });
    const [only, ...more] = scene.made();
    expect(more).toEqual([]);
    expect(only?.born).toBeLessThan(DAY + 2 * MINUTE);
    const settled = settledAt(scene, only?.secretId ?? '');
    expect(scene.secret(FIRST).deleted).toBeGreaterThanOrEqual(settled + HOUR - MINUTE);
    expect(scene.secret(FIRST).deleted).toBeLessThan(settled + HOUR + 10 * MINUTE);
  });

  it('V18: while it waits for a vault that is down: it is passed by, and both predecessors go', async () => {
    const scene = await play({
      length: 12 * DAY,
      script: (it) => {
        it.upon(/^d0 issuer\.updateSecret /, () => it.down('b', 12 * HOUR));
        it.at(DAY + 6 * HOUR + 10 * MINUTE, () => emergency(it));
      },
    });
    const [stuck, next, ...more] = scene.made();
    expect(more).toEqual([]);
    expect([stuck?.generation, next?.generation]).toEqual([1, 2]);
    expect(next?.born).toBeLessThan(DAY + 6 * HOUR + 15 * MINUTE);
    expect(scene.servedFrom('a', next?.secretId ?? '')).toBeLessThan(DAY + 7 * HOUR);
    expect(scene.served('b').map(({ secretId }) => secretId)).toEqual([FIRST, next?.secretId]);
    const settled = settledAt(scene, next?.secretId ?? '');
    for (const deleted of [scene.secret(FIRST).deleted, stuck?.deleted]) {
      expect(deleted).toBeGreaterThanOrEqual(settled + HOUR - MINUTE);
      expect(deleted).toBeLessThan(settled + DAY);
    }
  });
});

describe('C1: `grace` is edited in a grace', () => {
  it.each([
    ['shortened', HOUR],
    ['lengthened', 10 * DAY],
  ])('C1: %s: the date that was fixed holds', async (_name, grace) => {
    const scene = await play({
      length: 8 * DAY,
      script: (it) =>
        it.at(2 * DAY, () => it.configure('grace', (config) => ({ ...config, policy: { ...config.policy, grace } }))),
    });
    const settled = settledAt(scene, scene.made()[0]?.secretId ?? '');
    expect(scene.secret(FIRST).deleted).toBeGreaterThanOrEqual(settled + POLICY.grace - MINUTE);
    expect(scene.secret(FIRST).deleted).toBeLessThan(settled + POLICY.grace + 7 * HOUR);
  });
});

describe('C5: `unmanaged: delete` after a change of `instance`', () => {
  const [renamed, freed] = [2 * DAY, 6 * DAY];

  it.each([
    ['its ledger', false],
    ['a new ledger', true],
  ])("C5, V4: with %s: what carries the old name's mark is no stranger's", async (_name, isNew) => {
    const byHand: string[] = [];
    const scene = await play({
      length: 34 * DAY,
      policy: { unmanaged: 'delete' },
      script: (it) => {
        it.at(DAY - HOUR, () => {
          byHand.push(it.world.addSecretByHand(CLIENT, it.world.time.now + 60 * DAY, 0).secretId);
        });
        it.at(renamed, () => {
          if (isNew) it.loseLedger();
          it.configure('another instance', (config) => ({ ...config, instance: 'other' }));
        });
        // by then it has said why it is blocked: a person gives it the entries
        it.at(freed, () => {
          for (const vault of ['a', 'b'])
            it.byHand(vault, 'the mark is taken off', (found) => found.removeMark(CLIENT));
        });
      },
    });
    const blocked = scene.world.timeline.filter(({ at, what, about }) => {
      const when = at - scene.world.plan.start;
      return what === 'credential-state' && when < freed && JSON.stringify(about).includes('entry-foreign');
    });
    expect(blocked).not.toEqual([]);
    expect(scene.secrets().filter(({ deleted }) => deleted !== null && deleted < freed)).toEqual([]);
    const [old, next] = scene.made();
    // one that this ledger made itself goes as ever; of another it is kept to its end, whatever the policy says
    if (isNew) expect(old?.deleted).toBeNull();
    else expect(old?.deleted).toBeGreaterThanOrEqual(settledAt(scene, next?.secretId ?? '') + POLICY.grace - MINUTE);
    // what a person made goes, a full grace after everything is bound
    expect(scene.secret(byHand[0] ?? '').deleted).toBeGreaterThanOrEqual(freed + POLICY.grace - MINUTE);
  });
});
