import { describe, expect, it } from 'vitest';
import { DAY, HOUR, MINUTE, parseDuration } from '../../src/domain/time.ts';
import type { RotateRequest } from '../../src/daemon/api.ts';
import { Refusal } from '../../src/daemon/api.ts';
import { passServed, payloadOf, SHORT } from './short-lives.ts';
import { ruleFor, Stage } from './stage.ts';
import type { StageOptions } from './stage.ts';

const KEY = { issuer: 'data8', clientId: 'shop' };
const LONG = { ...SHORT, lifetime: 90 * DAY, renewBefore: 30 * DAY, grace: 14 * DAY, provisional: DAY };

describe('a rotation that a person asks for', () => {
  it('starts at once, skips the settling, and is kept with who asked and why', async () => {
    const stage = await settled({ policy: { ...LONG, verify: { method: 'token', timeout: MINUTE, settle: HOUR } } });
    const answer = await stage.daemon.rotate(KEY, { note: 'leaked', grace: null, actor: 'ci' });
    expect(answer.grace).toBe('14d');
    await passServed(stage, 'shop', MINUTE);
    expect(await stage.daemon.rotation(answer.rotationId)).toMatchObject({
      trigger: 'manual',
      reason: 'manual',
      note: 'leaked',
      actor: 'ci',
      state: 'grace',
      generation: 2,
    });
    expect((await stage.view('shop')).state).toBe('grace');
    await passServed(stage, 'shop', 15 * DAY, '', DAY);
    expect(stage.issuer.secrets('shop')).toHaveLength(1);
    expect((await stage.daemon.rotation(answer.rotationId))?.state).toBe('done');
  });

  it('one in flight: the same id, and a shorter grace is taken over and echoed; a longer one is not', async () => {
    const stage = await settled({});
    stage.issuer.behaviour.acceptDelay = 30_000;
    const first = await stage.daemon.rotate(KEY, request());
    await stage.pass(10_000, 10_000);
    const again = await stage.daemon.rotate(KEY, request({ grace: 2 * DAY }));
    expect(again).toEqual({ rotationId: first.rotationId, grace: '2d' });
    expect(await stage.daemon.rotate(KEY, request({ grace: 5 * DAY }))).toEqual(again);
    expect(await stage.daemon.rotate(KEY, request())).toEqual(again);
    await passServed(stage, 'shop', HOUR);
    const rotation = await stage.daemon.rotation(first.rotationId);
    expect(rotation?.state).toBe('grace');
    const delivered = Date.parse(String(rotation?.deliveredAt));
    expect(Date.parse(String(rotation?.deleteAfter))).toBe(delivered + 2 * DAY);
    expect(stage.issuer.count('createSecret')).toBe(2);
    await passServed(stage, 'shop', 2 * DAY, '', HOUR);
    expect(stage.issuer.secrets('shop')).toHaveLength(1);
  });

  it('joins a scheduled rotation that is in flight, too', async () => {
    const stage = await settled({ policy: { ...LONG, maxAge: 2 * HOUR } });
    stage.issuer.behaviour.acceptDelay = 50_000;
    while ((await stage.view('shop')).state !== 'rotating') await stage.pass(MINUTE / 2, MINUTE / 2);
    const [running] = await stage.rotations('shop');
    expect((await stage.daemon.rotate(KEY, request({ grace: HOUR }))).rotationId).toBe(running?.id);
  });

  it('in grace: a new one; both old secrets go, each at its own date', async () => {
    const stage = await settled({});
    const first = await stage.daemon.rotate(KEY, request());
    await passServed(stage, 'shop', DAY, '', HOUR);
    const second = await stage.daemon.rotate(KEY, request({ grace: DAY }));
    expect(second.rotationId).not.toBe(first.rotationId);
    await passServed(stage, 'shop', HOUR);
    expect(stage.issuer.secrets('shop')).toHaveLength(3);
    await passServed(stage, 'shop', DAY + HOUR, '', HOUR);
    expect(stage.issuer.secrets('shop').map((each) => each.secretId)).toEqual(['1', '3']);
    await passServed(stage, 'shop', 13 * DAY, '', DAY);
    expect(stage.issuer.secrets('shop').map((each) => each.secretId)).toEqual(['3']);
    expect((await stage.rotations('shop')).map((each) => each.state)).toEqual(['done', 'done', 'done']);
  });

  it('a stuck delivery is passed by: the next generation starts, and takes over its destinations', async () => {
    const stage = await settled({});
    const lift = stage.vault('b').fail({ fault: 'unavailable', operations: ['deliver'] });
    const first = await stage.daemon.rotate(KEY, request());
    await passServed(stage, 'shop', 2 * HOUR);
    expect((await stage.daemon.rotation(first.rotationId))?.state).toBe('delivering');
    lift();
    stage.vault('b').fail({ fault: 'unavailable', operations: ['deliver'], times: 1 });
    const second = await stage.daemon.rotate(KEY, request());
    await passServed(stage, 'shop', HOUR);
    const states = (await stage.rotations('shop')).map((each) => each.state);
    expect(['grace', 'done']).toContain(states[0]);
    expect(stage.vault('a').peek('shop')?.mark?.secretId).toBe(stage.vault('b').peek('shop')?.mark?.secretId);
    expect([first.rotationId, second.rotationId].length).toBe(2);
    await passServed(stage, 'shop', 16 * DAY, '', DAY);
    expect(stage.issuer.secrets('shop')).toHaveLength(1);
    expect((await stage.view('shop')).state).toBe('ok');
  });

  it('P1: a request that waits in the queue survives a crash, at once after the answer', async () => {
    const stage = await settled({ resync: 10 * DAY });
    stage.issuer.behaviour.latency = 1000;
    const answer = await stage.daemon.rotate(KEY, request());
    stage.crash();
    expect((await stage.ledger.rotation(answer.rotationId))?.sentAt).toBeNull();
    await stage.start();
    await passServed(stage, 'shop', 10 * MINUTE);
    expect((await stage.daemon.rotation(answer.rotationId))?.state).toBe('grace');
    expect(stage.issuer.count('createSecret')).toBe(2);
  });

  it('a limit that holds it back ends it, with the reason', async () => {
    const stage = await settled({ limits: { createsPerDay: 1 } });
    const answer = await stage.daemon.rotate(KEY, request());
    await passServed(stage, 'shop', MINUTE);
    const rotation = await stage.daemon.rotation(answer.rotationId);
    expect(rotation?.state).toBe('abandoned');
    expect(rotation?.error).toContain('budget-spent');
    expect(stage.issuer.count('createSecret')).toBe(1);
    const told = {
      rotationId: answer.rotationId,
      reason: 'budget-spent',
      wanted: 'manual',
      outcome: 'skipped',
      step: null,
    };
    expect(stage.events('rotation-abandoned').at(-1)?.fields).toMatchObject(told);
    // with the next day it may be asked for again
    await passServed(stage, 'shop', DAY + HOUR, '', HOUR);
    const later = await stage.daemon.rotate(KEY, request());
    await passServed(stage, 'shop', HOUR);
    expect((await stage.daemon.rotation(later.rotationId))?.state).toBe('grace');
  });

  it('never passes the cap', async () => {
    const stage = await settled({ limits: { maxLiveSecrets: 2 } });
    stage.issuer.addSecret('shop');
    const answer = await stage.daemon.rotate(KEY, request());
    await passServed(stage, 'shop', MINUTE);
    expect((await stage.daemon.rotation(answer.rotationId))?.error).toContain('cap-reached');
    expect(stage.issuer.count('createSecret')).toBe(1);
  });

  it('passes the breaker', async () => {
    const stage = await settled({ limits: { breaker: { failures: 1, cooldown: DAY } } });
    stage.issuer.addCredential('other');
    stage.issuer.fault('createSecret', 429, { clientId: 'other' });
    await stage.pass(HOUR);
    expect((await stage.daemon.status()).breakers[0]?.open).toBe(true);
    const answer = await stage.daemon.rotate(KEY, request());
    await passServed(stage, 'shop', 10 * MINUTE);
    expect((await stage.daemon.rotation(answer.rotationId))?.state).toBe('grace');
  });

  it('two triggers at the same time queue one', async () => {
    const stage = await settled({});
    const answers = await Promise.all([1, 2, 3, 4].map(() => stage.daemon.rotate(KEY, request())));
    expect(new Set(answers.map((each) => each.rotationId)).size).toBe(1);
    await passServed(stage, 'shop', HOUR);
    expect(stage.issuer.count('createSecret')).toBe(2);
  });
});

describe('a rotation that is refused', () => {
  it('404 where nobody knows the credential', async () => {
    const stage = await settled({});
    await expectRefusal(stage, 'not-found', null, { issuer: 'data8', clientId: 'nobody' });
    await expectRefusal(stage, 'not-found', null, { issuer: 'elsewhere', clientId: 'shop' });
  });

  it('409 when paused, over all or alone', async () => {
    const stage = await settled({});
    await stage.daemon.pause(KEY, { until: null, note: null, actor: 'test' });
    await expectRefusal(stage, 'conflict', 'paused');
    await stage.daemon.resume(KEY, 'test');
    await stage.daemon.pause(null, { until: null, note: null, actor: 'test' });
    await expectRefusal(stage, 'conflict', 'paused');
    await stage.daemon.resume(null, 'test');
    await stage.daemon.rotate(KEY, request());
  });

  it('409 when suspended, unmanaged or ignored', async () => {
    const stage = new Stage({
      rules: (policy) => [
        ruleFor(policy, ['a'], 'asleep', { suspend: true }),
        ruleFor(policy, ['a'], 'ignored', { ignore: true }),
        ruleFor(policy, ['a'], 'shop'),
      ],
    });
    for (const clientId of ['asleep', 'ignored', 'stranger']) stage.issuer.addCredential(clientId);
    await stage.start();
    await stage.pass(MINUTE);
    await expectRefusal(stage, 'conflict', 'suspended', { issuer: 'data8', clientId: 'asleep' });
    await expectRefusal(stage, 'conflict', 'unmanaged', { issuer: 'data8', clientId: 'stranger' });
    await expectRefusal(stage, 'conflict', 'ignored', { issuer: 'data8', clientId: 'ignored' });
    expect(stage.issuer.count('createSecret')).toBe(0);
  });

  it('409 when blocked, with what blocks it', async () => {
    const stage = new Stage({ policy: LONG });
    stage.issuer.addCredential('shop');
    stage.vault('a').putForeign('shop', payloadOf('shop', 'nobody knows', null));
    await stage.start();
    await stage.pass(MINUTE);
    await expectRefusal(stage, 'conflict', 'entry-foreign');
  });

  it.each(['observe', 'no-delete'] as const)('409 in mode %s', async (mode) => {
    const stage = new Stage({ policy: LONG, mode });
    stage.issuer.addCredential('shop');
    await stage.start();
    await stage.pass(HOUR);
    await expectRefusal(stage, 'conflict', mode === 'observe' ? 'mode-observe' : 'mode-no-delete');
    // no-delete does make new secrets, by the schedule
    const refused = stage.daemon.rotate(KEY, request());
    await expect(refused).rejects.toThrow(`the mode is ${mode}: nothing is rotated on request`);
  });

  it('429 on cooldown after a failure, with when to come again; a restart does not reset it', async () => {
    const stage = await settled({});
    stage.issuer.fault('createSecret', 403, { times: Number.POSITIVE_INFINITY });
    for (let attempt = 0; attempt < 4; attempt += 1) {
      await stage.daemon.rotate(KEY, request()).catch(() => undefined);
      await stage.pass(MINUTE, MINUTE);
    }
    const record = await stage.ledger.credential(KEY);
    await stage.daemon.rotate(KEY, request()).catch(() => undefined);
    await stage.pass(1000, 1000);
    const refusal = await expectRefusal(stage, 'too-soon', 'backoff');
    expect(refusal.retryAfter).toBeGreaterThan(0);
    expect(refusal.retryAfter).toBeLessThanOrEqual(3600);
    stage.crash();
    await stage.start();
    await expectRefusal(stage, 'too-soon', 'backoff');
    expect(record?.failures).toBeGreaterThan(1);
    stage.issuer.heal();
    await stage.pass(2 * HOUR);
    const answer = await stage.daemon.rotate(KEY, request());
    await passServed(stage, 'shop', HOUR);
    expect((await stage.daemon.rotation(answer.rotationId))?.state).toBe('grace');
    expect((await stage.view('shop')).failures).toBe(0);
  });
});

describe('the end of a grace, asked for', () => {
  it('comes at once, with the proof; without it, it waits', async () => {
    const stage = await settled({ policy: { ...LONG, retire: 'manual' } });
    const { rotationId } = await stage.daemon.rotate(KEY, request());
    await passServed(stage, 'shop', 20 * DAY, '', DAY);
    expect(stage.issuer.secrets('shop'), 'retire: manual').toHaveLength(2);
    const lift = stage.vault('b').goDown();
    await stage.daemon.retire(rotationId, 'test');
    await stage.pass(HOUR);
    expect(stage.issuer.secrets('shop'), 'no proof').toHaveLength(2);
    lift();
    await passServed(stage, 'shop', HOUR);
    expect(stage.issuer.secrets('shop')).toHaveLength(1);
    await expect(stage.daemon.retire(rotationId, 'test')).rejects.toMatchObject({ kind: 'conflict' });
    await expect(stage.daemon.retire('nothing', 'test')).rejects.toMatchObject({ kind: 'not-found' });
  });

  it('is answered with the date that it gave', async () => {
    const stage = await settled({});
    const { rotationId } = await stage.daemon.rotate(KEY, request());
    await passServed(stage, 'shop', HOUR);
    const answer = await stage.daemon.retire(rotationId, 'test');
    expect(Date.parse(String(answer.deleteAfter))).toBe(stage.clock.now());
  });
});

function request(more: Partial<RotateRequest> = {}): RotateRequest {
  return { note: null, grace: null, actor: 'test', ...more };
}

/** A credential with a served secret, nothing due. */
async function settled(options: StageOptions): Promise<Stage> {
  const stage = new Stage({ policy: LONG, ...options });
  stage.issuer.addCredential('shop');
  await stage.start();
  await stage.pass(HOUR);
  expect((await stage.view('shop')).state).toBe('ok');
  expect(parseDuration('14d')).toBe(14 * DAY);
  return stage;
}

async function expectRefusal(
  stage: Stage,
  kind: Refusal['kind'],
  reason: Refusal['reason'],
  key = KEY,
): Promise<Refusal> {
  const refusal: unknown = await stage.daemon.rotate(key, request()).catch((error: unknown) => error);
  expect(refusal).toBeInstanceOf(Refusal);
  expect(refusal).toMatchObject({ kind, reason });
  return refusal as Refusal;
}
