import { describe, expect, it } from 'vitest';
import { HOUR, MINUTE, SECOND } from '../../src/domain/time.ts';
import type { RotationView } from '../../src/daemon/api.ts';
import { beforeRenewal, MANY_CREATIONS, passServed, SHORT } from './short-lives.ts';
import { Stage } from './stage.ts';

describe('a SIGTERM', () => {
  it(
    'P2: at any call of a renewal is over within shutdownTimeout, and the next start goes on',
    {
      timeout: 180_000,
    },
    async () => {
      const calls = (await stoppedAt(null)).calls;
      expect(calls).toBeGreaterThan(40);
      for (let at = 0; at < calls; at += 1) {
        const { stage, where, took, createdAfter } = await stoppedAt(at);
        expect(took, where).toBeLessThanOrEqual(stage.settings.shutdownTimeout);
        expect(createdAfter, `${where}: no new create`).toBe(0);
        const before = stage.issuer.calls.length;
        await passServed(stage, 'shop', MINUTE, where);
        expect(stage.issuer.calls.length, `${where}: nothing goes on in a stopped process`).toBe(before);
        await stage.start();
        expect(await leftUnverified(stage), `${where}: what was not verified is deleted`).toEqual([]);
        await passServed(stage, 'shop', 3 * HOUR, where);
        expect((await stage.view('shop')).state, where).toBe('ok');
        expect(stage.issuer.secrets('shop'), where).toHaveLength(1);
        stage.crash();
      }
    },
  );

  it('P2: in verify, the unverified secret is deleted within shutdownTimeout', async () => {
    const { stage } = await inVerify();
    const [served, fresh] = stage.issuer.secrets('shop').map((each) => each.secretId);
    expect(fresh).toBeDefined();
    const stopped = stage.clock.monotonic();
    await stage.stop();
    expect(stage.clock.monotonic() - stopped).toBeLessThanOrEqual(30 * SECOND);
    expect(stage.issuer.secrets('shop').map((each) => each.secretId)).toEqual([served]);
    const [rotation] = (await stage.ledger.rotations({}, 1, null)).items;
    expect(rotation?.state).toBe('abandoned');
    expect(rotation?.steps.at(-1)).toMatchObject({ step: 'verify', outcome: 'failed' });
    expect((await stage.ledger.credential({ issuer: 'data8', clientId: 'shop' }))?.failures).toBe(0);
  });

  it('P2: three interrupted in verify in a row are told as failing', async () => {
    const { stage } = await inVerify();
    for (const interrupted of [1, 2, 3]) {
      expect(stage.issuer.count('createSecret', 'shop'), `attempt ${interrupted}`).toBe(interrupted + 1);
      await stage.stop();
      const record = await stage.ledger.credential({ issuer: 'data8', clientId: 'shop' });
      expect(record?.state === 'failing', `after interruption ${interrupted}`).toBe(interrupted === 3);
      await stage.start();
      await stage.pass(MINUTE / 2, MINUTE / 2);
    }
    expect((await stage.view('shop')).lastError).toContain('stopped before');
    stage.issuer.behaviour.acceptDelay = 0;
    await passServed(stage, 'shop', 3 * HOUR);
    const view = await stage.view('shop');
    expect([view.state, view.failures]).toEqual(['ok', 0]);
    expect(stage.issuer.secrets('shop')).toHaveLength(1);
  });

  it('P2: starts nothing new: credentials that wait for their turn are not looked at any more', async () => {
    const stage = new Stage({ policy: SHORT, limits: { concurrency: 2 } });
    for (let each = 0; each < 40; each += 1) stage.issuer.addCredential(`client-${each}`);
    stage.issuer.behaviour.latency = 5 * SECOND;
    await stage.start();
    await stage.pass(20 * SECOND, 5 * SECOND);
    const begun = stage.issuer.calls.length;
    const asked = stage.clock.monotonic();
    await stage.stop();
    expect(stage.clock.monotonic() - asked).toBeLessThan(30 * SECOND);
    const after = stage.issuer.calls.slice(begun);
    expect(new Set(after.map((each) => each.clientId)).size).toBeLessThanOrEqual(4);
    expect(after.filter((each) => each.operation === 'createSecret')).toEqual([]);
  });

  it('P2: a call that never answers is given up when shutdownTimeout is over', async () => {
    const stage = await beforeRenewal(MANY_CREATIONS, 'stop');
    stage.issuer.behaviour.latency = 10 * MINUTE;
    await stage.start();
    await stage.pass(MINUTE, MINUTE);
    const asked = stage.clock.monotonic();
    await stage.stop();
    expect(stage.clock.monotonic() - asked).toBe(30 * SECOND);
    stage.issuer.behaviour.latency = 0;
    await stage.start();
    await passServed(stage, 'shop', 3 * HOUR);
    expect((await stage.view('shop')).state).toBe('ok');
  });
});

async function stoppedAt(at: number | null) {
  const stage = await beforeRenewal(MANY_CREATIONS, 'stop');
  const stops: { promise: Promise<void>; since: number; until: number; created: number }[] = [];
  let name = 'not stopped';
  let calls = 0;
  stage.onCall = (call, called) => {
    calls = call + 1;
    // a skew is told without waiting: no signal can come in between it and the call behind it
    if (at === null || call < at || called === 'issuer.skew' || stops.length > 0) return;
    name = called;
    const created = stage.issuer.count('createSecret') + (called === 'issuer.createSecret' ? 1 : 0);
    const since = stage.clock.monotonic();
    const stop = { promise: stage.daemon.stop(), since, until: Number.POSITIVE_INFINITY, created };
    void stop.promise.then(() => (stop.until = stage.clock.monotonic()));
    stops.push(stop);
  };
  const started = stage.start();
  await stage.clock.settle(8);
  await started;
  for (let left = HOUR + 20 * MINUTE; left > 0 && stops.length === 0; left -= MINUTE) await stage.pass(MINUTE, MINUTE);
  stage.onCall = null;
  const [stop] = stops;
  if (stop === undefined) await stage.stop();
  else {
    await stage.clock.until(stop.promise);
    stage.crash();
  }
  return {
    stage,
    calls,
    where: `stopped at call ${at}, ${name}`,
    took: stop === undefined ? 0 : stop.until - stop.since,
    createdAfter: stop === undefined ? 0 : stage.issuer.count('createSecret') - stop.created,
  };
}

/** Secrets of rotations that ended before they were verified, and that are at the issuer all the same. */
async function leftUnverified(stage: Stage): Promise<string[]> {
  const listed = new Set(stage.issuer.secrets('shop').map((each) => each.secretId));
  const isLeft = ({ state, secretId }: RotationView) =>
    state === 'abandoned' && secretId !== null && listed.has(secretId);
  return (await stage.rotations('shop')).filter(isLeft).map((each) => each.id);
}

/** Down, with a served secret that is to be renewed now. */

/** Started, with a fresh secret that the token endpoint does not accept yet. */
async function inVerify() {
  const stage = await beforeRenewal(MANY_CREATIONS, 'stop');
  stage.issuer.behaviour.acceptDelay = 10 * MINUTE;
  await stage.start();
  await stage.pass(MINUTE / 2, MINUTE / 2);
  return { stage };
}
