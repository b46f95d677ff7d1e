import { describe, expect, it } from 'vitest';
import { markedDescription } from '../../src/domain/marker.ts';
import { DAY, HOUR, MINUTE } from '../../src/domain/time.ts';
import { beforeRenewal, MANY_CREATIONS, passServed, payloadOf, SHORT } from './short-lives.ts';
import { Stage } from './stage.ts';

const SIDES = ['before', 'after'] as const;

describe('a SIGKILL at any call', () => {
  it('P1: of a renewal and the deletion of the old secret', { timeout: 180_000 }, async () => {
    const calls = (await killed(renewal, null)).calls;
    expect(calls).toBeGreaterThan(40);
    for (let at = 0; at < calls; at += 1) {
      for (const side of SIDES) {
        const { stage, where } = await killed(renewal, { at, side });
        await passServed(stage, 'shop', 3 * HOUR, where);
        expect((await stage.view('shop')).state, where).toBe('ok');
        expect(stage.issuer.secrets('shop'), `${where}: the old one is gone, no orphan stays`).toHaveLength(1);
        expect(await newestGeneration(stage), where).toBeLessThanOrEqual(3);
        expect((await stage.rotations('shop')).every(isOver), where).toBe(true);
        stage.crash();
      }
    }
  });

  it(
    'P1: of an adoption, the copy to a destination that lacks it, the takeover of what was adopted, and its deletion',
    { timeout: 180_000 },
    async () => {
      const calls = (await killed(adoption, null)).calls;
      expect(calls).toBeGreaterThan(40);
      for (let at = 0; at < calls; at += 1) {
        for (const side of SIDES) {
          const { stage, where } = await killed(adoption, { at, side });
          await passServed(stage, 'shop', 4 * HOUR, where);
          expect((await stage.view('shop')).state, where).toBe('ok');
          expect(stage.vault('a').peek('shop')?.mark?.generation, where).toBeGreaterThan(0);
          // the one that is served, and the stranger's that no entry named
          expect(
            stage.issuer
              .secrets('shop')
              .map((each) => each.description)
              .filter(isStrangers),
            where,
          ).toHaveLength(1);
          expect(stage.issuer.secrets('shop'), where).toHaveLength(2);
          stage.crash();
        }
      }
    },
  );
});

describe('a SIGKILL between two looks', () => {
  it('P1: after a rotation yielded: the next start looks on at once, and the graces begin', async () => {
    const stage = new Stage({ resync: DAY });
    stage.issuer.addCredential('shop');
    await stage.start();
    await stage.pass(HOUR);
    const restore = stage.vault('b').goDown();
    await stage.daemon.rotate({ issuer: 'data8', clientId: 'shop' }, { note: null, grace: null, actor: 'test' });
    await stage.pass(30 * MINUTE);
    expect((await stage.rotations('shop'))[0]?.state).toBe('delivering');
    restore();
    await deliverNewer(stage, 9);

    stage.onCall = () => {
      if (stage.events('rotation-abandoned').length > 0) stage.crash();
    };
    await stage.pass(3 * HOUR);
    expect(stage.events('rotation-abandoned')).toHaveLength(1);
    stage.onCall = null;
    await stage.start();
    expect((await stage.view('shop')).state).toBe('grace');
    expect((await stage.view('shop')).secrets.filter((each) => each.role === 'superseded')).toHaveLength(2);
  });
});

/** Another ledger's daemon brought a newer generation everywhere. */
async function deliverNewer(stage: Stage, generation: number): Promise<void> {
  const now = stage.clock.now();
  const rotationId = stage.ports.ids.rotationId(now);
  const marker = { instance: 'test', generation, rotationId, destinations: '00000000' };
  const wish = { expires: now + 90 * DAY, description: markedDescription('shop', marker, 200) };
  const { secretId, value } = stage.issuer.addSecret('shop', wish);
  const mark = { instance: 'test', issuer: 'data8', credential: 'shop', generation, secretId, deliveredAt: now };
  for (const vault of stage.vaults.values()) {
    const version = vault.peek('shop')?.version ?? 'absent';
    await vault.deliver({ entry: 'shop', options: {} }, payloadOf('shop', value.reveal(), secretId), mark, version);
  }
}

/** A stage right before what is to be interrupted, with how long that takes. */
type Scene = () => Promise<{ stage: Stage; lasts: number }>;

async function killed(scene: Scene, kill: { at: number; side: 'before' | 'after' } | null) {
  const { stage, lasts } = await scene();
  if (kill !== null) stage.killAt(kill.at, kill.side);
  await stage.start();
  await stage.pass(lasts, 5 * MINUTE);
  const where = kill === null ? 'not killed' : `killed ${kill.side} call ${kill.at}, ${stage.killedIn}`;
  const calls = stage.callCount;
  stage.crash();
  await stage.start();
  return { stage, where, calls };
}

async function renewal() {
  return { stage: await beforeRenewal(MANY_CREATIONS), lasts: HOUR + 20 * MINUTE };
}

async function adoption() {
  const stage = new Stage({ policy: SHORT });
  stage.issuer.addCredential('shop');
  const old = stage.issuer.addSecret('shop', { expires: stage.clock.now() + 3 * HOUR + 20 * MINUTE }, HOUR);
  stage.issuer.addSecret('shop', { description: 'of somebody else' }, HOUR);
  stage.vault('a').putForeign('shop', payloadOf('shop', old.value.reveal(), old.secretId));
  return { stage, lasts: 2 * HOUR };
}

function isStrangers(description: string): boolean {
  return !description.includes('[rekeyd:');
}

function isOver({ state }: { readonly state: string }): boolean {
  return state === 'done' || state === 'abandoned';
}

async function newestGeneration(stage: Stage): Promise<number> {
  return (await stage.rotations('shop'))[0]?.generation ?? 0;
}
