import { describe, expect, it } from 'vitest';
import { DAY, HOUR, MINUTE, SECOND } from '../../src/domain/time.ts';
import { MemoryLedger } from '../../src/ledger/memory.ts';
import { expectSound, jsonByHand, markAt, renew, secretIds, servingStage, writes } from './scene.ts';
import { Stage } from './stage.ts';

describe('a vault that is slow to show, or shows nothing', () => {
  it('V13: reading that lags within the bound is waited for', async () => {
    const stage = await servingStage();
    stage.vault('b').setReadLag(4 * SECOND);
    const before = writes(stage, 'b');
    await renew(stage);
    expect(markAt(stage, 'b')?.generation).toBe(2);
    expect(writes(stage, 'b') - before).toBe(1);
    expect((await stage.rotations('shop'))[0]?.state).toBe('grace');
    expect(stage.events('delivery-failed')).toEqual([]);
    await expectSound(stage);
  });

  it('V13: reading that lags beyond it is a failure, until it shows; the value is written once', async () => {
    const stage = await servingStage();
    stage.vault('b').setReadLag(5 * MINUTE);
    await renew(stage);
    expect((await stage.rotations('shop'))[0]?.state).toBe('delivering');
    expect(stage.events('delivery-failed').length).toBeGreaterThan(0);
    await stage.pass(HOUR, 5 * MINUTE);
    expect((await stage.rotations('shop'))[0]?.state).toBe('grace');
    expect(stage.vault('b').history('shop')).toHaveLength(2);
    expect(stage.issuer.count('createSecret')).toBe(2);
    await expectSound(stage);
  });

  it('V15: denied at first contact is not absence: nothing is created', async () => {
    const stage = new Stage();
    stage.issuer.addCredential('shop');
    stage.vault('a').deny();
    stage.vault('b').deny();
    await stage.start();
    await stage.pass(3 * DAY, DAY);
    expect(stage.issuer.count('createSecret')).toBe(0);
    expect((await stage.view('shop')).state).toBe('failing');
    expect((await stage.view('shop')).destinations.map((each) => each.state)).toEqual(['unreachable', 'unreachable']);
    stage.vault('a').mend();
    stage.vault('b').mend();
    await stage.pass(2 * HOUR);
    expect(stage.issuer.count('createSecret')).toBe(1);
    await expectSound(stage);
  });

  it('V15: what a denied vault serves may be what the empty one lacks: nothing is created', async () => {
    const stage = new Stage();
    stage.issuer.addCredential('shop');
    stage.vault('a').deny();
    await stage.start();
    await stage.pass(DAY, 6 * HOUR);
    expect(stage.issuer.count('createSecret')).toBe(0);
    expect(stage.vault('b').entries()).toEqual([]);
    expect((await stage.view('shop')).state).toBe('failing');
  });

  it('V15: denied for weeks: no endless secrets, nothing is deleted', async () => {
    const stage = await servingStage();
    await renew(stage);
    stage.vault('a').deny();
    stage.vault('b').deny();
    await stage.pass(40 * DAY, DAY);
    expect(secretIds(stage)).toEqual(['1', '2']);
    expect(stage.issuer.count('createSecret')).toBe(2);
    expect((await stage.view('shop')).state).toBe('failing');
    stage.vault('a').mend();
    stage.vault('b').mend();
    await expectSound(stage);
  });

  it('V16: nothing changed: nothing is written, for weeks', async () => {
    const stage = await servingStage();
    await stage.pass(2 * HOUR);
    const before = [writes(stage, 'a'), writes(stage, 'b')];
    const puts = stage.issuer.count('updateSecret');
    await stage.pass(30 * DAY, DAY);
    expect([writes(stage, 'a'), writes(stage, 'b')]).toEqual(before);
    expect(stage.issuer.count('updateSecret')).toBe(puts);
    expect(stage.issuer.count('createSecret')).toBe(1);
  });

  it('V16: a restart with a lost ledger writes nothing either', async () => {
    const stage = await servingStage();
    await renew(stage);
    await stage.stop();
    stage.ledger = new MemoryLedger();
    const before = [writes(stage, 'a'), writes(stage, 'b')];
    await stage.start();
    await stage.pass(DAY, HOUR);
    expect([writes(stage, 'a'), writes(stage, 'b')]).toEqual(before);
    expect(stage.issuer.count('createSecret')).toBe(2);
    expect(secretIds(stage)).toEqual(['1', '2']);
    await stage.pass(16 * DAY, DAY);
    expect(secretIds(stage)).toEqual(['2']);
    await expectSound(stage);
  });
});

describe('a vault whose values cannot be read back', () => {
  const capabilities = { b: { readable: false } };

  it('is delivered to, proven by its mark, and retired after', async () => {
    const stage = await servingStage({ capabilities });
    await renew(stage);
    await stage.pass(15 * DAY, DAY);
    expect(markAt(stage, 'b')).toEqual({ generation: 2, secretId: '2' });
    expect(secretIds(stage)).toEqual(['2']);
    expect(stage.vault('b').calls.filter((each) => each.operation === 'read')).toEqual([]);
  });

  it('V17: drift in it is mended from a vault that can be read', async () => {
    const stage = await servingStage({ capabilities });
    stage.vault('b').editByHand('shop', jsonByHand('changed-by-hand', '1'));
    await stage.pass(2 * HOUR);
    expect(markAt(stage, 'b')).toEqual({ generation: 1, secretId: '1' });
    expect(stage.issuer.count('createSecret')).toBe(1);
  });

  it('V17: drift where only it holds the value needs a new generation', async () => {
    const stage = await servingStage({ capabilities });
    stage.vault('a').editByHand('shop', jsonByHand('changed-by-hand', '1'));
    await stage.pass(2 * HOUR);
    expect(markAt(stage, 'a')).toEqual({ generation: 2, secretId: '2' });
    expect(markAt(stage, 'b')).toEqual({ generation: 2, secretId: '2' });
    await stage.pass(15 * DAY, DAY);
    expect(secretIds(stage)).toEqual(['2']);
  });
});
