import { describe, expect, it } from 'vitest';
import { HOUR, MINUTE, SECOND } from '../../src/domain/time.ts';
import { countChanges, eventful, oldestOf } from './eventful.ts';
import { passServed, SHORT } from './short-lives.ts';
import { Stage } from './stage.ts';

describe('mode observe', () => {
  it('changes nothing anywhere, whatever is due, and says what it would do', async () => {
    const stage = await eventful();
    stage.settings = { ...stage.settings, mode: 'observe' };
    const before = countChanges(stage);
    const old = oldestOf(stage, 'in-grace');
    await stage.start();
    await stage.pass(HOUR);
    expect(countChanges(stage)).toEqual(before);
    for (const clientId of ['expiring', 'empty', 'half-empty', 'stripped']) {
      expect((await stage.view(clientId)).reason, clientId).toBe('mode-observe');
    }
    expect((await stage.view('expiring')).state).toBe('due');
    // who asks the plan wants to know what `active` would do
    const planned = (await stage.daemon.plan()).items;
    const act = (clientId: string) => planned.find((each) => each.clientId === clientId)?.action;
    expect([act('expiring'), act('empty'), act('half-empty'), act('stripped')]).toEqual([
      'issue',
      'issue',
      'deliver',
      'restore',
    ]);
    expect(countChanges(stage)).toEqual(before);
    // set active, it does all that it held back
    await stage.stop();
    stage.settings = { ...stage.settings, mode: 'active' };
    await stage.start();
    await stage.pass(MINUTE, 10 * SECOND);
    // at its first scan, and not with the next full looks
    for (const clientId of ['expiring', 'empty', 'half-empty', 'stripped']) {
      expect((await stage.view(clientId)).state, clientId).toMatch(/^(rotating|grace|ok)$/);
    }
    await stage.pass(2 * HOUR);
    expect(await stage.allServedAlive('expiring')).toBe(true);
    expect(await stage.allServedAlive('empty')).toBe(true);
    expect(stage.issuer.secrets('in-grace').map((each) => each.secretId)).not.toContain(old);
  });

  it('in the middle of a rotation: it stays where it is, and is brought to its end by the next active start', async () => {
    const stage = new Stage({ policy: SHORT });
    stage.issuer.addCredential('shop');
    await stage.start();
    await stage.pass(HOUR);
    stage.vault('b').fail({ fault: 'unavailable', operations: ['deliver'] });
    await stage.daemon.rotate({ issuer: 'data8', clientId: 'shop' }, { note: null, grace: null, actor: 'test' });
    await stage.pass(20 * MINUTE, MINUTE);
    expect((await stage.rotations('shop'))[0]?.state).toBe('delivering');
    stage.crash();
    stage.vault('b').mend();
    stage.settings = { ...stage.settings, mode: 'observe' };
    const before = countChanges(stage);
    await stage.start();
    await passServed(stage, 'shop', HOUR);
    expect(countChanges(stage)).toEqual(before);
    stage.crash();
    stage.settings = { ...stage.settings, mode: 'active' };
    await stage.start();
    await passServed(stage, 'shop', 3 * HOUR);
    expect((await stage.view('shop')).state).toBe('ok');
    expect(stage.issuer.secrets('shop')).toHaveLength(1);
    expect(stage.issuer.count('createSecret')).toBe(2);
  });
});

describe('mode no-delete', () => {
  it('renews and delivers, and deletes nothing: the old secrets wait, or end by themselves', async () => {
    const stage = new Stage({ policy: SHORT, mode: 'no-delete' });
    stage.issuer.addCredential('shop');
    await stage.start();
    await stage.pass(HOUR);
    await passServed(stage, 'shop', 30 * HOUR);
    expect(stage.issuer.count('deleteSecret')).toBe(0);
    expect(stage.issuer.count('createSecret')).toBe(4);
    const planned = (await stage.daemon.plan()).items.filter((each) => each.action === 'retire');
    expect(planned.length).toBeGreaterThan(0);
    expect(planned.every((each) => each.reason === 'mode-no-delete')).toBe(true);
    await stage.stop();
    stage.settings = { ...stage.settings, mode: 'active' };
    await stage.start();
    await stage.pass(MINUTE, 10 * SECOND);
    expect(stage.issuer.secrets('shop')).toHaveLength(1);
    await passServed(stage, 'shop', 2 * HOUR);
  });

  it('a leftover of a failed attempt stays too, until the mode is active again', async () => {
    const stage = new Stage({ policy: SHORT, mode: 'no-delete' });
    stage.issuer.addCredential('shop');
    stage.issuer.fault('createSecret', 'applied-and-lost');
    await stage.start();
    await stage.pass(2 * HOUR);
    expect(stage.issuer.everySecret('shop').every((each) => each.deletedAt === null)).toBe(true);
    expect(await stage.allServedAlive('shop')).toBe(true);
    await stage.stop();
    stage.settings = { ...stage.settings, mode: 'active' };
    await stage.start();
    await passServed(stage, 'shop', 2 * HOUR);
    expect(stage.issuer.secrets('shop')).toHaveLength(1);
  });
});
