import { describe, expect, it } from 'vitest';
import { DAY, HOUR } from '../../src/domain/time.ts';
import { expectSound, markAt, reconfigure, renew, secretIds, servingStage, SHOP } from './scene.ts';
import { DEFAULT_POLICY, ruleFor } from './stage.ts';
import type { Stage } from './stage.ts';

const onlyA = { rules: [ruleFor(DEFAULT_POLICY, ['a'])] };

type Way = (stage: Stage, meanwhile?: () => Promise<void>) => Promise<void>;

/** How a credential may come to be not looked at for a while. */
const WAYS: Readonly<Record<string, Way>> = {
  'the list lacks it for a while': async (stage, meanwhile) => {
    const truly = stage.issuer.listCredentials.bind(stage.issuer);
    stage.issuer.listCredentials = async () => {
      await truly();
      return [];
    };
    await stage.pass(HOUR);
    expect((await stage.view('shop')).reason).toBe('credential-gone');
    await meanwhile?.();
    stage.issuer.listCredentials = truly;
    await stage.pass(HOUR);
  },
  'a rule says ignore for a while': async (stage, meanwhile) => {
    await reconfigure(stage, { rules: [ruleFor(DEFAULT_POLICY, [], '*', { ignore: true })] });
    await stage.pass(HOUR);
    expect((await stage.view('shop')).state).toBe('ignored');
    await meanwhile?.();
    await reconfigure(stage, onlyA);
    await stage.pass(HOUR);
  },
};

describe.each(Object.entries(WAYS))('a credential that is not looked at: %s', (_name, unwatched) => {
  it('C2, I18: its former destination is remembered, and holds the deletion of what it serves back', async () => {
    const stage = await servingStage();
    await reconfigure(stage, onlyA);
    await renew(stage);
    await stage.pass(15 * DAY, DAY);
    expect(secretIds(stage)).toEqual(['1', '2']);
    const told = stage.events('destination-state').length;
    await unwatched(stage);
    expect(stage.events('destination-state'), 'no news of what nobody looked at').toHaveLength(told);
    await stage.pass(16 * DAY, DAY);
    expect(markAt(stage, 'b')?.secretId).toBe('1');
    await expectSound(stage);
    expect(secretIds(stage)).toEqual(['1', '2']);

    await stage.daemon.forget(SHOP, { vault: 'b', entry: 'shop' }, 'test');
    await stage.pass(15 * DAY, DAY);
    expect(secretIds(stage)).toEqual(['2']);
  });

  it('V19: what somebody rolled back and put right meanwhile is seen: the grace starts anew', async () => {
    const stage = await servingStage();
    await reconfigure(stage, onlyA);
    await stage.daemon.forget(SHOP, { vault: 'b', entry: 'shop' }, 'test');
    await renew(stage);
    await stage.pass(13 * DAY, DAY);
    await unwatched(stage, async () => {
      const { payload, mark } = stage.vault('a').peek('shop') ?? {};
      if (payload == null || mark == null) throw new Error('nothing is served');
      stage.vault('a').rollBack('shop');
      const version = stage.vault('a').peek('shop')?.version ?? '';
      await stage.vault('a').deliver({ entry: 'shop', options: {} }, payload, mark, version);
    });
    await stage.pass(10 * DAY, DAY);
    expect(secretIds(stage)).toEqual(['1', '2']);
    await stage.pass(5 * DAY, DAY);
    expect(secretIds(stage)).toEqual(['2']);
  });
});

describe('a credential that is gone', () => {
  it('I18: its destinations are told as what nobody looks after', async () => {
    const stage = await servingStage();
    stage.issuer.removeCredential('shop');
    await stage.pass(2 * HOUR);
    const { formerDestinations } = await stage.daemon.coverage();
    expect(formerDestinations.map(({ vault, entry }) => [vault, entry])).toEqual([
      ['a', 'shop'],
      ['b', 'shop'],
    ]);
  });
});
