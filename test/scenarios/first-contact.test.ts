import { describe, expect, it } from 'vitest';
import type { Policy } from '../../src/config/settings.ts';
import { DAY, HOUR, MINUTE } from '../../src/domain/time.ts';
import {
  expectSound,
  jsonByHand,
  markAt,
  reconfigure,
  secretIds,
  stageByHand,
  valueByHand,
  valueOf,
  writes,
} from './scene.ts';
import { ruleFor } from './stage.ts';

const inFormatValue = (policy: Policy) => {
  const rule = ruleFor(policy, ['a']);
  return [{ ...rule, deliver: rule.deliver.map((each) => ({ ...each, format: { kind: 'value' } as const })) }];
};

describe('first contact', () => {
  it('V4: an entry that a token proves is adopted: left as it is, as generation 0, named by its secret id', async () => {
    const stage = stageByHand({ vaults: ['a'] });
    stage.vault('a').putForeign('shop', jsonByHand(valueOf(stage, '1'), '1'));
    await stage.start();
    await stage.pass(10 * DAY, DAY);
    expect(writes(stage, 'a')).toBe(0);
    expect(stage.issuer.count('createSecret')).toBe(0);
    const view = await stage.view('shop');
    expect(view).toMatchObject({ state: 'ok', current: { secretId: '1', generation: 0 } });
    // renewed 30 days before its end
    expect(Date.parse(view.renewAt ?? '')).toBe(Date.UTC(2030, 0, 1) + 70 * DAY);
    await expectSound(stage);
  });

  it('V4: adopted, renewed and taken over: the secret that the entry named goes after the grace, the other is kept', async () => {
    const stage = stageByHand({ vaults: ['a'] });
    stage.vault('a').putForeign('shop', jsonByHand(valueOf(stage, '1'), '1'));
    await stage.start();
    await stage.pass(70 * DAY + HOUR, DAY);
    expect(markAt(stage, 'a')).toEqual({ generation: 1, secretId: '3' });
    expect((await stage.rotations('shop'))[0]).toMatchObject({ reason: 'expiring', supersedes: ['1'], state: 'grace' });
    expect(secretIds(stage)).toEqual(['1', '2', '3']);
    await stage.pass(13 * DAY, DAY);
    expect(secretIds(stage)).toEqual(['1', '2', '3']);
    await stage.pass(DAY, HOUR);
    expect(secretIds(stage)).toEqual(['2', '3']);
    expect((await stage.view('shop')).secrets.find((each) => each.secretId === '2')?.role).toBe('unmanaged');
    await stage.pass(40 * DAY, DAY);
    expect(secretIds(stage)).toContain('2');
    await expectSound(stage, 'shop', ['1']);
  });

  it('V4: the named secret stays where a person gave it another end since: it is not what the ledger recorded', async () => {
    const stage = stageByHand({ vaults: ['a'] });
    stage.vault('a').putForeign('shop', jsonByHand(valueOf(stage, '1'), '1'));
    await stage.start();
    await stage.pass(75 * DAY, DAY);
    expect(markAt(stage, 'a')?.generation).toBe(1);
    stage.issuer.editSecret('shop', '1', { expires: stage.clock.now() + 300 * DAY });
    await stage.pass(20 * DAY, DAY);
    expect(secretIds(stage)).toEqual(['1', '2', '3']);
    const plan = await stage.daemon.plan();
    expect(plan.items.find((each) => each.secretIds.includes('1'))?.reason).toBe('secret-changed');
    await expectSound(stage);
  });

  it('I17: an adopted secret that is deleted by hand is replaced at once', async () => {
    const stage = stageByHand({ vaults: ['a'] });
    stage.vault('a').putForeign('shop', jsonByHand(valueOf(stage, '1'), '1'));
    await stage.start();
    await stage.pass(DAY, HOUR);
    expect((await stage.view('shop')).secrets.find((each) => each.secretId === '1')?.role).toBe('current');
    stage.issuer.removeSecret('shop', '1');
    await stage.pass(2 * HOUR, 10 * MINUTE);
    expect(markAt(stage, 'a')).toEqual({ generation: 1, secretId: '3' });
    expect((await stage.rotations('shop'))[0]?.reason).toBe('secret-gone');
    await expectSound(stage, 'shop', ['1']);
  });

  it('I17: an adopted secret that is deleted by hand while no rule speaks of it is replaced once one does again', async () => {
    const stage = stageByHand({ vaults: ['a'] });
    stage.vault('a').putForeign('shop', jsonByHand(valueOf(stage, '1'), '1'));
    await stage.start();
    await stage.pass(DAY, HOUR);
    const { rules } = stage.settings;
    await reconfigure(stage, { rules: [] });
    await stage.pass(HOUR);
    stage.issuer.removeSecret('shop', '1');
    await stage.pass(2 * DAY, HOUR);
    expect((await stage.view('shop')).secrets.map((each) => each.secretId)).toEqual(['2']);
    await reconfigure(stage, { rules });
    await stage.pass(2 * HOUR, 10 * MINUTE);
    expect(markAt(stage, 'a')).toEqual({ generation: 1, secretId: '3' });
    expect((await stage.rotations('shop'))[0]?.reason).toBe('secret-gone');
    await expectSound(stage, 'shop', ['1']);
  });

  it('I17: an adopted secret that no entry names and that is refused from one day on is replaced', async () => {
    const stage = stageByHand({ vaults: ['a'], rules: inFormatValue });
    stage.vault('a').putForeign('shop', valueByHand(valueOf(stage, '2')));
    await stage.start();
    await stage.pass(DAY, HOUR);
    stage.issuer.removeSecret('shop', '2');
    await stage.pass(2 * HOUR, 10 * MINUTE);
    expect(markAt(stage, 'a')).toEqual({ generation: 1, secretId: '3' });
    expect((await stage.rotations('shop'))[0]?.reason).toBe('secret-gone');
  });

  it('V4: format value names no secret: adopted until the earliest end, taken over then, nothing by hand is deleted', async () => {
    const stage = stageByHand({ vaults: ['a'], rules: inFormatValue });
    stage.vault('a').putForeign('shop', valueByHand(valueOf(stage, '2')));
    await stage.start();
    await stage.pass(69 * DAY, DAY);
    expect(writes(stage, 'a')).toBe(0);
    expect((await stage.view('shop')).current).toMatchObject({ secretId: null, generation: 0 });
    await stage.pass(DAY + HOUR, HOUR);
    expect(markAt(stage, 'a')).toEqual({ generation: 1, secretId: '3' });
    expect(stage.vault('a').peek('shop')?.payload?.content.reveal()).toBe(valueOf(stage, '3'));
    expect((await stage.rotations('shop'))[0]?.supersedes).toEqual([]);
    await stage.pass(50 * DAY, DAY);
    expect(secretIds(stage)).toEqual(expect.arrayContaining(['1', '2', '3']));
  });

  it.each(['value-of-nobody', ''])(
    'V4: an entry that cannot be proven (%j) blocks: nothing is made or written',
    async (value) => {
      const stage = stageByHand();
      stage.vault('a').putForeign('shop', value === '' ? valueByHand('{') : jsonByHand(value, '1'));
      await stage.start();
      await stage.pass(75 * DAY, 5 * DAY);
      expect(stage.issuer.count('createSecret')).toBe(0);
      expect([writes(stage, 'a'), writes(stage, 'b')]).toEqual([0, 0]);
      expect(await stage.view('shop')).toMatchObject({ state: 'blocked', reason: 'entry-foreign' });
      expect(stage.events('credential-state').map((each) => each.fields['reason'])).toContain('entry-foreign');
      const explained = await stage.daemon.explain({ issuer: 'data8', clientId: 'shop' });
      expect(explained.checks.find((each) => each.check === 'entries-ours')?.unblock).toMatch(/initial: rotate/);

      stage.vault('a').putForeign('shop', jsonByHand(valueOf(stage, '2'), '2'));
      await stage.pass(2 * HOUR);
      expect(await stage.view('shop')).toMatchObject({ state: 'ok', current: { secretId: '2' } });
    },
  );

  it('V4: an entry in a vault that cannot be read is not proven: blocked', async () => {
    const stage = stageByHand({ vaults: ['a'], capabilities: { a: { readable: false } } });
    stage.vault('a').putForeign('shop', jsonByHand(valueOf(stage, '1'), '1'));
    await stage.start();
    await stage.pass(DAY, HOUR);
    expect(stage.issuer.count('createSecret')).toBe(0);
    expect(await stage.view('shop')).toMatchObject({ state: 'blocked', reason: 'entry-foreign' });
  });

  it('V4: silence at the token endpoint is neither proof nor refusal: nothing is concluded until it answers', async () => {
    const stage = stageByHand({ vaults: ['a'] });
    stage.vault('a').putForeign('shop', jsonByHand(valueOf(stage, '1'), '1'));
    stage.issuer.fault('verify', 'lost-before', { times: Infinity });
    await stage.start();
    await stage.pass(6 * HOUR, HOUR);
    expect((await stage.view('shop')).state).toBe('failing');
    expect(stage.issuer.count('createSecret')).toBe(0);
    stage.issuer.heal();
    await stage.pass(HOUR);
    expect(await stage.view('shop')).toMatchObject({ state: 'ok', current: { secretId: '1', generation: 0 } });
    expect(writes(stage, 'a')).toBe(0);
  });

  it.each(['adopt', 'rotate'] as const)(
    'V4: an entry with the mark of another installation is never taken (initial: %s)',
    async (initial) => {
      const stage = stageByHand({ vaults: ['a'], policy: { initial } });
      const mark = { instance: 'other', issuer: 'data8', credential: 'shop', generation: 4, secretId: '1' };
      const payload = jsonByHand(valueOf(stage, '1'), '1');
      await stage
        .vault('a')
        .deliver({ entry: 'shop', options: {} }, payload, { ...mark, deliveredAt: stage.clock.now() }, 'absent');
      await stage.start();
      await stage.pass(75 * DAY, 5 * DAY);
      expect(writes(stage, 'a')).toBe(1);
      expect(stage.issuer.count('createSecret')).toBe(0);
      expect(await stage.view('shop')).toMatchObject({ state: 'blocked', reason: 'entry-foreign' });
      await expectSound(stage);
    },
  );

  it('V4: initial rotate takes an entry over at once, proven or not', async () => {
    const stage = stageByHand({ vaults: ['a'], policy: { initial: 'rotate' } });
    stage.vault('a').putForeign('shop', valueByHand('of-somebody-else'));
    await stage.start();
    await stage.pass(HOUR);
    expect(markAt(stage, 'a')).toEqual({ generation: 1, secretId: '3' });
    expect((await stage.rotations('shop'))[0]).toMatchObject({ reason: 'initial', state: 'done', supersedes: [] });
    await stage.pass(20 * DAY, DAY);
    expect(secretIds(stage)).toEqual(['1', '2', '3']);
    expect(stage.issuer.count('createSecret')).toBe(1);
    await expectSound(stage);
  });

  it('an absent destination gets a copy of what another one holds', async () => {
    const stage = stageByHand();
    stage.vault('a').putForeign('shop', jsonByHand(valueOf(stage, '1'), '1'));
    await stage.start();
    await stage.pass(2 * HOUR);
    expect(stage.issuer.count('createSecret')).toBe(0);
    expect(await stage.servedValue('b', 'shop')).toBe(valueOf(stage, '1'));
    expect(writes(stage, 'a')).toBe(0);
    expect((await stage.view('shop')).current).toMatchObject({ secretId: '1', generation: 0 });
    await stage.pass(70 * DAY, DAY);
    expect(markAt(stage, 'a')).toEqual({ generation: 1, secretId: '3' });
    expect(markAt(stage, 'b')).toEqual({ generation: 1, secretId: '3' });
    await stage.pass(15 * DAY, DAY);
    expect(secretIds(stage)).toEqual(['2', '3']);
    await expectSound(stage, 'shop', ['1']);
  });

  it('absent destinations with nothing to copy are due: destination-empty', async () => {
    const stage = stageByHand();
    await stage.start();
    await stage.pass(HOUR);
    expect((await stage.rotations('shop')).map((each) => each.reason)).toEqual(['destination-empty']);
    expect(secretIds(stage)).toEqual(['1', '2', '3']);
    await stage.pass(20 * DAY, DAY);
    expect(secretIds(stage)).toEqual(['1', '2', '3']);
    await expectSound(stage);
  });
});
