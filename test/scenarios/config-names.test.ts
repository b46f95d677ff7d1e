import { describe, expect, it } from 'vitest';
import type { DeliverSettings, Rule } from '../../src/config/settings.ts';
import { DEFAULT_FORMAT } from '../../src/domain/payload.ts';
import { DAY, HOUR, MINUTE } from '../../src/domain/time.ts';
import { markAt, reconfigure, renew, secretIds, servingStage, SHOP, writes } from './scene.ts';
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

/** A rule that names the entry after both parts of a description like 'till (prod)'. */
const byBoth = ruleFor(DEFAULT_POLICY, ['a'], '*', {
  match: { clientId: null, description: ['{app} ({env})'] },
  deliver: [{ vault: 'a', name: '{env}/{app}', format: DEFAULT_FORMAT, options: {} }],
});

/** A rule for the text 'till' alone. */
const tillRule = (more: Partial<Rule>) =>
  ruleFor(DEFAULT_POLICY, ['a'], '*', { match: { clientId: null, description: ['till'] }, ...more });

/** What else the rules say of the text 'till'. */
const BETWEEN: readonly (readonly [string, readonly Rule[]])[] = [
  ['no rule matches', []],
  ['a rule ignores', [tillRule({ ignore: true, deliver: [] })]],
];

/** One vault, and a credential described as 'till (prod)', served at prod/till. */
async function tillServed(more: readonly Rule[] = []): Promise<Stage> {
  const stage = new Stage({ vaults: ['a'], rules: () => [byBoth, ...more] });
  stage.issuer.addCredential('shop', 'till (prod)');
  await stage.start();
  await stage.pass(HOUR);
  expect(stage.vault('a').entries()).toEqual(['prod/till']);
  return stage;
}

async function describeAs(stage: Stage, description: string): Promise<void> {
  stage.issuer.describeCredential('shop', description);
  await stage.pass(HOUR);
}

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

  it.each(BETWEEN)('C6: nor does an edit by way of a text that %s, until it is confirmed', async (_, more) => {
    const stage = await tillServed(more);
    await describeAs(stage, 'till');
    await describeAs(stage, 'tills (prod)');
    expect(await stage.view('shop')).toMatchObject({ state: 'blocked', reason: 'destination-moved' });
    await stage.pass(70 * DAY, 5 * DAY);
    expect(stage.vault('a').entries()).toEqual(['prod/till']);
    expect(stage.issuer.count('createSecret')).toBe(1);
    await stage.daemon.forget(SHOP, { vault: 'a', entry: 'prod/till' }, 'test');
    await stage.pass(HOUR);
    expect(markAt(stage, 'a', 'prod/tills')).toMatchObject({ generation: 2 });
    expect((await stage.view('shop')).state).toBe('grace');
  });

  it('C6: is confirmed also while the credential is paused, and only what is moved', async () => {
    const stage = await tillServed();
    await stage.daemon.pause(SHOP, { until: null, note: null, actor: 'test' });
    await stage.pass(MINUTE, MINUTE);
    const old = { vault: 'a', entry: 'prod/till' };
    await expect(stage.daemon.forget(SHOP, old, 'test')).rejects.toMatchObject({ kind: 'conflict' });
    await describeAs(stage, 'tills (prod)');
    expect((await stage.view('shop')).reason).toBe('paused');
    await stage.daemon.forget(SHOP, old, 'test');
    await stage.daemon.resume(SHOP, 'test');
    await stage.pass(HOUR);
    expect(markAt(stage, 'a', 'prod/tills')).toMatchObject({ generation: 2 });
  });

  it.each(BETWEEN)('C6: a text that %s, and back again, blocks nothing', async (_, more) => {
    const stage = await tillServed(more);
    await describeAs(stage, 'till');
    await describeAs(stage, 'till (prod)');
    expect(await stage.view('shop')).toMatchObject({ state: 'ok', description: 'till (prod)' });
    await stage.pass(70 * DAY, 5 * DAY);
    expect(markAt(stage, 'a', 'prod/till')).toMatchObject({ generation: 2 });
  });

  it('C6: a new rule for a text that none matched is blocked where it gives another name, and only there', async () => {
    const stage = await tillServed();
    await describeAs(stage, 'till');
    expect((await stage.view('shop')).state).toBe('unmanaged');
    const naming = (name: string) => ({
      rules: [byBoth, tillRule({ deliver: [{ vault: 'a', name, format: DEFAULT_FORMAT, options: {} }] })],
    });
    await reconfigure(stage, naming('other'));
    await stage.pass(HOUR);
    expect(await stage.view('shop')).toMatchObject({ state: 'blocked', reason: 'destination-moved' });
    await reconfigure(stage, naming('prod/till'));
    await stage.pass(HOUR);
    expect((await stage.view('shop')).state).toBe('ok');
    expect(stage.vault('a').entries()).toEqual(['prod/till']);
  });

  it('C6: a rule that is taken away and put back blocks nothing', async () => {
    const stage = await tillServed();
    await reconfigure(stage, { rules: [] });
    await stage.pass(HOUR);
    expect((await stage.view('shop')).state).toBe('unmanaged');
    await reconfigure(stage, { rules: [byBoth] });
    await stage.pass(HOUR);
    expect((await stage.view('shop')).state).toBe('ok');
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
