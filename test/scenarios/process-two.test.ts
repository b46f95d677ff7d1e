import { describe, expect, it } from 'vitest';
import { DAY, HOUR, MINUTE, SECOND } from '../../src/domain/time.ts';
import type { Policy } from '../../src/config/settings.ts';
import type { Daemon } from '../../src/daemon/api.ts';
import type { Ledger } from '../../src/ledger/contract.ts';
import { MemoryLedger } from '../../src/ledger/memory.ts';
import { Life } from './mortal.ts';
import { beforeRenewal, MANY_CREATIONS, passServed, SHORT } from './short-lives.ts';
import { Stage } from './stage.ts';

const CLIENTS = ['one', 'two', 'three', 'four'];

describe('two daemons with one ledger', () => {
  it('P6: share the work: each rotation is done once, by one of them', async () => {
    const stage = new Stage({ policy: SHORT });
    for (const clientId of CLIENTS) stage.issuer.addCredential(clientId);
    stage.issuer.behaviour.latency = SECOND / 10;
    const peer = await startPeer(stage, stage.ledger);
    await stage.start();
    await stage.pass(HOUR);
    await served(stage, 13 * HOUR);
    for (const clientId of CLIENTS) {
      expect(stage.issuer.count('createSecret', clientId)).toBe(2);
      expect(stage.issuer.secrets(clientId)).toHaveLength(1);
      expect(
        stage
          .vault('a')
          .history(clientId)
          .map((each) => each.mark?.generation),
      ).toEqual([1, 2]);
      expect((await stage.view(clientId)).state).toBe('ok');
    }
    await stage.clock.until(peer.daemon.stop());
    await stage.stop();
  });

  it('P6: one dies at any call of a renewal, and the other brings it to its end', { timeout: 180_000 }, async () => {
    const calls = (await withPeer(null, 'kill')).calls;
    for (let at = 0; at < calls; at += 1) {
      const { stage, where } = await withPeer(at, 'kill');
      await passServed(stage, 'shop', 3 * HOUR, where);
      await expectRest(stage, where);
      stage.crash();
    }
  });

  it(
    'P7: one is frozen for half an hour at any call of a renewal, the other takes over; thawed, it changes nothing',
    {
      timeout: 180_000,
    },
    async () => {
      const calls = (await withPeer(null, 'freeze')).calls;
      expect(calls).toBeGreaterThan(30);
      let lost = 0;
      for (let at = 0; at < calls; at += 1) {
        const { stage, life, where } = await withPeer(at, 'freeze');
        await passServed(stage, 'shop', 30 * MINUTE, where);
        const generation = stage.vault('a').peek('shop')?.mark?.generation ?? 0;
        expect(generation, `${where}: the peer has renewed it`).toBeGreaterThan(1);
        const before = changes(stage);
        life.thaw();
        await passServed(stage, 'shop', MINUTE, where);
        expect(changes(stage), `${where}: thawed, it changes nothing`).toEqual(before);
        lost += stage.events('rotation-lost').length;
        await passServed(stage, 'shop', 3 * HOUR, where);
        await expectRest(stage, where);
        stage.crash();
      }
      expect(lost).toBeGreaterThan(5);
    },
  );

  it('P6: while one waits for long in a rotation, the other asks the ledger whether it still does, but for its scans', async () => {
    const stage = await beforeRenewal();
    stage.settings = withVerify(stage, { settle: 30 * MINUTE });
    const owner = await startPeer(stage, stage.ledger);
    await stage.start();
    await passServed(stage, 'shop', 2 * MINUTE, '', MINUTE);
    expect(stage.issuer.count('createSecret')).toBe(2);
    const looks = () => stage.vault('a').calls.filter((each) => each.operation === 'describe').length;
    const before = looks();
    await passServed(stage, 'shop', 25 * MINUTE, '', MINUTE);
    const scans = 2;
    expect(looks() - before).toBeLessThanOrEqual(scans);
    // whoever has it dies: the other takes over as soon as its lease and a lost request are over
    owner.life.end();
    const left = looks();
    await passServed(stage, 'shop', 10 * MINUTE, '', MINUTE);
    expect(looks()).toBeGreaterThan(left);
    await passServed(stage, 'shop', 3 * HOUR);
    await expectRest(stage, 'taken over');
  });

  it('P6: a pause over one of them holds for the other', async () => {
    const stage = new Stage({ policy: SHORT });
    stage.issuer.addCredential('shop');
    await stage.start();
    const peer = await startPeer(stage, stage.ledger);
    await stage.pass(8 * HOUR, HOUR);
    await peer.daemon.pause(null, { until: null, note: null, actor: 'test' });
    await passServed(stage, 'shop', 2 * HOUR);
    expect(stage.issuer.count('createSecret')).toBe(1);
    expect((await stage.view('shop')).state).toBe('paused');
    await peer.daemon.resume(null, 'test');
    await passServed(stage, 'shop', 3 * HOUR);
    await expectRest(stage, 'resumed');
  });
});

describe('two daemons with a ledger each', () => {
  it("P6: one's secret in flight is not the other's orphan, and holds its creation back", async () => {
    const stage = await beforeRenewal(MANY_CREATIONS);
    stage.issuer.behaviour.acceptDelay = 5 * MINUTE;
    stage.settings = withVerify(stage, { timeout: 10 * MINUTE });
    await stage.start();
    await passServed(stage, 'shop', MINUTE);
    const [, fresh] = stage.issuer.secrets('shop');
    expect(fresh).toBeDefined();
    await startPeer(stage, new MemoryLedger());
    await passServed(stage, 'shop', 2 * MINUTE);
    expect(stage.issuer.secrets('shop')).toHaveLength(2);
    expect(stage.issuer.count('createSecret')).toBe(2);
    await passServed(stage, 'shop', HOUR);
    expect(stage.vault('a').peek('shop')?.mark?.secretId).toBe(fresh?.secretId);
    expect(stage.vault('b').peek('shop')?.mark?.secretId).toBe(fresh?.secretId);
    await passServed(stage, 'shop', 2 * HOUR);
    expect(stage.issuer.count('createSecret')).toBe(2);
    expect(stage.issuer.secrets('shop')).toHaveLength(1);
  });

  it('P6: at worst wasted work: both make one at the same time, one of them is kept and the other goes', async () => {
    const stage = await beforeRenewal(MANY_CREATIONS);
    stage.issuer.behaviour.latency = 2 * SECOND;
    await stage.start();
    await startPeer(stage, new MemoryLedger());
    await passServed(stage, 'shop', 20 * MINUTE, '', MINUTE);
    expect(stage.issuer.count('createSecret'), 'both made one').toBe(3);
    const [kept] = [stage.vault('a').peek('shop')?.mark?.secretId];
    expect(stage.vault('b').peek('shop')?.mark?.secretId).toBe(kept);
    await passServed(stage, 'shop', 3 * HOUR);
    expect(stage.issuer.secrets('shop').map((each) => each.secretId)).toEqual([kept]);
    expect((await stage.view('shop')).state).toBe('ok');
  });

  it('P6: over days, nothing served dies and creations stay within the budget of one', async () => {
    const stage = new Stage({ policy: SHORT, limits: { createsPerDay: 6 } });
    stage.issuer.addCredential('shop');
    stage.issuer.behaviour.latency = SECOND;
    await stage.start();
    await startPeer(stage, new MemoryLedger());
    await stage.pass(HOUR);
    for (let hour = 0; hour < 72; hour += 1) {
      await passServed(stage, 'shop', HOUR, `hour ${hour}`);
      const since = stage.clock.now() - DAY;
      const made = stage.issuer.calls.filter((each) => each.operation === 'createSecret' && each.at > since).length;
      expect(made, `hour ${hour}`).toBeLessThanOrEqual(7);
      expect(stage.issuer.secrets('shop').length, `hour ${hour}`).toBeLessThanOrEqual(5);
    }
  });
});

async function startPeer(stage: Stage, ledger: Ledger): Promise<{ daemon: Daemon; life: Life }> {
  const life = new Life();
  const daemon = stage.open(ledger, life);
  const started = daemon.start();
  await stage.clock.settle(8);
  await started;
  return { daemon, life };
}

/** A renewal by one daemon, to which something happens at a call; then a second one is started. */
async function withPeer(at: number | null, what: 'kill' | 'freeze') {
  const stage = await beforeRenewal(MANY_CREATIONS);
  const life = new Life();
  let name = 'nothing happened';
  let calls = 0;
  life.onCall = (call, called) => {
    calls = call + 1;
    if (call !== at) return;
    name = called;
    if (what === 'kill') life.end();
    else life.freeze();
  };
  const first = stage.open(stage.ledger, life);
  const started = first.start();
  await stage.clock.settle(8);
  if (at === null) await started;
  await stage.pass(5 * MINUTE, 5 * MINUTE);
  const where = `${what} at call ${at}, ${name}`;
  await stage.start();
  return { stage, life, where, calls };
}

async function served(stage: Stage, duration: number): Promise<void> {
  for (let left = duration; left > 0; left -= HOUR) {
    await stage.pass(HOUR);
    for (const clientId of CLIENTS) expect(await stage.allServedAlive(clientId)).toBe(true);
  }
}

function changes(stage: Stage): unknown {
  return {
    issuer: stage.issuer.calls.filter(({ operation }) => /create|update|delete/.test(operation)).length,
    a: stage.vault('a').history('shop').length,
    b: stage.vault('b').history('shop').length,
  };
}

async function expectRest(stage: Stage, where: string): Promise<void> {
  expect((await stage.view('shop')).state, where).toBe('ok');
  expect(stage.issuer.secrets('shop'), `${where}: no orphan stays`).toHaveLength(1);
  expect(stage.issuer.count('createSecret'), where).toBeLessThanOrEqual(3);
}

function withVerify(stage: Stage, verify: Partial<Policy['verify']>): Stage['settings'] {
  const rules = stage.settings.rules.map((rule) => ({
    ...rule,
    policy: { ...rule.policy, verify: { ...rule.policy.verify, ...verify } },
  }));
  return { ...stage.settings, rules };
}
