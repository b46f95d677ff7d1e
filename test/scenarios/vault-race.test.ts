import { describe, expect, it } from 'vitest';
import type { Mark } from '../../src/domain/mark.ts';
import type { Payload } from '../../src/domain/payload.ts';
import { DAY, HOUR, MINUTE, SECOND } from '../../src/domain/time.ts';
import {
  expectSound,
  jsonByHand,
  markAt,
  secretIds,
  secretOfAnother,
  servingStage,
  SHOP,
  untilCall,
  valueByHand,
} from './scene.ts';
import type { Stage } from './stage.ts';

describe('an entry that changes between our read and our write', () => {
  it('V3: equal: another process delivered the same: done, nothing is written a second time', async () => {
    const stage = await racingStage();
    const at = stage.clock.now();
    const value = stage.issuer.valueOf('shop', '2') ?? '';
    await writeAsAnother(stage, { generation: 2, secretId: '2', deliveredAt: at }, jsonByHand(value, '2'));
    await stage.pass(5 * MINUTE, MINUTE);
    // ours, generation 1, and the other process's; none after it
    expect(stage.vault('a').history('shop')).toHaveLength(2);
    expect((await stage.rotations('shop'))[0]?.state).toBe('grace');
    expect(stage.issuer.count('createSecret')).toBe(2);
    await expectSound(stage);
  });

  it('V3: lower: somebody wrote an older one again: ours is written over it', async () => {
    const stage = await racingStage();
    const value = stage.issuer.valueOf('shop', '1') ?? '';
    const older = { generation: 1, secretId: '1', deliveredAt: stage.clock.now() };
    await writeAsAnother(stage, older, jsonByHand(value, '1'));
    await stage.pass(5 * MINUTE, MINUTE);
    expect(markAt(stage, 'a')).toEqual({ generation: 2, secretId: '2' });
    expect(stage.issuer.count('createSecret')).toBe(2);
    expect(stage.events('delivery-failed')).toEqual([]);
    await expectSound(stage);
  });

  it('V3: higher: ours is abandoned, goes through Retire, and the higher one goes everywhere', async () => {
    const stage = await racingStage();
    const theirs = secretOfAnother(stage, 9);
    const value = stage.issuer.valueOf('shop', theirs) ?? '';
    const higher = { generation: 9, secretId: theirs, deliveredAt: stage.clock.now() };
    await writeAsAnother(stage, higher, jsonByHand(value, theirs));
    await stage.pass(2 * HOUR, 10 * MINUTE);
    expect(markAt(stage, 'a')).toEqual({ generation: 9, secretId: theirs });
    expect(markAt(stage, 'b')).toEqual({ generation: 9, secretId: theirs });
    const [ours] = await stage.rotations('shop');
    expect(ours).toMatchObject({ generation: 2, state: 'abandoned' });
    expect(stage.events('delivery-overtaken')).toHaveLength(1);
    expect(stage.events('generation-unknown')).toHaveLength(1);
    expect((await stage.view('shop')).current).toMatchObject({ generation: 9, secretId: theirs });
    await stage.pass(13 * DAY, DAY);
    expect(secretIds(stage)).toEqual(['1', '2', theirs]);
    await stage.pass(2 * DAY, HOUR);
    expect(secretIds(stage)).toEqual([theirs]);
    expect(stage.issuer.count('createSecret')).toBe(2);
    await expectSound(stage);
  });

  it('V3: foreign: an entry that cannot be proven is told and left, the others are served', async () => {
    const stage = await racingStage();
    stage.vault('a').setDelay(0);
    stage.vault('a').putForeign('shop', valueByHand('of-somebody-else'));
    await stage.pass(6 * HOUR, 10 * MINUTE);
    expect(stage.vault('a').peek('shop')?.payload?.content.reveal()).toBe('of-somebody-else');
    expect(markAt(stage, 'b')).toEqual({ generation: 2, secretId: '2' });
    expect(await stage.view('shop')).toMatchObject({ state: 'blocked', reason: 'entry-foreign' });
    expect(stage.events('destination-state').map((each) => each.fields['state'])).toContain('foreign');
    expect(stage.issuer.count('createSecret')).toBe(2);
    await stage.pass(16 * DAY, DAY);
    // it may serve anything: nothing is deleted
    expect(secretIds(stage)).toEqual(['1', '2']);

    stage.vault('a').remove('shop');
    await stage.pass(2 * HOUR);
    expect(markAt(stage, 'a')).toEqual({ generation: 2, secretId: '2' });
    await stage.pass(15 * DAY, DAY);
    expect(secretIds(stage)).toEqual(['2']);
    await expectSound(stage);
  });
});

describe('a vault without compare-and-set', () => {
  it('V3: an older write that lands after ours is seen, and the newer one is delivered again', async () => {
    const stage = await servingStage({ capabilities: { a: { compareAndSet: false } } });
    const old = stage.vault('a').peek('shop');
    await stage.daemon.rotate(SHOP, { note: null, grace: null, actor: 'test' });
    await stage.pass(5 * MINUTE, MINUTE);
    expect(markAt(stage, 'a')?.generation).toBe(2);
    if (old?.payload == null || old.mark === null) throw new Error('nothing was served before');
    const { version = '' } = stage.vault('a').peek('shop') ?? {};
    await stage.vault('a').deliver({ entry: 'shop', options: {} }, old.payload, old.mark, version);
    expect(markAt(stage, 'a')?.generation).toBe(1);
    await stage.pass(2 * HOUR);
    expect(markAt(stage, 'a')).toEqual({ generation: 2, secretId: '2' });
    expect(stage.issuer.count('createSecret')).toBe(2);
    await stage.pass(13 * DAY, DAY);
    expect(secretIds(stage)).toEqual(['1', '2']);
    await stage.pass(2 * DAY, HOUR);
    expect(secretIds(stage)).toEqual(['2']);
    await expectSound(stage);
  });

  it('V3: a write that comes in between is not noticed by the vault, and the order is kept all the same', async () => {
    const stage = await racingStage({ compareAndSet: false });
    const theirs = secretOfAnother(stage, 9);
    const value = stage.issuer.valueOf('shop', theirs) ?? '';
    const higher = { generation: 9, secretId: theirs, deliveredAt: stage.clock.now() };
    await writeAsAnother(stage, higher, jsonByHand(value, theirs));
    await stage.pass(2 * HOUR, 10 * MINUTE);
    // whichever won, both vaults serve the same, and it is alive
    expect(markAt(stage, 'a')).toEqual(markAt(stage, 'b'));
    await expectSound(stage);
    await stage.pass(30 * DAY, DAY);
    await expectSound(stage);
  });
});

/** A stage on which the delivery of generation 2 to vault `a` is on its way: the entry was read, the write did not land. */
async function racingStage(capabilities: { compareAndSet?: boolean } = {}): Promise<Stage> {
  const stage = await servingStage({ capabilities: { a: capabilities } });
  stage.vault('a').setDelay(10 * SECOND);
  await stage.daemon.rotate(SHOP, { note: null, grace: null, actor: 'test' });
  await untilCall(stage, 'a', 'deliver');
  expect(markAt(stage, 'a')).toEqual({ generation: 1, secretId: '1' });
  return stage;
}

/** Another process of this installation gets its write through first. */
async function writeAsAnother(
  stage: Stage,
  of: Pick<Mark, 'generation' | 'secretId' | 'deliveredAt'>,
  payload: Payload,
): Promise<void> {
  const vault = stage.vault('a');
  vault.setDelay(0);
  const mark = { instance: 'test', issuer: 'data8', credential: 'shop', ...of };
  await vault.deliver({ entry: 'shop', options: {} }, payload, mark, vault.peek('shop')?.version ?? '');
}
