import { describe, expect, it } from 'vitest';
import type { Daemon } from '../../src/daemon/api.ts';
import type { Rule } from '../../src/config/settings.ts';
import { LedgerError } from '../../src/domain/errors.ts';
import { DAY, HOUR, MINUTE, SECOND } from '../../src/domain/time.ts';
import { expectSound, markAt, SHOP } from './scene.ts';
import { beforeRenewal, passServed, SHORT } from './short-lives.ts';
import { DEFAULT_POLICY, ruleFor, Stage } from './stage.ts';
import type { StageOptions } from './stage.ts';

const POLICY = { ...DEFAULT_POLICY, ...SHORT };
const to = (...vaults: string[]): readonly Rule[] => [ruleFor(POLICY, vaults)];

describe('other settings without a restart', () => {
  it('what was begun is brought to rest under the terms that it was begun under; then the new ones hold', async () => {
    const stage = await settling();
    const [begun] = await stage.rotations('shop');
    expect(begun?.state).toBe('verified');
    const before = await stage.reload({ rules: to('b', 'c') });
    expect((await stage.rotations('shop'))[0]).toMatchObject({ id: begun?.id, state: 'verified' });
    await stage.pass(20 * SECOND, SECOND);
    await before?.rest();
    expect(await stage.rotations('shop')).toHaveLength(2);
    expect((await stage.rotations('shop'))[0]).toMatchObject({ id: begun?.id, state: 'grace' });
    for (const vault of ['a', 'b', 'c']) expect(markAt(stage, vault)?.generation, vault).toBe(2);
    const { destinations } = await stage.view('shop');
    expect(destinations.map(({ vault, former }) => [vault, former]).sort()).toEqual([
      ['a', true],
      ['b', false],
      ['c', false],
    ]);
    await stage.pass(3 * HOUR);
    expect((await stage.view('shop')).state).toBe('ok');
    expect(stage.issuer.secrets('shop')).toHaveLength(1);
    await expectSound(stage);
  });

  it(
    'at any call of a renewal: nothing is lost, nothing is made twice, and one daemon is left',
    { timeout: 120_000 },
    async () => {
      const calls = (await reloadedAt(null)).calls;
      expect(calls).toBeGreaterThan(40);
      for (let at = 0; at < calls; at += 1) {
        const { stage, where, before } = await reloadedAt(at);
        await passServed(stage, 'shop', 2 * HOUR, where);
        await before?.rest();
        expect((await stage.view('shop')).state, where).toBe('ok');
        expect(stage.issuer.secrets('shop'), where).toHaveLength(1);
        expect(stage.issuer.count('createSecret', 'shop'), where).toBe(2);
        expect(markAt(stage, 'c')?.generation, where).toBe(2);
        expect(stage.events('rotation-abandoned').length + stage.events('rotation-lost').length, where).toBe(0);
        stage.crash();
      }
    },
  );

  it(
    'a SIGKILL in the middle of it: the next start goes on under what is configured then',
    { timeout: 120_000 },
    async () => {
      for (let at = 0; at < 60; at += 3) {
        for (const after of [0, 1, 2, 5, 9]) {
          const { stage, where } = await reloadedAt(at, after);
          stage.settings = { ...stage.settings, rules: to('a', 'b', 'c') };
          await stage.start();
          for (let left = 3 * HOUR; left > 0; left -= 10 * MINUTE) {
            await stage.pass(10 * MINUTE);
            for (const vault of ['a', 'b']) {
              const served = await stage.servedValue(vault, 'shop');
              expect(stage.issuer.isAccepted('shop', served ?? ''), `${where}: ${vault}`).toBe(true);
            }
          }
          expect((await stage.view('shop')).state, where).toBe('ok');
          expect(stage.issuer.secrets('shop'), where).toHaveLength(1);
          await expectSound(stage);
          stage.crash();
        }
      }
    },
  );

  it('nothing new is begun under the terms before: mode observe holds from that moment on', async () => {
    const stage = await settling();
    stage.issuer.addCredential('shed');
    await stage.reload({ mode: 'observe' });
    await stage.pass(HOUR, MINUTE);
    expect((await stage.rotations('shop'))[0]).toMatchObject({ state: 'grace' });
    expect(stage.issuer.count('createSecret', 'shed')).toBe(0);
    expect((await stage.daemon.status()).mode).toBe('observe');
    await expect(stage.daemon.rotate(SHOP, { note: null, grace: null, actor: 'test' })).rejects.toMatchObject({
      reason: 'mode-observe',
    });
  });

  it('who asks for what is under way gets that, and what was asked for is done under the new terms', async () => {
    const stage = await settling();
    const [begun] = await stage.rotations('shop');
    const before = await stage.reload({ rules: to('b', 'c') });
    const joined = await stage.daemon.rotate(SHOP, { note: null, grace: null, actor: 'test' });
    expect(joined.rotationId).toBe(begun?.id);
    // asked of the one before in the very moment of the change
    await stage.pass(20 * SECOND, SECOND);
    const late = await before?.rotate(SHOP, { note: null, grace: null, actor: 'test' });
    expect(late?.rotationId).not.toBe(begun?.id);
    await stage.pass(5 * MINUTE, MINUTE);
    expect(markAt(stage, 'c')?.generation).toBe(3);
    expect(markAt(stage, 'a')?.generation).toBe(2);
    expect(before?.scan()).toEqual(stage.daemon.scan());
  });

  it('a pause ends what has delivered nothing, also where the daemon before works on it', async () => {
    const stage = await settling();
    await stage.reload({ resync: 2 * HOUR });
    await stage.daemon.pause(null, { until: null, note: null, actor: 'test' });
    await stage.pass(10 * MINUTE, MINUTE);
    expect((await stage.rotations('shop'))[0]).toMatchObject({ state: 'abandoned' });
    expect(stage.issuer.secrets('shop')).toHaveLength(1);
  });

  it('several in a row: each rotation ends under its own terms, all are stopped', async () => {
    const stage = await settling();
    const daemons = [
      await stage.reload({ rules: to('b', 'c') }),
      await stage.reload({ rules: to('c') }),
      await stage.reload({ rules: to('a', 'b', 'c'), schedule: '*/5 * * * *' }),
    ];
    await stage.pass(HOUR, MINUTE);
    for (const each of daemons) await each?.rest();
    expect(await stage.rotations('shop')).toHaveLength(2);
    for (const vault of ['a', 'b', 'c']) expect(markAt(stage, vault)?.generation, vault).toBe(2);
    expect(stage.ports.clock.schedules.filter((each) => each.next() !== null)).toHaveLength(1);
    await stage.pass(2 * HOUR);
    await expectSound(stage);
  });

  it('a ledger that fails just then: the daemon goes on as it was', async () => {
    const stage = await settling();
    const before = stage.daemon;
    stage.ledger.faults.beforeCheck = () => {
      throw new LedgerError('disk full');
    };
    await expect(stage.reload({ rules: to('c') })).rejects.toThrow('disk full');
    delete stage.ledger.faults.beforeCheck;
    expect(stage.daemon).toBe(before);
    await stage.pass(HOUR, MINUTE);
    for (const vault of ['a', 'b']) expect(markAt(stage, vault)?.generation, vault).toBe(2);
    expect(markAt(stage, 'c')).toBeNull();
  });

  it('stopping while two are at work ends what the one before waits for, too', async () => {
    const stage = await settling();
    const before = await stage.reload({ rules: to('b', 'c') });
    const stopped = stage.events('daemon-stopped').length;
    const both = [before, stage.daemon].flatMap((each) => (each === null ? [] : [each.stop()]));
    await stage.clock.until(Promise.all(both).then(() => undefined));
    expect(stage.events('daemon-stopped')).toHaveLength(stopped + 1);
    expect((await stage.ledger.rotations({}, 1, null)).items[0]?.state).toBe('abandoned');
    expect(stage.issuer.secrets('shop')).toHaveLength(1);
  });
});

describe('what must not be forgotten over other settings', () => {
  const LONG = { ...POLICY, lifetime: 90 * DAY, renewBefore: 30 * DAY, grace: 14 * DAY, provisional: DAY };

  it('the rotations of the hour', async () => {
    const stage = new Stage({ policy: LONG, limits: { rotationsPerHour: 2 } });
    for (const each of ['one', 'two', 'three', 'four']) stage.issuer.addCredential(each);
    await stage.start();
    await stage.pass(5 * MINUTE, MINUTE);
    expect(stage.issuer.count('createSecret')).toBe(2);
    for (let round = 0; round < 3; round += 1) {
      await stage.reload({ resync: (round + 2) * HOUR });
      await stage.pass(5 * MINUTE, MINUTE);
    }
    expect(stage.issuer.count('createSecret')).toBe(2);
    await stage.reload({ limits: { ...stage.settings.limits, rotationsPerHour: 3 } });
    await stage.pass(5 * MINUTE, MINUTE);
    expect(stage.issuer.count('createSecret')).toBe(3);
    await stage.pass(2 * HOUR);
    expect(stage.issuer.count('createSecret')).toBe(4);
  });

  it('an open breaker, and its failures under other limits', async () => {
    const breaker = { failures: 3, cooldown: 30 * MINUTE };
    const stage = new Stage({ policy: LONG, limits: { breaker, concurrency: 1 }, resync: 10 * DAY });
    for (let each = 0; each < 8; each += 1) stage.issuer.addCredential(`client-${each}`);
    stage.issuer.fault('createSecret', 429, { times: Number.POSITIVE_INFINITY });
    await stage.start();
    await stage.pass(20 * MINUTE, MINUTE);
    expect(stage.events('breaker-opened')).toHaveLength(1);
    await stage.reload({ schedule: '*/5 * * * *' });
    await stage.pass(6 * MINUTE, MINUTE);
    expect((await stage.daemon.status()).breakers).toMatchObject([{ issuer: 'data8', open: true }]);
    expect(stage.issuer.count('createSecret')).toBe(3);
    stage.issuer.heal();
    await stage.pass(2 * HOUR, MINUTE);
    expect(stage.events('breaker-closed')).toHaveLength(1);
  });

  it('a silent token endpoint: nothing new is made until it answers', async () => {
    const stage = await settling({ policy: LONG });
    stage.issuer.fault('verify', 503, { times: Number.POSITIVE_INFINITY });
    stage.issuer.addCredential('shed');
    await stage.daemon.rotate(SHOP, { note: null, grace: null, actor: 'test' }).catch(() => undefined);
    await stage.pass(30 * MINUTE, MINUTE);
    expect(stage.events('token-endpoint-silent')).toHaveLength(1);
    const made = stage.issuer.count('createSecret');
    await stage.reload({ schedule: '*/5 * * * *' });
    await stage.pass(20 * MINUTE, MINUTE);
    expect(stage.issuer.count('createSecret')).toBe(made);
    expect(stage.events('token-endpoint-silent')).toHaveLength(1);
    stage.issuer.heal();
    await stage.pass(HOUR, MINUTE);
    expect(stage.events('token-endpoint-answers')).toHaveLength(1);
    expect(markAt(stage, 'a', 'shed')?.generation).toBe(1);
  });
});

/** A renewal that waits in `settle`, just before it is delivered. */
async function settling(options: StageOptions = {}): Promise<Stage> {
  const stage = await withThird(options);
  await stage.start();
  await stage.pass(5 * SECOND, SECOND);
  return stage;
}

/** Down, with a served secret that is to be renewed now. There is a third vault, which no rule names. */
function withThird(options: StageOptions = {}): Promise<Stage> {
  return beforeRenewal({ vaults: ['a', 'b', 'c'], rules: () => to('a', 'b'), ...options }, 'stop');
}

/** Reloads at the n-th call of a renewal; kills the process `killedAfter` calls later. */
async function reloadedAt(at: number | null, killedAfter: number | null = null) {
  const stage = await withThird();
  const reloads: Promise<Daemon | null>[] = [];
  let calls = 0;
  let left = killedAfter;
  let name = 'not reloaded';
  // a reload waits until the start is over: those are calls of the first scan and what follows
  stage.onCall = (_call, called) => {
    calls += 1;
    if (at === null || calls <= at) return;
    if (name === 'not reloaded') {
      name = called;
      reloads.push(Promise.resolve().then(() => stage.reload({ rules: to('a', 'b', 'c') })));
      return;
    }
    if (left !== null && (left -= 1) < 0) stage.crash();
  };
  await stage.start();
  await stage.pass(HOUR + 20 * MINUTE, MINUTE);
  stage.onCall = null;
  return { stage, calls, where: `reloaded at call ${at}, ${name}; killed ${killedAfter}`, before: await reloads[0] };
}
