import { describe, expect, it } from 'vitest';
import { DAY, HOUR, MINUTE } from '../../src/domain/time.ts';
import { expectSound, jsonByHand, markAt, renew, secretIds, servingStage, writes } from './scene.ts';

describe('a destination that fails', () => {
  it('V1: a short failure is mended in the same delivery, the others are written once', async () => {
    const stage = await servingStage();
    const before = writes(stage, 'a');
    stage.vault('b').fail({ fault: 'unavailable', operations: ['deliver'], times: 3 });
    await renew(stage);
    expect(markAt(stage, 'a')).toEqual({ generation: 2, secretId: '2' });
    expect(markAt(stage, 'b')).toEqual(markAt(stage, 'a'));
    expect(writes(stage, 'a') - before).toBe(1);
    expect(stage.issuer.count('createSecret')).toBe(2);
    expect(stage.events('delivery-failed').map((each) => each.fields['vault'])).toContain('b');
    await expectSound(stage);
  });

  it('V1: the others proceed, the failed one gets the same value later, the old secret lives until all serve', async () => {
    const stage = await servingStage();
    stage.vault('b').goDown();
    await renew(stage);
    await stage.pass(20 * DAY, DAY);
    expect(markAt(stage, 'a')).toEqual({ generation: 2, secretId: '2' });
    expect(markAt(stage, 'b')).toEqual({ generation: 1, secretId: '1' });
    expect(secretIds(stage)).toEqual(['1', '2']);
    expect((await stage.view('shop')).state).toBe('failing');
    expect(stage.events('delivery-incomplete').length).toBeGreaterThan(0);
    expect((await stage.rotations('shop'))[0]?.state).toBe('delivering');

    stage.vault('b').mend();
    await stage.pass(2 * HOUR);
    expect(markAt(stage, 'b')).toEqual({ generation: 2, secretId: '2' });
    expect(stage.issuer.count('createSecret')).toBe(2);
    expect((await stage.view('shop')).state).toBe('grace');
    expect((await stage.view('shop')).failures).toBe(0);
    await stage.pass(13 * DAY, DAY);
    expect(secretIds(stage)).toEqual(['1', '2']);
    await stage.pass(2 * DAY, DAY);
    expect(secretIds(stage)).toEqual(['2']);
    await expectSound(stage);
  });

  it('V1: is told as failing from its first failure on, and the new secret is shown as pending meanwhile', async () => {
    const stage = await servingStage();
    const lift = stage.vault('b').fail({ fault: 'unavailable', operations: ['deliver'] });
    await renew(stage);
    const told = { state: 'failing', reason: 'vault-failed', failures: 0 };
    const view = await stage.view('shop');
    expect(view).toMatchObject(told);
    expect(view.lastError).toMatch(/^b shop: /);
    const expires = new Date(stage.issuer.secrets('shop')[1]?.expires ?? 0).toISOString();
    expect(view.secrets).toMatchObject([
      { secretId: '1', role: 'current' },
      { secretId: '2', role: 'pending', expires, deleteAfter: null },
    ]);
    const { items } = await stage.daemon.credentials({ state: 'failing' }, 10, null);
    expect(items).toEqual([view]);
    const states = () => stage.events('credential-state').map(({ fields }) => [fields['state'], fields['reason']]);
    expect(states().at(-1)).toEqual(['failing', 'vault-failed']);
    // another process looks: it sees no other state
    expect((await stage.open().once({ limit: null, only: null })).looked).toBe(1);
    expect(await stage.view('shop')).toMatchObject({ ...told, lastError: view.lastError });
    const count = states().length;
    await stage.pass(5 * MINUTE, MINUTE);
    expect(states()).toHaveLength(count);

    lift();
    await stage.pass(2 * MINUTE, MINUTE);
    expect(await stage.view('shop')).toMatchObject({ state: 'grace', failures: 0, lastError: null });
    expect(markAt(stage, 'b')).toEqual({ generation: 2, secretId: '2' });
    await expectSound(stage);
  });

  it('V1: while it is down, the vault is asked at a pace, not in a loop', async () => {
    const stage = await servingStage();
    stage.vault('b').goDown();
    await renew(stage);
    await stage.pass(HOUR);
    const before = stage.vault('b').calls.length;
    await stage.pass(6 * HOUR);
    // the longest pauses are five minutes between looks
    expect(stage.vault('b').calls.length - before).toBeLessThan(6 * 12 * 3);
  });

  it('V2: a crash between two destinations: the second one gets the value read back from the first', async () => {
    const stage = await servingStage();
    const lift = stage.vault('b').fail({ fault: 'unavailable', operations: ['deliver'] });
    await renew(stage);
    expect(markAt(stage, 'a')?.generation).toBe(2);
    stage.crash();
    lift();
    await stage.start();
    await stage.pass(HOUR, 10 * MINUTE);
    expect(markAt(stage, 'b')).toEqual({ generation: 2, secretId: '2' });
    expect(stage.issuer.count('createSecret')).toBe(2);
    await stage.pass(16 * DAY, DAY);
    expect(secretIds(stage)).toEqual(['2']);
    await expectSound(stage);
  });

  it('V2: a crash between two destinations of which the first cannot be read: a new generation everywhere', async () => {
    const stage = await servingStage({ capabilities: { a: { readable: false } } });
    const lift = stage.vault('b').fail({ fault: 'unavailable', operations: ['deliver'] });
    await renew(stage);
    expect(markAt(stage, 'a')?.generation).toBe(2);
    stage.crash();
    lift();
    await stage.start();
    await stage.pass(2 * HOUR, 10 * MINUTE);
    expect(markAt(stage, 'a')).toEqual({ generation: 3, secretId: '3' });
    expect(markAt(stage, 'b')).toEqual({ generation: 3, secretId: '3' });
    // what the first one served meanwhile has its full grace
    expect(secretIds(stage)).toEqual(['1', '2', '3']);
    await stage.pass(13 * DAY, DAY);
    expect(secretIds(stage)).toEqual(['1', '2', '3']);
    await stage.pass(2 * DAY, DAY);
    expect(secretIds(stage)).toEqual(['3']);
    expect((await stage.rotations('shop')).map((each) => each.state)).toEqual(['done', 'abandoned', 'done']);
  });

  it('V2: a crash between value and mark of the only entry: its secret is never taken for a leftover', async () => {
    const stage = await servingStage({ vaults: ['a'] });
    const lift = stage.vault('a').fail({ fault: 'unavailable', operations: ['deliver'] });
    await renew(stage);
    stage.crash();
    lift();
    const value = stage.issuer.valueOf('shop', '2') ?? '';
    stage.vault('a').editByHand('shop', jsonByHand(value, '2'));

    await stage.start();
    await stage.pass(10 * MINUTE, MINUTE);
    expect(secretIds(stage)).toContain('2');
    expect(await stage.allServedAlive('shop')).toBe(true);
    await stage.pass(2 * HOUR, 10 * MINUTE);
    expect(markAt(stage, 'a')).toEqual({ generation: 3, secretId: '3' });
    expect(secretIds(stage)).toContain('2');
    await stage.pass(15 * DAY, DAY);
    expect(secretIds(stage)).toEqual(['3']);
    await expectSound(stage);
  });

  it('V18: one is down for weeks: the others get each generation in time, and it gets the last one when it is back', async () => {
    const policy = { lifetime: 30 * DAY, renewBefore: 10 * DAY, grace: 5 * DAY };
    const stage = await servingStage({ policy, schedule: '*/60 * * * *' });
    stage.vault('b').goDown();
    for (let day = 0; day < 70; day += 1) {
      await stage.pass(DAY, DAY);
      const { secretId = '' } = markAt(stage, 'a') ?? {};
      const expires = stage.issuer.secrets('shop').find((each) => each.secretId === secretId)?.expires ?? 0;
      // renewed in time: never within the last two days of its ten
      expect(expires - stage.clock.now()).toBeGreaterThan(8 * DAY);
    }
    expect(stage.issuer.count('createSecret')).toBeLessThanOrEqual(5);
    expect((await stage.rotations('shop')).filter((each) => each.state === 'abandoned').length).toBeGreaterThan(1);
    expect((await stage.view('shop')).state).toBe('failing');

    stage.vault('b').mend();
    await stage.pass(2 * HOUR);
    expect(markAt(stage, 'b')).toEqual(markAt(stage, 'a'));
    await stage.pass(6 * DAY, DAY);
    expect(secretIds(stage)).toEqual([markAt(stage, 'a')?.secretId]);
    await expectSound(stage);
  });

  it('V18: a manual trigger passes a stuck delivery by', async () => {
    const stage = await servingStage();
    stage.vault('b').goDown();
    const first = await renew(stage);
    await stage.pass(HOUR);
    const second = await renew(stage);
    expect(second).not.toBe(first);
    expect(markAt(stage, 'a')?.generation).toBe(3);
    stage.vault('b').mend();
    await stage.pass(2 * HOUR);
    expect(markAt(stage, 'b')?.generation).toBe(3);
    await stage.pass(15 * DAY, DAY);
    expect(secretIds(stage)).toEqual(['3']);
    expect((await stage.daemon.rotation(first))?.state).toBe('abandoned');
    await expectSound(stage);
  });

  it('V18, P1: a manual trigger passes a delivery by whose process was killed while a destination was down', async () => {
    const stage = await servingStage();
    stage.vault('b').goDown();
    const first = await renew(stage);
    stage.crash();
    await stage.start();
    await stage.pass(HOUR);
    expect((await stage.daemon.rotation(first))?.state).toBe('delivering');
    const second = await renew(stage);
    expect(second).not.toBe(first);
    expect(markAt(stage, 'a')?.generation).toBe(3);
    stage.vault('b').mend();
    await stage.pass(2 * HOUR);
    expect(markAt(stage, 'b')?.generation).toBe(3);
    await expectSound(stage);
  });
});
