import { describe, expect, it } from 'vitest';
import { DAY, HOUR, MINUTE, SECOND } from '../../src/domain/time.ts';
import { beforeRenewal, passServed, SHORT } from './short-lives.ts';
import { Stage } from './stage.ts';

describe('a clock that jumps', () => {
  it('P8: ahead of the issuer: nothing is created or deleted, and it is told; set right again, it goes on', async () => {
    const stage = await inGrace();
    stage.issuer.behaviour.skew = -2 * DAY;
    stage.clock.jump(2 * DAY);
    await stage.pass(2 * HOUR);
    expect(stage.issuer.secrets('shop')).toHaveLength(2);
    expect(stage.issuer.count('createSecret')).toBe(2);
    const { checks } = await stage.daemon.explain({ issuer: 'data8', clientId: 'shop' });
    expect(checks.find((each) => each.check === 'retirements')?.saw).toContain("the issuer's clock is 2d behind ours");
    stage.issuer.behaviour.skew = 0;
    stage.clock.jump(-2 * DAY);
    await stage.pass(3 * HOUR);
    expect(stage.issuer.secrets('shop')).toHaveLength(1);
    expect((await stage.view('shop')).state).toBe('ok');
    expect(stage.issuer.count('createSecret')).toBe(2);
  });

  it('P8: a grace is measured against the earlier of the local clock and the issuer’s', async () => {
    const stage = await inGrace();
    const [old] = stage.issuer.secrets('shop').map((each) => each.secretId);
    const deleteAfter = Date.parse(String((await stage.rotations('shop'))[0]?.deleteAfter));
    // within the bound: still trusted, but no reason to delete early
    stage.issuer.behaviour.skew = -4 * MINUTE;
    stage.clock.jump(4 * MINUTE);
    while (stage.clock.now() < deleteAfter + 3 * MINUTE) {
      // an edited description makes a scan look, whatever is due
      stage.issuer.describeCredential('shop', `the shop at ${stage.clock.now()}`);
      stage.daemon.scan();
      await stage.pass(MINUTE, MINUTE);
    }
    expect(stage.issuer.secrets('shop').map((each) => each.secretId)).toContain(old);
    await stage.pass(20 * MINUTE, MINUTE);
    expect(stage.issuer.secrets('shop').map((each) => each.secretId)).not.toContain(old);
  });

  it('P8: far behind the issuer at start: nothing is created, also for a first contact; set right, it begins', async () => {
    const stage = new Stage({ policy: SHORT });
    stage.issuer.behaviour.skew = 2 * DAY;
    stage.issuer.addCredential('shop');
    await stage.start();
    await stage.pass(2 * HOUR);
    expect(stage.issuer.count('createSecret')).toBe(0);
    expect([(await stage.view('shop')).state, (await stage.view('shop')).reason]).toEqual(['blocked', 'clock-skew']);
    stage.issuer.behaviour.skew = 0;
    stage.clock.jump(2 * DAY);
    await stage.pass(HOUR);
    await passServed(stage, 'shop', HOUR);
    expect((await stage.view('shop')).state).toBe('ok');
    expect(stage.issuer.count('createSecret')).toBe(1);
  });
});

describe('a scan that takes long', () => {
  it('P10: one at a time; the ones that are left out meanwhile are told as skipped', async () => {
    const stage = new Stage({ policy: SHORT, schedule: '*/5 * * * *' });
    stage.issuer.addCredential('shop');
    await stage.start();
    await stage.pass(4 * MINUTE, MINUTE);
    let release: () => void = () => undefined;
    let held = 0;
    stage.issuer.onCall('listCredentials', () => {
      held += 1;
      return held > 1 ? undefined : new Promise((resolve) => (release = resolve));
    });
    await stage.pass(16 * MINUTE, MINUTE);
    expect(held).toBe(1);
    expect(stage.events('scan-skipped')).toHaveLength(3);
    expect(stage.daemon.scan().scanId).toBe((await stage.daemon.status()).lastScan?.scanId);
    release();
    await stage.pass(5 * MINUTE, MINUTE);
    expect(held).toBe(2);
    expect(stage.events('scan-skipped')).toHaveLength(3);
    expect(stage.events('scan-skipped')[0]?.level).toBe('warn');
  });

  it('P10: waiting in verify does not make a scan long', async () => {
    const stage = new Stage({
      policy: { ...SHORT, verify: { method: 'token', timeout: HOUR, settle: 0 }, provisional: 3 * HOUR },
    });
    stage.issuer.addCredential('shop');
    stage.issuer.behaviour.acceptDelay = 50 * MINUTE;
    await stage.start();
    await stage.pass(45 * MINUTE);
    expect(stage.events('scan-skipped')).toEqual([]);
    expect((await stage.daemon.status()).lastScan?.finishedAt).not.toBeNull();
    expect((await stage.view('shop')).state).toBe('rotating');
  });
});

describe('a start after a long stop', () => {
  it('P11: everything is due: paced by the limit, soonest to expire first', async () => {
    const stage = new Stage({
      policy: { ...SHORT, lifetime: 90 * DAY, renewBefore: 30 * DAY, grace: 14 * DAY },
      limits: { rotationsPerHour: 5, concurrency: 2 },
    });
    const count = 20;
    for (let each = 0; each < count; each += 1) {
      stage.issuer.addCredential(`client-${each}`);
      stage.settings = { ...stage.settings, limits: { ...stage.settings.limits, rotationsPerHour: 60 } };
    }
    await stage.start();
    await stage.pass(HOUR);
    // spread their ends, in an order that is not that of their names
    for (let each = 0; each < count; each += 1) {
      const [secret] = stage.issuer.secrets(`client-${each}`);
      const expires = stage.clock.now() + 75 * DAY + ((each * 7) % count) * 3 * HOUR;
      stage.issuer.editSecret(`client-${each}`, String(secret?.secretId), { expires });
    }
    await stage.pass(2 * HOUR);
    stage.crash();
    await stage.pass(60 * DAY, DAY);
    stage.settings = { ...stage.settings, limits: { ...stage.settings.limits, rotationsPerHour: 5 } };
    const before = stage.issuer.calls.length;
    await stage.start();
    await stage.pass(5 * HOUR, 5 * MINUTE);
    const created = stage.issuer.calls.slice(before).filter((each) => each.operation === 'createSecret');
    expect(created).toHaveLength(count);
    for (const { at } of created) {
      const within = created.filter((each) => each.at > at - HOUR && each.at <= at);
      expect(within.length).toBeLessThanOrEqual(5);
    }
    const ranks = created.map((each) => (Number(each.clientId?.slice('client-'.length)) * 7) % count);
    // two are worked on side by side
    ranks.forEach((rank, at) => expect(Math.abs(rank - at), ranks.join(' ')).toBeLessThanOrEqual(1));
    for (let each = 0; each < count; each += 1) expect(await stage.allServedAlive(`client-${each}`)).toBe(true);
  });

  it('P11: waiting for its turn costs little: no look at all that wait each time that one may go', async () => {
    const stage = new Stage({
      policy: { ...SHORT, lifetime: 90 * DAY, renewBefore: 30 * DAY, grace: 14 * DAY },
      limits: { rotationsPerHour: 30 },
      resync: DAY,
    });
    const count = 150;
    for (let each = 0; each < count; each += 1) stage.issuer.addCredential(`client-${each}`);
    stage.issuer.behaviour.latency = SECOND;
    await stage.start();
    await stage.pass(5 * HOUR, 5 * MINUTE);
    expect(stage.issuer.count('createSecret')).toBe(count);
    // a place that comes free is not worth more than a look or two at each that waits for it
    expect(stage.issuer.count('listSecrets')).toBeLessThan(count * 5 * 2);
  });
});

/** In the grace of the first renewal. */
async function inGrace(): Promise<Stage> {
  const stage = await beforeRenewal();
  await stage.start();
  await stage.pass(10 * MINUTE, MINUTE);
  expect((await stage.view('shop')).state).toBe('grace');
  return stage;
}
