import { describe, expect, it } from 'vitest';
import { DAY, HOUR, MINUTE, SECOND } from '../../src/domain/time.ts';
import type { Duration } from '../../src/domain/time.ts';
import { bulkOf, confirmed, servingMany } from './many.ts';
import { markAt, renew, SHOP, servingStage } from './scene.ts';
import { passServed, SHORT } from './short-lives.ts';
import { Stage } from './stage.ts';

/** A host two days fast, and one whose battery is dead: more than what any secret here has left. */
const AHEAD = [
  ['two days', 2 * DAY],
  ['60 days', 60 * DAY],
] as const;

/** What is stored on a clock that is ahead, and read once it is right. */
describe('P8: a clock that was ahead, and was put right', () => {
  it.each(AHEAD)('by %s: a delivery that failed on it is gone on with', async (_name, ahead) => {
    const stage = await servingStage();
    stage.vault('b').goDown();
    await renew(stage);
    await onClock(stage, ahead, () => stage.pass(HOUR, MINUTE));
    expect((await stage.rotations('shop'))[0]?.state).toBe('delivering');
    stage.vault('b').mend();
    await stage.pass(HOUR);
    expect(markAt(stage, 'b')).toEqual(markAt(stage, 'a'));
    expect((await stage.view('shop')).state).toBe('grace');
  });

  it.each(AHEAD)('by %s: a copy that failed on it is made', async (_name, ahead) => {
    const stage = await servingStage();
    stage.vault('b').remove('shop');
    stage.vault('b').fail({ fault: 'unavailable', operations: ['deliver'] });
    await onClock(stage, ahead, () => stage.pass(HOUR, MINUTE));
    expect((await stage.view('shop')).failures).toBeGreaterThan(0);
    stage.vault('b').mend();
    await stage.pass(HOUR);
    expect(markAt(stage, 'b')).toEqual(markAt(stage, 'a'));
  });

  it.each(AHEAD)('by %s: a renewal that failed on it is made in time, urgent as it is', async (_name, ahead) => {
    const stage = await inVerify();
    await onClock(stage, ahead, () => stage.pass(5 * MINUTE, MINUTE));
    expect(stage.events('rotation-abandoned')).toHaveLength(1);
    stage.issuer.heal();
    await passServed(stage, 'shop', 12 * HOUR);
    expect((await stage.view('shop')).failures).toBe(0);
  });

  it.each(AHEAD)('by %s: whoever asks for a rotation is not sent away until then', async (_name, ahead) => {
    const stage = await servingStage();
    stage.issuer.fault('verify', 'refused', { times: Infinity });
    await renew(stage);
    await onClock(stage, ahead, () => stage.pass(HOUR, MINUTE));
    expect((await stage.view('shop')).failures).toBe(1);
    stage.issuer.heal();
    const { rotationId } = await stage.daemon.rotate(SHOP, { note: null, grace: null, actor: 'test' });
    await stage.pass(HOUR);
    expect((await stage.daemon.rotation(rotationId))?.state).toBe('grace');
  });

  it.each(AHEAD)('by %s: what a process that died on it held is taken over', async (_name, ahead) => {
    const stage = await inVerify();
    await onClock(stage, ahead, async () => {
      await stage.pass(MINUTE / 2, MINUTE / 2);
      stage.crash();
    });
    stage.issuer.heal();
    await stage.start();
    expect((await stage.rotations('shop'))[0]).toMatchObject({ generation: 2, state: 'created' });
    await passServed(stage, 'shop', 12 * HOUR);
    expect((await stage.view('shop')).failures).toBe(0);
  });

  it.each(AHEAD)(
    'by %s, the issuer with it: a creation without an answer is waited for no longer',
    async (_n, ahead) => {
      const stage = await servingStage({ policy: { lifetime: 400 * DAY } });
      stage.clock.jump(ahead);
      stage.issuer.fault('createSecret', 'lost-before');
      const rotationId = await renew(stage);
      expect(stage.events('response-lost')).toHaveLength(1);
      stage.clock.jump(-ahead);
      await stage.pass(HOUR);
      const lost = await stage.daemon.rotation(rotationId);
      expect(lost).toMatchObject({ state: 'abandoned' });
      expect((await stage.daemon.rotation(String(lost?.retriedAs)))?.state).toBe('grace');
    },
  );

  it.each(AHEAD)('by %s: a served secret that was deleted meanwhile is believed gone', async (_name, ahead) => {
    const stage = await servingStage();
    stage.issuer.removeSecret('shop', '1');
    await onClock(stage, ahead, () => stage.pass(HOUR, MINUTE));
    expect(stage.issuer.count('createSecret')).toBe(1);
    await stage.pass(HOUR);
    expect(await stage.allServedAlive('shop')).toBe(true);
  });

  it.each(AHEAD)('by %s: a bulk begins again what failed on it', async (_name, ahead) => {
    const stage = await servingMany(1);
    stage.issuer.fault('verify', 'refused', { times: Infinity });
    const { id } = await confirmed(stage);
    await stage.pass(10 * SECOND, SECOND);
    await onClock(stage, ahead, async () => {
      while (stage.events('rotation-abandoned').length === 0) await stage.pass(SECOND, SECOND);
    });
    stage.issuer.heal();
    await stage.pass(HOUR, MINUTE);
    expect(await bulkOf(stage, id)).toMatchObject({ state: 'finished', counts: { delivered: 1 } });
  });
});

/** The only rotation in flight is the renewal of generation 1, whose successor is not accepted. Three hours are left. */
async function inVerify(): Promise<Stage> {
  const stage = new Stage({ policy: SHORT });
  stage.issuer.addCredential('shop');
  await stage.start();
  await stage.pass(9 * HOUR - 10 * MINUTE, HOUR);
  stage.issuer.fault('verify', 'refused', { times: Infinity });
  while ((await stage.rotations('shop'))[0]?.state !== 'created') await stage.pass(MINUTE / 2, MINUTE / 2);
  return stage;
}

/** This host's clock alone is ahead meanwhile. */
async function onClock(stage: Stage, ahead: Duration, meanwhile: () => Promise<void>): Promise<void> {
  stage.issuer.behaviour.skew = -ahead;
  stage.clock.jump(ahead);
  await meanwhile();
  stage.issuer.behaviour.skew = 0;
  stage.clock.jump(-ahead);
}
