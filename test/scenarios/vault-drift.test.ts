import { describe, expect, it } from 'vitest';
import { DAY, HOUR, MINUTE } from '../../src/domain/time.ts';
import { MemoryLedger } from '../../src/ledger/memory.ts';
import type { MemoryVault } from '../../src/vaults/memory.ts';
import type { Stage } from './stage.ts';
import { expectSound, jsonByHand, markAt, renew, secretIds, servingStage, writes } from './scene.ts';

/** The dates that were told for old secrets whose grace starts anew. */
function restarts(stage: Stage): unknown[] {
  return stage.events('grace-restarted').map(({ fields }) => fields['deleteAfter']);
}

/** The third generation is everywhere: what it replaced, and what was in its grace, lives a whole grace from now, and then goes. */
async function expectWholeGrace(stage: Stage): Promise<void> {
  for (const name of ['a', 'b']) expect(markAt(stage, name)).toEqual({ generation: 3, secretId: '3' });
  await stage.pass(13 * DAY, DAY);
  expect(secretIds(stage)).toEqual(['1', '2', '3']);
  await stage.pass(DAY + 2 * HOUR, HOUR);
  expect(secretIds(stage)).toEqual(['3']);
  await expectSound(stage);
}

describe('an entry that somebody changed', () => {
  it('V12: a value that is missing counts as not delivered: it is copied again', async () => {
    const stage = await servingStage();
    stage.vault('b').makeEmpty('shop');
    expect(await stage.allServedAlive('shop')).toBe(false);
    await stage.pass(2 * HOUR);
    expect(stage.issuer.count('createSecret')).toBe(1);
    expect(markAt(stage, 'b')).toEqual({ generation: 1, secretId: '1' });
    expect(stage.events('destination-state').map((each) => each.fields['state'])).toContain('drifted');
    await expectSound(stage);
  });

  it('V12: where no other destination holds it, a new generation is made', async () => {
    const stage = await servingStage({ vaults: ['a'] });
    stage.vault('a').makeEmpty('shop');
    await stage.pass(2 * HOUR);
    expect(markAt(stage, 'a')).toEqual({ generation: 2, secretId: '2' });
    expect(stage.issuer.count('createSecret')).toBe(2);
    await stage.pass(15 * DAY, DAY);
    expect(secretIds(stage)).toEqual(['2']);
    await expectSound(stage);
  });

  it('V12: an empty entry holds the deletion of the old secret back', async () => {
    const stage = await servingStage();
    await renew(stage);
    await stage.pass(13 * DAY, DAY);
    stage.vault('b').makeEmpty('shop');
    stage.vault('b').fail({ fault: 'unavailable', operations: ['deliver'] });
    await stage.pass(5 * DAY, DAY);
    expect(secretIds(stage)).toEqual(['1', '2']);
    expect((await stage.view('shop')).state).toBe('failing');
    stage.vault('b').mend();
    await stage.pass(15 * DAY, DAY);
    expect(secretIds(stage)).toEqual(['2']);
    await expectSound(stage);
  });

  it('V14: rolled back in one vault: told, delivered again, the old secret gets a full grace from then', async () => {
    const stage = await servingStage();
    await renew(stage);
    await stage.pass(10 * DAY, DAY);
    stage.vault('b').rollBack('shop');
    expect(markAt(stage, 'b')).toEqual({ generation: 1, secretId: '1' });
    await stage.pass(2 * HOUR);
    expect(markAt(stage, 'b')).toEqual({ generation: 2, secretId: '2' });
    expect(stage.events('destination-state').map((each) => each.fields['state'])).toContain('behind');
    await stage.pass(13 * DAY, DAY);
    expect(secretIds(stage)).toEqual(['1', '2']);
    await stage.pass(DAY + 2 * HOUR, HOUR);
    expect(secretIds(stage)).toEqual(['2']);
    expect(stage.issuer.count('createSecret')).toBe(2);
    await expectSound(stage);
  });

  it('V14, I17, P5: rolled back in one vault, the newer secret deleted by hand, the ledger lost: a new generation, no loop', async () => {
    const stage = await servingStage();
    await renew(stage);
    stage.vault('b').rollBack('shop');
    stage.issuer.removeSecret('shop', '2');
    await stage.stop();
    stage.ledger = new MemoryLedger();
    await stage.start();
    const before = stage.vault('a').calls.length;
    await stage.pass(2 * HOUR);
    for (const name of ['a', 'b']) expect(markAt(stage, name)).toEqual({ generation: 3, secretId: '3' });
    expect(await stage.allServedAlive('shop')).toBe(true);
    expect(stage.vault('a').calls.length - before).toBeLessThan(60);
    await expectSound(stage);
  });

  it('V14, I17: rolled back and kept so in one vault, the newer secret deleted by hand: replaced at once, and told why', async () => {
    const stage = await servingStage();
    await renew(stage);
    stage.vault('b').rollBack('shop');
    stage.vault('b').fail({ fault: 'denied', operations: ['deliver'] });
    await stage.pass(HOUR);
    stage.issuer.removeSecret('shop', '2');
    await stage.pass(20 * MINUTE, MINUTE);
    expect(markAt(stage, 'a')?.generation).toBe(3);
    expect((await stage.rotations('shop'))[0]).toMatchObject({ generation: 3, reason: 'secret-gone' });
    stage.vault('b').mend();
    await stage.pass(2 * HOUR);
    await expectSound(stage);
  });

  it('V14, I10: rolled back and kept so in one vault, and one list lacks the newer secret: nothing is made for it', async () => {
    const stage = await servingStage();
    await renew(stage);
    stage.vault('b').rollBack('shop');
    stage.vault('b').fail({ fault: 'denied', operations: ['deliver'] });
    await stage.pass(HOUR);
    const truly = stage.issuer.listSecrets.bind(stage.issuer);
    stage.issuer.listSecrets = async (clientId) => (await truly(clientId)).filter((each) => each.secretId !== '2');
    await stage.pass(15 * MINUTE);
    stage.issuer.listSecrets = truly;
    await stage.pass(2 * HOUR);
    expect(stage.issuer.count('createSecret')).toBe(2);
  });

  it('V14: rolled back and kept so: nothing is deleted while anything serves it', async () => {
    const stage = await servingStage();
    await renew(stage);
    stage.vault('b').rollBack('shop');
    stage.vault('b').fail({ fault: 'denied', operations: ['deliver'] });
    await stage.pass(16 * DAY, DAY);
    expect(secretIds(stage)).toEqual(['1', '2']);
    expect((await stage.view('shop')).state).toBe('failing');
    expect((await stage.view('shop')).secrets.find((each) => each.secretId === '1')?.deleteAfter).toBeNull();
    const waits = stage.events('deletion-waiting').map(({ fields }) => [fields['secretId'], fields.reason]);
    expect(waits, 'told once, whatever the number of looks').toEqual([['1', 'still-served']]);
    expect(restarts(stage)).toEqual([null]);
    await expectSound(stage);
  });

  it('V14: rolled back everywhere: a new generation, nothing is deleted early, no rotation is called done before', async () => {
    const stage = await servingStage();
    const second = await renew(stage);
    await stage.pass(DAY, HOUR);
    stage.vault('a').rollBack('shop');
    stage.vault('b').rollBack('shop');
    await stage.pass(2 * HOUR);
    expect(markAt(stage, 'a')).toEqual({ generation: 3, secretId: '3' });
    expect(markAt(stage, 'b')).toEqual({ generation: 3, secretId: '3' });
    expect(secretIds(stage)).toEqual(['1', '2', '3']);
    expect((await stage.daemon.rotation(second))?.state).toBe('grace');
    await stage.pass(13 * DAY, DAY);
    expect(secretIds(stage)).toEqual(['1', '2', '3']);
    await stage.pass(2 * DAY, DAY);
    expect(secretIds(stage)).toEqual(['3']);
    expect((await stage.daemon.rotation(second))?.state).toBe('done');
    await expectSound(stage);
  });

  it('V17: a value that was changed under our mark is drift, not delivered: the true one is copied over it', async () => {
    const stage = await servingStage();
    stage.vault('b').editByHand('shop', jsonByHand('changed-by-hand', '1'));
    await stage.pass(2 * HOUR);
    expect(markAt(stage, 'b')).toEqual({ generation: 1, secretId: '1' });
    expect(stage.issuer.count('createSecret')).toBe(1);
    expect(stage.events('destination-state').map((each) => each.fields['state'])).toContain('drifted');
    await expectSound(stage);
  });

  it('V17: changed under our mark in all vaults: nothing is copied from them, a new generation goes everywhere', async () => {
    const stage = await servingStage();
    stage.vault('a').editByHand('shop', jsonByHand('changed-by-hand', '1'));
    stage.vault('b').editByHand('shop', jsonByHand('changed-by-hand', '1'));
    await stage.pass(2 * HOUR);
    expect(markAt(stage, 'a')).toEqual({ generation: 2, secretId: '2' });
    expect(markAt(stage, 'b')).toEqual({ generation: 2, secretId: '2' });
    await stage.pass(15 * DAY, DAY);
    expect(secretIds(stage)).toEqual(['2']);
    await expectSound(stage);
  });

  it('V17: a changed entry holds deletions back, never a new generation', async () => {
    const stage = await servingStage({ policy: { lifetime: 20 * DAY, renewBefore: 6 * DAY, grace: 3 * DAY } });
    await renew(stage);
    stage.vault('b').editByHand('shop', jsonByHand(stage.issuer.valueOf('shop', '1') ?? '', '1'));
    stage.vault('b').fail({ fault: 'unavailable', operations: ['deliver'] });
    await stage.pass(13 * DAY, DAY);
    expect(secretIds(stage)).toEqual(['1', '2']);
    await stage.pass(2 * DAY, HOUR);
    expect(markAt(stage, 'a')?.generation).toBe(3);
    expect(secretIds(stage)).toEqual(['1', '2', '3']);
    stage.vault('b').mend();
    await stage.pass(4 * DAY, DAY);
    expect(secretIds(stage)).toEqual(['3']);
    await expectSound(stage);
  });

  it('V19: rolled back where no look could see it, and written over by the next generation: the grace starts anew', async () => {
    const stage = await servingStage();
    await renew(stage);
    await stage.pass(14 * DAY - 2 * HOUR, HOUR);
    stage.vault('a').rollBack('shop');
    stage.vault('a').fail({ fault: 'unavailable', operations: ['describe'], times: 1 });
    await stage.daemon.rotate({ issuer: 'data8', clientId: 'shop' }, { note: null, grace: null, actor: 'test' });
    await stage.pass(5 * MINUTE, MINUTE);
    await expectWholeGrace(stage);
  });

  it('V19: rolled back and repaired by hand while the next generation is on its way: the grace starts anew', async () => {
    const stage = await servingStage();
    await renew(stage);
    await stage.pass(14 * DAY - 2 * HOUR, HOUR);
    stage.issuer.behaviour.acceptDelay = 4 * MINUTE;
    await renew(stage);
    expect(stage.issuer.count('createSecret')).toBe(3);
    expect(markAt(stage, 'a')?.generation).toBe(2);
    stage.vault('a').moveBack('shop')();
    await stage.pass(5 * MINUTE, MINUTE);
    await expectWholeGrace(stage);
  });

  it('V19: rolled back hours before the deletion and repaired by rekeyd: the grace starts anew from the repair', async () => {
    const stage = await servingStage();
    await renew(stage);
    await stage.pass(14 * DAY - 5 * HOUR, HOUR);
    stage.vault('a').rollBack('shop');
    await stage.pass(DAY, HOUR);
    expect(markAt(stage, 'a')?.generation).toBe(2);
    expect(restarts(stage)).toEqual([null, expect.stringMatching(/^2030-/)]);
    expect(secretIds(stage)).toEqual(['1', '2']);
    await stage.pass(12 * DAY, DAY);
    expect(secretIds(stage)).toEqual(['1', '2']);
    await stage.pass(2 * DAY, HOUR);
    expect(secretIds(stage)).toEqual(['2']);
    await expectSound(stage);
  });

  it('V19: the one look that saw it could not list the secrets: the grace starts anew all the same', async () => {
    const stage = await servingStage();
    await renew(stage);
    await stage.pass(14 * DAY - 5 * HOUR, HOUR);
    stage.vault('a').rollBack('shop');
    stage.vault('a').rollBack('shop');
    stage.issuer.fault('listSecrets', 503);
    await stage.pass(2 * DAY, HOUR);
    expect(markAt(stage, 'a')?.generation).toBe(2);
    expect(secretIds(stage)).toEqual(['1', '2']);
    await stage.pass(14 * DAY, HOUR);
    expect(secretIds(stage)).toEqual(['2']);
    await expectSound(stage);
  });

  it.each([
    {
      how: 'by writing',
      act: (vault: MemoryVault) => {
        vault.rollBack('shop');
        vault.rollBack('shop');
      },
    },
    // the version is in the end the one that rekeyd wrote: only the revision tells
    { how: 'by moving a stage', act: (vault: MemoryVault) => vault.moveBack('shop')() },
  ])('V19: rolled back and repaired by hand between two looks, $how: the grace starts anew', async ({ act }) => {
    const stage = await servingStage();
    await renew(stage);
    await stage.pass(14 * DAY - 5 * HOUR, HOUR);
    const before = writes(stage, 'a');
    act(stage.vault('a'));
    expect(markAt(stage, 'a')?.generation).toBe(2);
    await stage.pass(DAY, HOUR);
    expect(writes(stage, 'a')).toBe(before);
    expect(restarts(stage)).toHaveLength(1);
    expect(secretIds(stage)).toEqual(['1', '2']);
    await stage.pass(12 * DAY, DAY);
    expect(secretIds(stage)).toEqual(['1', '2']);
    await stage.pass(2 * DAY, HOUR);
    expect(secretIds(stage)).toEqual(['2']);
    await expectSound(stage);
  });
});
