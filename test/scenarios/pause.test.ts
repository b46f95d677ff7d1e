import { describe, expect, it } from 'vitest';
import { DAY, HOUR, MINUTE, SECOND } from '../../src/domain/time.ts';
import { deletedAfter, pause, settled, untilState } from './pause-scene.ts';
import { SHOP } from './scene.ts';
import { passServed, SHORT } from './short-lives.ts';
import { ruleFor, Stage } from './stage.ts';

/** Over one credential, or over all. */
const REACHES = [
  ['one', SHOP],
  ['all', null],
] as const;

describe.each(REACHES)('a pause of %s', (_name, key) => {
  it('stops new rotations; resumed, what is due goes on', async () => {
    const stage = await settled();
    await stage.daemon.pause(key, pause());
    await passServed(stage, 'shop', 10 * HOUR);
    expect(stage.issuer.count('createSecret')).toBe(1);
    const view = await stage.view('shop');
    expect([view.state, view.reason]).toEqual(['paused', 'paused']);
    // watched all the while: its expiry is still told
    expect(view.current?.expires).not.toBeNull();
    await stage.daemon.resume(key, 'test');
    await passServed(stage, 'shop', HOUR / 2);
    expect(stage.issuer.count('createSecret')).toBe(2);
    expect((await stage.view('shop')).state).toBe('grace');
  });

  it('in flight, before anything is delivered: the secret is deleted and the rotation abandoned', async () => {
    const stage = await settled();
    stage.issuer.behaviour.acceptDelay = 50 * SECOND;
    await untilState(stage, 'rotating');
    expect(stage.issuer.secrets('shop')).toHaveLength(2);
    await stage.daemon.pause(key, pause());
    await passServed(stage, 'shop', 2 * MINUTE, '', MINUTE);
    expect(stage.issuer.secrets('shop')).toHaveLength(1);
    expect((await stage.rotations('shop'))[0]).toMatchObject({ state: 'abandoned', deliveredAt: null });
    const view = await stage.view('shop');
    expect([view.state, view.failures]).toEqual(['paused', 0]);
    await passServed(stage, 'shop', 2 * HOUR);
    expect(stage.issuer.count('createSecret')).toBe(2);
    await stage.daemon.resume(key, 'test');
    await passServed(stage, 'shop', HOUR / 2);
    expect((await stage.view('shop')).state).toBe('grace');
  });

  it('in flight: what failed before stays what is told as the last failure', async () => {
    const stage = await settled();
    stage.issuer.fault('createSecret', 403);
    const ask = () => stage.daemon.rotate(SHOP, { note: null, grace: null, actor: 'test' });
    await ask();
    await passServed(stage, 'shop', MINUTE, '', MINUTE);
    const failed = { failures: 1, lastError: (await stage.view('shop')).lastError };
    expect(failed.lastError).toContain('403');
    stage.issuer.behaviour.acceptDelay = 50 * SECOND;
    await ask();
    await passServed(stage, 'shop', 10 * SECOND, '', SECOND);
    await stage.daemon.pause(key, pause());
    await passServed(stage, 'shop', 2 * MINUTE, '', MINUTE);
    expect((await stage.rotations('shop'))[0]).toMatchObject({
      state: 'abandoned',
      error: expect.stringContaining('paused') as string,
    });
    await stage.daemon.resume(key, 'test');
    await passServed(stage, 'shop', MINUTE, '', MINUTE);
    expect(await stage.view('shop')).toMatchObject({ state: 'ok', ...failed });
  });

  it('in flight, once delivering: it is finished', async () => {
    const stage = await settled();
    const lift = stage.vault('b').fail({ fault: 'unavailable', operations: ['deliver'] });
    await untilState(stage, 'rotating');
    await stage.pass(30 * SECOND, 10 * SECOND);
    expect((await stage.rotations('shop'))[0]?.state).toBe('delivering');
    await stage.daemon.pause(key, pause());
    await passServed(stage, 'shop', 30 * MINUTE);
    lift();
    await passServed(stage, 'shop', HOUR);
    expect(stage.vault('b').peek('shop')?.mark?.generation).toBe(2);
    const [rotation] = await stage.rotations('shop');
    expect(rotation?.state).toBe('grace');
    await passServed(stage, 'shop', 2 * HOUR);
    expect(stage.issuer.secrets('shop'), 'nothing superseded is deleted in a pause').toHaveLength(2);
    await stage.daemon.resume(key, 'test');
    await passServed(stage, 'shop', 2 * HOUR);
    expect(stage.issuer.secrets('shop')).toHaveLength(1);
  });

  it('never shortens a grace: its time does not count', async () => {
    const stage = await settled();
    await untilState(stage, 'grace');
    const settledAt = Date.parse(String((await stage.rotations('shop'))[0]?.deliveredAt));
    await passServed(stage, 'shop', 20 * MINUTE);
    const from = stage.clock.now();
    await stage.daemon.pause(key, pause());
    await passServed(stage, 'shop', 90 * MINUTE);
    expect(stage.issuer.secrets('shop')).toHaveLength(2);
    await stage.daemon.resume(key, 'test');
    const paused = stage.clock.now() - from;
    await deletedAfter(stage, settledAt + HOUR + paused);
  });

  it('ends by itself at its end, and its time does not count either', async () => {
    const stage = await settled();
    await untilState(stage, 'grace');
    const settledAt = Date.parse(String((await stage.rotations('shop'))[0]?.deliveredAt));
    await passServed(stage, 'shop', 20 * MINUTE);
    const until = stage.clock.now() + 90 * MINUTE;
    const from = stage.clock.now();
    expect(await stage.daemon.pause(key, pause({ until, note: 'weekend' }))).toEqual({
      paused: true,
      until: new Date(until).toISOString(),
      note: 'weekend',
    });
    await passServed(stage, 'shop', 80 * MINUTE);
    expect((await stage.view('shop')).state).toBe('paused');
    // the first scan after its end sees it
    await passServed(stage, 'shop', 25 * MINUTE);
    expect((await stage.view('shop')).state).toBe('grace');
    expect(stage.issuer.secrets('shop')).toHaveLength(2);
    await deletedAfter(stage, settledAt + HOUR + (until - from));
  });

  it('outlives a restart, its end too', async () => {
    const stage = await settled();
    const until = stage.clock.now() + 10 * HOUR;
    await stage.daemon.pause(key, pause({ until }));
    await passServed(stage, 'shop', HOUR);
    stage.crash();
    await stage.start();
    expect((await stage.view('shop')).state).toBe('paused');
    await passServed(stage, 'shop', 8 * HOUR);
    expect(stage.issuer.count('createSecret')).toBe(1);
    stage.crash();
    await stage.pass(75 * MINUTE);
    await stage.start();
    await passServed(stage, 'shop', HOUR);
    expect(stage.issuer.count('createSecret')).toBe(2);
  });

  it('ends while the process is down: its time does not count all the same', async () => {
    const stage = await settled();
    await untilState(stage, 'grace');
    const settledAt = Date.parse(String((await stage.rotations('shop'))[0]?.deliveredAt));
    const until = stage.clock.now() + 2 * HOUR;
    const from = stage.clock.now();
    await stage.daemon.pause(key, pause({ until }));
    await stage.pass(MINUTE, MINUTE);
    stage.crash();
    await stage.pass(2 * HOUR + 5 * MINUTE);
    await stage.start();
    await passServed(stage, 'shop', MINUTE);
    expect(stage.issuer.secrets('shop')).toHaveLength(2);
    await deletedAfter(stage, settledAt + HOUR + (until - from));
  });
});

describe('a pause', () => {
  it('asked for twice takes the later word on its end, and keeps its beginning', async () => {
    const stage = await settled();
    await untilState(stage, 'grace');
    const settledAt = Date.parse(String((await stage.rotations('shop'))[0]?.deliveredAt));
    const from = stage.clock.now();
    await stage.daemon.pause(SHOP, pause({ until: from + HOUR }));
    await passServed(stage, 'shop', 30 * MINUTE);
    await stage.daemon.pause(SHOP, pause({ until: from + 2 * HOUR }));
    await passServed(stage, 'shop', HOUR);
    expect((await stage.view('shop')).pausedUntil).toBe(new Date(from + 2 * HOUR).toISOString());
    await passServed(stage, 'shop', 31 * MINUTE);
    await deletedAfter(stage, settledAt + HOUR + 2 * HOUR);
  });

  it('of nobody known is refused', async () => {
    const stage = await settled();
    const nobody = { issuer: 'data8', clientId: 'nobody' };
    await expect(stage.daemon.pause(nobody, pause())).rejects.toMatchObject({ kind: 'not-found' });
    await expect(stage.daemon.resume(nobody, 'test')).rejects.toMatchObject({ kind: 'not-found' });
  });

  it('of one leaves the others alone, and of all is told with its note', async () => {
    const stage = await settled(['other']);
    await stage.daemon.pause(SHOP, pause());
    await stage.pass(9.5 * HOUR);
    expect(stage.issuer.count('createSecret', 'shop')).toBe(1);
    expect(stage.issuer.count('createSecret', 'other')).toBe(2);
    await stage.daemon.pause(null, pause({ note: 'incident 7' }));
    expect((await stage.daemon.status()).paused).toEqual({ paused: true, until: null, note: 'incident 7' });
    expect(stage.events('paused-all')).toHaveLength(1);
    await stage.daemon.resume(null, 'test');
    expect((await stage.daemon.status()).paused.paused).toBe(false);
    expect((await stage.view('shop')).state, 'its own pause holds on').toBe('paused');
  });

  it('C9: for months: nothing changes, and resuming is paced', async () => {
    const others = Array.from({ length: 12 }, (_, each) => `client-${each}`);
    const stage = await settled(others, {
      policy: { ...SHORT, lifetime: 90 * DAY, renewBefore: 30 * DAY, grace: 14 * DAY },
      schedule: '*/720 * * * *',
      resync: 10 * DAY,
    });
    await stage.daemon.pause(null, pause());
    await stage.pass(70 * DAY, DAY);
    stage.crash();
    stage.settings = {
      ...stage.settings,
      schedule: '*/15 * * * *',
      limits: { ...stage.settings.limits, rotationsPerHour: 4 },
    };
    await stage.start();
    await stage.pass(HOUR);
    expect(stage.issuer.count('createSecret')).toBe(13);
    expect(stage.issuer.count('deleteSecret')).toBe(0);
    const before = stage.issuer.calls.length;
    await stage.daemon.resume(null, 'test');
    await stage.pass(30 * MINUTE, 5 * MINUTE);
    expect(stage.issuer.calls.slice(before).filter((each) => each.operation === 'createSecret')).toHaveLength(4);
    await stage.pass(5 * HOUR, 5 * MINUTE);
    expect(stage.issuer.count('createSecret')).toBe(26);
  });

  it('C9: suspended by the configuration: watched, nothing changes; what is in grace is not deleted', async () => {
    const stage = await settled();
    await untilState(stage, 'grace');
    stage.crash();
    const [rule] = stage.settings.rules;
    stage.settings = { ...stage.settings, rules: rule === undefined ? [] : [{ ...rule, suspend: true }] };
    await stage.start();
    await passServed(stage, 'shop', 8 * HOUR);
    const view = await stage.view('shop');
    expect([view.state, view.reason]).toEqual(['paused', 'suspended']);
    expect(stage.issuer.secrets('shop')).toHaveLength(2);
    expect(stage.issuer.count('createSecret')).toBe(2);
    stage.crash();
    stage.settings = { ...stage.settings, rules: rule === undefined ? [] : [rule] };
    await stage.start();
    await passServed(stage, 'shop', 3 * HOUR);
    expect(stage.issuer.secrets('shop').length).toBeLessThanOrEqual(2);
    expect(stage.issuer.count('createSecret')).toBe(3);
  });

  it('C10: over the API is lost with the ledger; suspended by a rule is not', async () => {
    const stage = new Stage({
      policy: SHORT,
      rules: (policy) => [ruleFor(policy, ['a', 'b'], 'asleep', { suspend: true }), ruleFor(policy, ['a', 'b'])],
    });
    stage.issuer.addCredential('asleep');
    await stage.start();
    await stage.pass(HOUR);
    stage.crash();
    stage.ledger = new (stage.ledger.constructor as new () => typeof stage.ledger)();
    await stage.start();
    await stage.pass(HOUR);
    expect((await stage.view('asleep')).reason).toBe('suspended');
    expect(stage.issuer.count('createSecret')).toBe(0);
  });
});
