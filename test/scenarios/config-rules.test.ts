import { describe, expect, it } from 'vitest';
import { DAY, HOUR, MINUTE } from '../../src/domain/time.ts';
import { MemoryLedger } from '../../src/ledger/memory.ts';
import { expectSound, markAt, reconfigure, renew, secretIds, servingStage, SHOP } from './scene.ts';
import { DEFAULT_POLICY, ruleFor, Stage } from './stage.ts';

const HOURLY = '*/60 * * * *';
const NO_RULES = { rules: [] };
const RULES = { rules: [ruleFor(DEFAULT_POLICY, ['a', 'b'])] };
const SUSPENDED = { rules: [ruleFor(DEFAULT_POLICY, ['a', 'b'], '*', { suspend: true })] };
const asked = { until: null, note: null, actor: 'test' };

describe('a rule that is taken away', () => {
  it('C3: in mid-delivery: what was begun comes to rest, nothing is deleted, nothing new starts', async () => {
    const stage = await servingStage({ schedule: HOURLY });
    stage.vault('b').goDown();
    const rotation = await renew(stage);
    await reconfigure(stage, NO_RULES);
    stage.vault('b').mend();
    await stage.pass(30 * DAY, DAY);
    expect((await stage.view('shop')).state).toBe('unmanaged');
    expect(['grace', 'abandoned']).toContain((await stage.daemon.rotation(rotation))?.state);
    // one serves the new secret, the other the old one: both live
    expect(secretIds(stage)).toEqual(['1', '2']);
    await stage.pass(40 * DAY, 5 * DAY);
    expect(stage.issuer.count('createSecret')).toBe(2);
    expect(secretIds(stage)).toEqual(['1', '2']);
    await expectSound(stage);

    await reconfigure(stage, RULES);
    await stage.pass(2 * HOUR);
    expect(markAt(stage, 'a')).toEqual(markAt(stage, 'b'));
    await stage.pass(16 * DAY, DAY);
    expect(secretIds(stage)).toEqual([markAt(stage, 'a')?.secretId]);
    await expectSound(stage);
  });

  it('C3: in grace: the retirement proceeds at its date, with proof, and nothing new starts', async () => {
    const stage = await servingStage({ schedule: HOURLY });
    const rotation = await renew(stage);
    await stage.pass(5 * DAY, DAY);
    await reconfigure(stage, NO_RULES);
    await stage.pass(8 * DAY, DAY);
    expect(secretIds(stage)).toEqual(['1', '2']);
    await stage.pass(2 * DAY, DAY);
    expect(secretIds(stage)).toEqual(['2']);
    expect((await stage.daemon.rotation(rotation))?.state).toBe('done');
    await stage.pass(60 * DAY, 5 * DAY);
    expect(stage.issuer.count('createSecret')).toBe(2);
    expect(await stage.view('shop')).toMatchObject({ state: 'unmanaged', reason: 'unmanaged' });
    await expectSound(stage);
  });

  it('C3: in grace, while one destination serves the old secret: it stays', async () => {
    const stage = await servingStage({ schedule: HOURLY });
    await renew(stage);
    await reconfigure(stage, NO_RULES);
    stage.vault('b').rollBack('shop');
    await stage.pass(30 * DAY, DAY);
    expect(secretIds(stage)).toEqual(['1', '2']);
    await expectSound(stage);
  });

  it('C3: before anything was delivered: the new secret is brought to rest, the served one stays', async () => {
    const stage = await servingStage({ schedule: HOURLY });
    stage.issuer.fault('verify', 'refused', { times: Infinity });
    await renew(stage);
    expect(secretIds(stage)).toEqual(['1', '2']);
    stage.crash();
    stage.issuer.heal();
    stage.settings = { ...stage.settings, ...NO_RULES };
    await stage.start();
    await stage.pass(2 * DAY, HOUR);
    expect((await stage.rotations('shop'))[0]?.state).toBe('abandoned');
    expect(secretIds(stage)).toEqual(['1']);
    await stage.pass(5 * DAY, DAY);
    expect(stage.issuer.count('createSecret')).toBe(2);
    await expectSound(stage);
  });
});

describe('paused and suspended', () => {
  it.each(['pause', 'suspend'] as const)('C9: for months (%s): nothing changes, it is still looked at', async (how) => {
    const stage = await servingStage({ schedule: HOURLY });
    await renew(stage);
    if (how === 'pause') await stage.daemon.pause(SHOP, asked);
    else await reconfigure(stage, SUSPENDED);
    const looks = stage.issuer.count('listSecrets');
    const writes = stage.issuer.count('updateSecret');
    await stage.pass(80 * DAY, 5 * DAY);
    expect(stage.issuer.count('createSecret')).toBe(2);
    expect(stage.issuer.count('deleteSecret')).toBe(0);
    expect(stage.issuer.count('updateSecret')).toBe(writes);
    expect(stage.issuer.count('listSecrets') - looks).toBeGreaterThan(80);
    const view = await stage.view('shop');
    expect(view.state).toBe('paused');
    expect(view.current?.expires).not.toBeNull();
    await expect(stage.daemon.rotate(SHOP, { note: null, grace: null, actor: 'test' })).rejects.toThrow();

    if (how === 'pause') await stage.daemon.resume(SHOP, 'test');
    else await reconfigure(stage, RULES);
    await stage.pass(HOUR, 10 * MINUTE);
    expect(markAt(stage, 'a')?.generation).toBe(3);
    await expectSound(stage);
  });

  it.each([true, false])('C9: time in pause never shortens a grace (all: %s)', async (all) => {
    const stage = await servingStage({ schedule: HOURLY });
    await renew(stage);
    await stage.pass(4 * DAY, DAY);
    await stage.daemon.pause(all ? null : SHOP, asked);
    await stage.pass(20 * DAY, DAY);
    await stage.daemon.resume(all ? null : SHOP, 'test');
    await stage.pass(9 * DAY, DAY);
    expect(secretIds(stage)).toEqual(['1', '2']);
    await stage.pass(2 * DAY, DAY);
    expect(secretIds(stage)).toEqual(['2']);
    await expectSound(stage);
  });

  it('C9: resuming is paced: no more rotations an hour than the limits say', async () => {
    const stage = new Stage({ limits: { rotationsPerHour: 2 }, schedule: HOURLY });
    const clients = ['one', 'two', 'three', 'four', 'five', 'six'];
    for (const clientId of clients) stage.issuer.addCredential(clientId);
    await stage.start();
    await stage.pass(6 * HOUR, HOUR);
    for (const clientId of clients) expect(stage.issuer.count('createSecret', clientId)).toBe(1);
    await stage.daemon.pause(null, asked);
    await stage.pass(70 * DAY, 5 * DAY);
    expect(stage.issuer.count('createSecret')).toBe(6);
    await stage.daemon.resume(null, 'test');
    await stage.pass(5 * HOUR, HOUR);
    const made = stage.issuer.calls.filter((each) => each.operation === 'createSecret').map((each) => each.at);
    expect(made).toHaveLength(12);
    const third = made.map((at, index) => (made[index + 2] ?? Infinity) - at);
    expect(Math.min(...third)).toBeGreaterThanOrEqual(HOUR);
    for (const clientId of clients) expect(await stage.allServedAlive(clientId)).toBe(true);
  });

  it('C10: a lost ledger loses a pause over the API, and not `suspend: true`', async () => {
    for (const durable of [false, true]) {
      const stage = await servingStage({ schedule: HOURLY });
      await stage.daemon.pause(SHOP, asked);
      if (durable) await reconfigure(stage, SUSPENDED);
      await stage.pass(65 * DAY, 5 * DAY);
      expect(stage.issuer.count('createSecret')).toBe(1);
      await stage.stop();
      stage.ledger = new MemoryLedger();
      await stage.start();
      await stage.pass(DAY, HOUR);
      expect((await stage.view('shop')).state).toBe(durable ? 'paused' : 'grace');
      expect(stage.issuer.count('createSecret')).toBe(durable ? 1 : 2);
      await expectSound(stage);
    }
  });
});
