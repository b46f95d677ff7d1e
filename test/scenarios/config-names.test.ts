import { describe, expect, it } from 'vitest';
import type { DeliverSettings } from '../../src/config/settings.ts';
import { DEFAULT_FORMAT } from '../../src/domain/payload.ts';
import { DAY, HOUR, MINUTE } from '../../src/domain/time.ts';
import { markAt, renew, secretIds, servingStage, SHOP, writes } from './scene.ts';
import { DEFAULT_POLICY, ruleFor, Stage } from './stage.ts';

/** Rules that name the entries after the description. */
const byDescription = () => [
  ruleFor(DEFAULT_POLICY, ['a', 'b'], '*', {
    match: { clientId: null, description: ['{app}'] },
    deliver: ['a', 'b'].map((vault): DeliverSettings => ({
      vault,
      name: '{app}',
      format: DEFAULT_FORMAT,
      options: {},
    })),
  }),
];

describe('names that are built from a description', () => {
  it('C6: an edited description does not move the entry: blocked, and freed by putting it back', async () => {
    const stage = new Stage({ rules: byDescription });
    stage.issuer.addCredential('shop', 'till');
    await stage.start();
    await stage.pass(HOUR);
    expect(stage.vault('a').entries()).toEqual(['till']);
    stage.issuer.describeCredential('shop', 'cash');
    await stage.pass(70 * DAY, 5 * DAY);
    expect(await stage.view('shop')).toMatchObject({ state: 'blocked', reason: 'destination-moved' });
    expect(stage.vault('a').entries()).toEqual(['till']);
    expect(stage.issuer.count('createSecret')).toBe(1);
    expect(stage.events('credential-state').map((each) => each.fields['reason'])).toContain('destination-moved');
    stage.issuer.describeCredential('shop', 'till');
    await stage.pass(HOUR);
    expect(markAt(stage, 'a', 'till')).toEqual({ generation: 2, secretId: '2' });
    expect((await stage.view('shop')).state).toBe('grace');
    await stage.pass(16 * DAY, DAY);
    expect(secretIds(stage)).toEqual(['2']);
  });

  it('C6: confirmed by forget: the new names are delivered to, the other old one holds deletions back', async () => {
    const stage = new Stage({ rules: byDescription });
    stage.issuer.addCredential('shop', 'till');
    await stage.start();
    await stage.pass(HOUR);
    stage.issuer.describeCredential('shop', 'cash');
    await stage.pass(HOUR);
    await stage.daemon.forget(SHOP, { vault: 'a', entry: 'till' }, 'test');
    await stage.pass(HOUR);
    expect(markAt(stage, 'a', 'cash')).toEqual(markAt(stage, 'b', 'cash'));
    expect(markAt(stage, 'a', 'cash')).toEqual({ generation: 1, secretId: '1' });
    expect(stage.issuer.count('createSecret')).toBe(1);
    expect((await stage.view('shop')).state).toBe('ok');
    await renew(stage);
    await stage.pass(16 * DAY, DAY);
    expect(secretIds(stage)).toEqual(['1', '2']);
    await stage.daemon.forget(SHOP, { vault: 'b', entry: 'till' }, 'test');
    await stage.pass(15 * DAY, DAY);
    expect(secretIds(stage)).toEqual(['2']);
  });

  it('C6: an edit that moves no name blocks nothing', async () => {
    const stage = await servingStage();
    stage.issuer.describeCredential('shop', 'another text');
    await stage.pass(2 * HOUR);
    expect(await stage.view('shop')).toMatchObject({ state: 'ok', description: 'another text' });
  });

  it('C4: two credentials come to share one destination: both are blocked, the rest goes on, freed when resolved', async () => {
    const stage = new Stage({ rules: byDescription });
    for (const [clientId, description] of [
      ['one', 'till'],
      ['two', 'cash'],
      ['three', 'door'],
    ] as const) {
      stage.issuer.addCredential(clientId, description);
    }
    await stage.start();
    await stage.pass(HOUR);
    stage.issuer.describeCredential('two', 'till');
    await stage.pass(70 * DAY, 5 * DAY);
    for (const clientId of ['one', 'two']) {
      expect(await stage.view(clientId)).toMatchObject({ state: 'blocked', reason: 'destination-shared' });
      expect(stage.issuer.count('createSecret', clientId)).toBe(1);
    }
    expect(stage.issuer.count('createSecret', 'three')).toBe(2);
    stage.issuer.describeCredential('two', 'cash');
    await stage.pass(2 * HOUR, 10 * MINUTE);
    for (const clientId of ['one', 'two']) expect((await stage.view(clientId)).state).toBe('grace');
    expect(markAt(stage, 'a', 'till')?.generation).toBe(2);
  });

  it('C4: a claimant that comes new is blocked, and so is the one that was there, until one is deleted', async () => {
    const stage = new Stage({ rules: byDescription });
    stage.issuer.addCredential('one', 'till');
    await stage.start();
    await stage.pass(HOUR);
    const before = writes(stage, 'a');
    stage.issuer.addCredential('two', 'till');
    await stage.pass(2 * HOUR, 10 * MINUTE);
    for (const clientId of ['one', 'two']) {
      expect(await stage.view(clientId)).toMatchObject({ state: 'blocked', reason: 'destination-shared' });
    }
    expect(stage.issuer.count('createSecret')).toBe(1);
    expect(writes(stage, 'a')).toBe(before);
    stage.issuer.removeCredential('two');
    await stage.pass(2 * HOUR, 10 * MINUTE);
    expect((await stage.view('one')).state).toBe('ok');
    expect(await stage.view('two')).toMatchObject({ state: 'blocked', reason: 'credential-gone' });
  });
});
