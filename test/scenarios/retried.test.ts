import { describe, expect, it } from 'vitest';
import type { RotateRequest, RotationView } from '../../src/daemon/api.ts';
import { DAY, HOUR, MINUTE, SECOND } from '../../src/domain/time.ts';
import { passServed, SHORT } from './short-lives.ts';
import { Stage } from './stage.ts';
import type { StageOptions } from './stage.ts';

const KEY = { issuer: 'data8', clientId: 'shop' };
const LONG = { ...SHORT, lifetime: 90 * DAY, renewBefore: 30 * DAY, grace: 14 * DAY, provisional: DAY };
const LEAKED: RotateRequest = { note: 'leaked', grace: 3 * DAY, actor: 'ci' };

describe('a rotation that a person asked for and that is cut off', () => {
  it('I1: by a lost answer: its secret goes, and another is made, for the same person', async () => {
    const stage = await settled();
    stage.issuer.fault('createSecret', 'applied-and-lost');
    const { rotationId } = await stage.daemon.rotate(KEY, LEAKED);
    await passServed(stage, 'shop', HOUR);
    const [lost, again, ...more] = await chain(stage, rotationId);
    expect(more).toEqual([]);
    expect(lost).toMatchObject({ state: 'abandoned', secretId: '2', retriedAs: again?.id });
    expectLeaked(again);
    expect(stage.events('rotation-abandoned').map(({ fields }) => fields)).toMatchObject([
      { reason: 'response-lost', wanted: 'manual', outcome: 'lost', step: 'create', retriedAs: again?.id },
    ]);
    expect(stage.issuer.everySecret('shop')[1]?.deletedAt).not.toBeNull();
  });

  it('P1: by a SIGKILL at any call: it is begun again, once', { timeout: 120_000 }, async () => {
    const { from, calls } = await killed(null);
    expect(calls - from).toBeGreaterThan(20);
    let begunAgain = 0;
    for (let at = from; at < calls; at += 1) {
      for (const side of ['before', 'after'] as const) {
        const { stage, rotationId, where } = await killed({ at, side });
        await passServed(stage, 'shop', HOUR, where);
        const [first, again, ...more] = await chain(stage, rotationId);
        expect(more, where).toEqual([]);
        expectLeaked(again ?? first, where);
        const roles = (await stage.view('shop')).secrets.map(({ role }) => role);
        expect(new Set(roles), `${where}: no orphan stays`).toEqual(new Set(['current', 'superseded']));
        begunAgain += again === undefined ? 0 : 1;
        stage.crash();
      }
    }
    expect(begunAgain).toBeGreaterThan(10);
  });

  it.each([
    ['verify', 'while its secret waits to be accepted', (stage: Stage) => (stage.issuer.behaviour.acceptDelay = HOUR)],
    [
      'extend',
      'before its secret has its full life',
      (stage: Stage) => stage.issuer.fault('updateSecret', 503, { times: Infinity }),
    ],
  ] as const)('P1: by a SIGKILL in %s, %s: its end is told as it is stored', async (step, _when, delay) => {
    const stage = await settled();
    delay(stage);
    const { rotationId } = await stage.daemon.rotate(KEY, LEAKED);
    await stage.pass(MINUTE / 2, SECOND);
    stage.crash();
    await stage.start();
    await stage.pass(20 * MINUTE);
    const [cut] = await chain(stage, rotationId);
    expect(cut?.steps.at(-1)).toMatchObject({ step, outcome: 'failed' });
    const told = stage.events('rotation-abandoned')[0]?.fields;
    expect(told).toMatchObject({ rotationId, reason: 'interrupted', wanted: 'manual', outcome: 'failed', step });
  });

  it('P2: by a stop while it waits for its secret to be accepted', async () => {
    const stage = await settled();
    stage.issuer.behaviour.acceptDelay = 10 * MINUTE;
    const { rotationId } = await stage.daemon.rotate(KEY, LEAKED);
    await stage.pass(MINUTE / 2, SECOND);
    await stage.stop();
    stage.issuer.behaviour.acceptDelay = 0;
    await stage.start();
    await passServed(stage, 'shop', HOUR);
    const [stopped, again] = await chain(stage, rotationId);
    expect(stopped?.steps.at(-1)).toMatchObject({ step: 'verify', outcome: 'failed' });
    expectLeaked(again);
  });

  it('V2: with its delivery recorded and its value nowhere: a new generation goes everywhere', async () => {
    const stage = await settled();
    const lifts = ['a', 'b'].map((name) => stage.vault(name).fail({ fault: 'unavailable', operations: ['deliver'] }));
    const { rotationId } = await stage.daemon.rotate(KEY, LEAKED);
    await passServed(stage, 'shop', MINUTE);
    expect((await stage.daemon.rotation(rotationId))?.state).toBe('delivering');
    stage.crash();
    for (const lift of lifts) lift();
    await stage.start();
    await passServed(stage, 'shop', HOUR);
    const [begun, again] = await chain(stage, rotationId);
    expect(begun).toMatchObject({ state: 'abandoned', secretId: '2' });
    expectLeaked(again);
  });

  it('is taken up with the grace of who joined one that was due by itself', async () => {
    const stage = await settled({ policy: { ...LONG, maxAge: 2 * HOUR } });
    stage.issuer.behaviour.acceptDelay = 10 * MINUTE;
    while ((await stage.view('shop')).state !== 'rotating') await stage.pass(MINUTE / 2, MINUTE / 2);
    const { rotationId } = await stage.daemon.rotate(KEY, LEAKED);
    expect(await stage.daemon.rotation(rotationId)).toMatchObject({ trigger: 'schedule', actor: 'rekeyd' });
    stage.crash();
    stage.issuer.behaviour.acceptDelay = 0;
    await stage.start();
    await passServed(stage, 'shop', 20 * MINUTE);
    const [, again] = await chain(stage, rotationId);
    expect(again).toMatchObject({ state: 'grace', trigger: 'manual', actor: 'ci' });
    expect(Date.parse(String(again?.deleteAfter)) - Date.parse(String(again?.deliveredAt))).toBe(3 * DAY);
  });
});

describe('a rotation that a person asked for and that has its answer', () => {
  it('is not begun again where the issuer refused it', async () => {
    const stage = await settled();
    stage.issuer.fault('createSecret', 403);
    const { rotationId } = await stage.daemon.rotate(KEY, LEAKED);
    await passServed(stage, 'shop', 2 * HOUR);
    expect(await chain(stage, rotationId)).toMatchObject([{ state: 'abandoned', retriedAs: null }]);
    expect(stage.issuer.count('createSecret')).toBe(2);
  });

  it('is not begun again where its new secret was never accepted', async () => {
    const stage = await settled();
    stage.issuer.behaviour.acceptDelay = DAY;
    const { rotationId } = await stage.daemon.rotate(KEY, LEAKED);
    await stage.pass(2 * HOUR);
    expect(await chain(stage, rotationId)).toMatchObject([{ state: 'abandoned', retriedAs: null }]);
  });

  it('ends where it was cut off and paused before it could begin again', async () => {
    const stage = await settled();
    stage.issuer.fault('createSecret', 'lost-before');
    const { rotationId } = await stage.daemon.rotate(KEY, LEAKED);
    await stage.pass(MINUTE, MINUTE);
    await stage.daemon.pause(KEY, { until: null, note: null, actor: 'test' });
    await passServed(stage, 'shop', HOUR);
    const [, again] = await chain(stage, rotationId);
    expect(again).toMatchObject({ state: 'abandoned', error: 'held back: paused', retriedAs: null });
    await stage.daemon.resume(KEY, 'test');
    await passServed(stage, 'shop', HOUR);
    expect(stage.issuer.count('createSecret')).toBe(2);
  });
});

async function settled(options: StageOptions = {}): Promise<Stage> {
  const stage = new Stage({ policy: LONG, ...options });
  stage.issuer.addCredential('shop');
  await stage.start();
  await passServed(stage, 'shop', HOUR);
  return stage;
}

/** Killed at a call after the request was answered, and started again. */
async function killed(kill: { at: number; side: 'before' | 'after' } | null) {
  const stage = await settled();
  stage.crash();
  if (kill !== null) stage.killAt(kill.at, kill.side);
  await stage.start();
  const { rotationId } = await stage.daemon.rotate(KEY, LEAKED);
  const from = stage.callCount;
  await passServed(stage, 'shop', 10 * MINUTE);
  const where = kill === null ? 'not killed' : `killed ${kill.side} call ${kill.at}, ${stage.killedIn}`;
  const calls = stage.callCount;
  stage.crash();
  await stage.start();
  return { stage, rotationId, where, from, calls };
}

/** The rotation, and those that took up its request one after the other. */
async function chain(stage: Stage, first: string): Promise<RotationView[]> {
  const found: RotationView[] = [];
  for (let id: string | null = first; id !== null;) {
    const rotation: RotationView | null = await stage.daemon.rotation(id);
    if (rotation === null) throw new Error(`there is no rotation ${id}`);
    found.push(rotation);
    id = rotation.retriedAs;
  }
  return found;
}

function expectLeaked(rotation: RotationView | undefined, where = ''): void {
  expect(rotation, where).toMatchObject({ state: 'grace', trigger: 'manual', note: 'leaked', actor: 'ci' });
  const { deliveredAt, deleteAfter } = rotation ?? {};
  expect(Date.parse(String(deleteAfter)) - Date.parse(String(deliveredAt)), where).toBe(3 * DAY);
}
