import { describe, expect, it } from 'vitest';
import { DAY, HOUR, MINUTE } from '../../src/domain/time.ts';
import { created, passServed, payloadOf, SHORT } from './short-lives.ts';
import { Stage } from './stage.ts';

const LONG = { ...SHORT, lifetime: 90 * DAY, renewBefore: 30 * DAY, grace: 14 * DAY, provisional: DAY };

describe('the budget of a day', () => {
  it('I13: holds where each secret is clamped so short that it is due at once, and is told', async () => {
    const stage = new Stage({ policy: { ...LONG, maxAge: HOUR } });
    stage.issuer.addCredential('shop');
    await stage.start();
    await stage.pass(HOUR / 2);
    for (let hour = 0; hour < 72; hour += 1) {
      await passServed(stage, 'shop', HOUR);
      expect(created(stage, DAY), `hour ${hour}`).toBeLessThanOrEqual(4);
      expect(stage.issuer.secrets('shop').length).toBeLessThanOrEqual(5);
    }
    expect(['cap-reached', 'budget-spent']).toContain((await stage.view('shop')).reason);
    expect((await stage.view('shop')).state).toBe('blocked');
  });

  it('is counted over 24 hours, not by the calendar: the next one goes as soon as the first is a day old', async () => {
    const stage = new Stage({ policy: { ...LONG, maxAge: HOUR, grace: 2 * HOUR }, limits: { createsPerDay: 2 } });
    stage.issuer.addCredential('shop');
    await stage.start();
    await stage.pass(3 * DAY, HOUR);
    const at = stage.issuer.calls.filter((each) => each.operation === 'createSecret').map((each) => each.at);
    for (let each = 2; each < at.length; each += 1) {
      expect(Number(at[each]) - Number(at[each - 2])).toBeGreaterThanOrEqual(DAY);
      expect(Number(at[each]) - Number(at[each - 2])).toBeLessThan(DAY + 30 * MINUTE);
    }
    expect(at.length).toBeGreaterThan(4);
  });
});

describe('the cap on live secrets', () => {
  it('I16: by strangers: blocked with the reason, nothing is deleted; free again, it goes on', async () => {
    const stage = new Stage({ policy: LONG });
    stage.issuer.addCredential('shop');
    await stage.start();
    await stage.pass(HOUR);
    const strangers = [1, 2, 3, 4].map(() => stage.issuer.addSecret('shop').secretId);
    await passServed(stage, 'shop', 61 * DAY, '', DAY);
    const view = await stage.view('shop');
    expect([view.state, view.reason]).toEqual(['blocked', 'cap-reached']);
    expect(stage.issuer.count('deleteSecret')).toBe(0);
    expect(stage.issuer.count('createSecret')).toBe(1);
    stage.issuer.removeSecret('shop', String(strangers[0]));
    await passServed(stage, 'shop', DAY, '', HOUR);
    expect(stage.issuer.count('createSecret')).toBe(2);
    expect(stage.issuer.secrets('shop')).toHaveLength(5);
  });

  it('I16: an urgent one may have one more', async () => {
    const stage = new Stage({ policy: LONG });
    stage.issuer.addCredential('shop');
    await stage.start();
    await stage.pass(HOUR);
    for (let each = 0; each < 4; each += 1) stage.issuer.addSecret('shop');
    await passServed(stage, 'shop', 88 * DAY, '', DAY);
    expect(stage.issuer.count('createSecret')).toBe(1);
    await passServed(stage, 'shop', DAY + 20 * HOUR, '', HOUR);
    expect(stage.issuer.count('createSecret')).toBe(2);
    await passServed(stage, 'shop', 5 * DAY, '', DAY);
    expect(stage.issuer.secrets('shop').length).toBeLessThanOrEqual(6);
  });
});

describe('rotationsPerHour', () => {
  it('is exact over any hour, over a restart too, and counts what is urgent or asked for, which go ahead of it', async () => {
    const stage = new Stage({ policy: LONG, limits: { rotationsPerHour: 6 } });
    for (let each = 0; each < 30; each += 1) stage.issuer.addCredential(`client-${each}`);
    await stage.start();
    await stage.pass(30 * MINUTE, 5 * MINUTE);
    expect(stage.issuer.count('createSecret')).toBe(6);
    stage.crash();
    await stage.start();
    await stage.pass(29 * MINUTE, MINUTE);
    expect(stage.issuer.count('createSecret')).toBe(6);
    await stage.pass(6 * HOUR, 5 * MINUTE);
    expect(stage.issuer.count('createSecret')).toBe(30);
    expect(mostInAnHour(stage)).toBe(6);
    // two that are urgent: their served secrets are deleted by hand
    for (const clientId of ['client-3', 'client-4']) {
      for (const { secretId } of stage.issuer.secrets(clientId)) stage.issuer.removeSecret(clientId, secretId);
    }
    const urgent = stage.clock.now();
    await stage.pass(2 * HOUR, 5 * MINUTE);
    expect(stage.issuer.count('createSecret')).toBe(32);
    for (const clientId of ['new-1', 'new-2', 'new-3', 'new-4', 'new-5', 'new-6']) stage.issuer.addCredential(clientId);
    await stage.pass(30 * MINUTE, 5 * MINUTE);
    const since = stage.issuer.calls.filter((each) => each.operation === 'createSecret' && each.at > urgent);
    expect(since.length).toBe(8);
  });

  it('an urgent one does not wait for the hour', async () => {
    const stage = new Stage({ policy: LONG, limits: { rotationsPerHour: 2 } });
    for (const clientId of ['one', 'two']) stage.issuer.addCredential(clientId);
    await stage.start();
    await stage.pass(HOUR + 30 * MINUTE);
    for (let each = 0; each < 6; each += 1) stage.issuer.addCredential(`new-${each}`);
    await stage.pass(30 * MINUTE);
    expect(stage.issuer.count('createSecret')).toBe(4);
    expect((await stage.view('new-5')).reason).toBe('paced');
    expect((await stage.view('new-5')).state).toBe('due');
    for (const { secretId } of stage.issuer.secrets('one')) stage.issuer.removeSecret('one', secretId);
    stage.daemon.scan();
    await stage.pass(70 * MINUTE, 5 * MINUTE);
    expect(await stage.allServedAlive('one')).toBe(true);
  });

  it('what is urgent is counted: less is left for the rest of the hour', async () => {
    const stage = new Stage({ policy: LONG, limits: { rotationsPerHour: 4 }, resync: 10 * MINUTE });
    for (const clientId of ['one', 'two', 'three']) stage.issuer.addCredential(clientId);
    await stage.start();
    await stage.pass(3 * HOUR);
    for (const clientId of ['one', 'two', 'three']) {
      for (const { secretId } of stage.issuer.secrets(clientId)) stage.issuer.removeSecret(clientId, secretId);
    }
    await stage.pass(20 * MINUTE, 5 * MINUTE);
    expect(stage.issuer.count('createSecret')).toBe(6);
    for (let each = 0; each < 6; each += 1) stage.issuer.addCredential(`new-${each}`);
    await stage.pass(20 * MINUTE, 5 * MINUTE);
    expect(stage.issuer.count('createSecret')).toBe(7);
  });
});

describe('the full look', () => {
  it('is spread evenly: each credential once within resync, never all at once', async () => {
    const stage = new Stage({ policy: LONG, limits: { rotationsPerHour: 1000 }, resync: 4 * HOUR });
    const count = 80;
    for (let each = 0; each < count; each += 1) stage.issuer.addCredential(`client-${each}`);
    await stage.start();
    await stage.pass(5 * HOUR);
    const begun = stage.issuer.calls.length;
    const perScan: number[] = [];
    for (let scan = 0; scan < 16; scan += 1) {
      const before = stage.issuer.count('listSecrets');
      await stage.pass(15 * MINUTE);
      perScan.push(stage.issuer.count('listSecrets') - before);
    }
    const looked = stage.issuer.calls.slice(begun).filter((each) => each.operation === 'listSecrets');
    expect(looked).toHaveLength(count);
    expect(new Set(looked.map((each) => each.clientId)).size).toBe(count);
    expect(Math.max(...perScan)).toBeLessThan(count / 4);
    expect(perScan.filter((each) => each > 0).length).toBeGreaterThan(12);
  });
});

describe('once', () => {
  it('does one scan, runs each action to its end, and tells what is unwell', async () => {
    const stage = new Stage({ policy: SHORT });
    for (const clientId of ['good', 'foreign', 'broken']) stage.issuer.addCredential(clientId);
    stage.vault('a').putForeign('foreign', payloadOf('foreign', 'nobody knows', null));
    stage.issuer.fault('createSecret', 403, { times: Number.POSITIVE_INFINITY, clientId: 'broken' });
    const result = await stage.clock.until(stage.open().once({ limit: null, only: null }));
    expect(result.looked).toBe(3);
    expect(result.errors).toEqual([]);
    expect(result.unwell).toEqual([
      { issuer: 'data8', clientId: 'broken', state: 'failing', reason: expect.any(String) as string },
      { issuer: 'data8', clientId: 'foreign', state: 'blocked', reason: 'entry-foreign' },
    ]);
    expect(await stage.allServedAlive('good')).toBe(true);
    expect(stage.clock.pending).toBe(0);
    // hours later: the renewal; later still: the old secret, past its grace
    await stage.clock.advance(9 * HOUR + MINUTE);
    expect((await stage.clock.until(stage.open().once({ limit: null, only: 'good' }))).unwell).toEqual([]);
    expect(stage.issuer.secrets('good')).toHaveLength(2);
    await stage.clock.advance(61 * MINUTE);
    await stage.clock.until(stage.open().once({ limit: null, only: 'good' }));
    expect(stage.issuer.secrets('good')).toHaveLength(1);
    expect(await stage.allServedAlive('good')).toBe(true);
  });

  it('--limit and --only bound what is looked at; an issuer that cannot be listed is told', async () => {
    const stage = new Stage({ policy: SHORT });
    for (const clientId of ['a-1', 'a-2', 'a-3', 'b-1']) stage.issuer.addCredential(clientId);
    expect((await stage.clock.until(stage.open().once({ limit: 2, only: 'a-*' }))).looked).toBe(2);
    expect(stage.issuer.count('createSecret')).toBe(2);
    await stage.clock.until(stage.open().once({ limit: null, only: 'a-*' }));
    expect(stage.issuer.count('createSecret')).toBe(3);
    expect(stage.issuer.count('createSecret', 'b-1')).toBe(0);
    expect((await stage.clock.until(stage.open().once({ limit: null, only: 'other/*' }))).looked).toBe(0);
    expect((await stage.clock.until(stage.open().once({ limit: null, only: 'data8/b-*' }))).looked).toBe(1);
    expect(stage.issuer.count('createSecret', 'b-1')).toBe(1);
    stage.issuer.fault('listCredentials', 503);
    const result = await stage.clock.until(stage.open().once({ limit: null, only: null }));
    expect(result.looked).toBe(0);
    expect(result.errors).toHaveLength(1);
  });
});

function mostInAnHour(stage: Stage): number {
  const at = stage.issuer.calls.filter((each) => each.operation === 'createSecret').map((each) => each.at);
  return Math.max(...at.map((end) => at.filter((each) => each > end - HOUR && each <= end).length));
}
