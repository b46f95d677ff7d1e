import { describe, expect, it } from 'vitest';
import type { Policy } from '../../src/config/settings.ts';
import { DAY, formatInstant, HOUR, MINUTE, SECOND } from '../../src/domain/time.ts';
import type { Duration, Instant } from '../../src/domain/time.ts';
import { windowsOf } from '../fakes/windows.ts';
import { scraped } from './scraped.ts';
import { passServed } from './short-lives.ts';
import { Stage } from './stage.ts';
import type { StageOptions } from './stage.ts';

const KEY = { issuer: 'data8', clientId: 'shop' };
const START = Date.UTC(2030, 0, 1);

/** Open from noon to four. A secret is due six days after it was made, and what it replaces may go 30 hours later. */
const NOON: Partial<Policy> = {
  lifetime: 10 * DAY,
  renewBefore: 4 * DAY,
  grace: 30 * HOUR,
  verify: { method: 'token', timeout: MINUTE, settle: 10 * SECOND },
  windows: windowsOf(['0 12 * * *', 4 * HOUR]),
};

describe('with maintenance windows', () => {
  it('a renewal waits for its window, and so does the deletion', async () => {
    const stage = await settled();
    // due at midnight
    await passServed(stage, 'shop', START + 6 * DAY + 11 * HOUR - stage.clock.now(), '', HOUR);
    const view = await stage.view('shop');
    expect([view.state, view.reason]).toEqual(['due', 'outside-window']);
    expect(stage.issuer.count('createSecret')).toBe(1);
    await passServed(stage, 'shop', 2 * HOUR, '', 10 * MINUTE);
    expect(sinceNoon(stage, 'createSecret')).toEqual([6]);
    // its grace ends at six in the evening of the next day
    await passServed(stage, 'shop', START + 8 * DAY + 11 * HOUR - stage.clock.now(), '', HOUR);
    expect((await stage.view('shop')).state).toBe('grace');
    expect(stage.issuer.secrets('shop')).toHaveLength(2);
    await passServed(stage, 'shop', 2 * HOUR, '', 10 * MINUTE);
    expect(sinceNoon(stage, 'deleteSecret')).toEqual([8]);
    expect((await stage.view('shop')).state).toBe('ok');
    // all but the very first delivery, which waits for nothing
    expect(stage.events('window-missed').map(({ fields }) => fields['reason'])).toEqual(['destination-empty']);
    expect(stage.events('deletion-waiting')).toEqual([]);
  });

  it('metrics show when a renewal may begin by its windows beside when it is due, so that no alert takes it for late', async () => {
    const stage = await settled();
    const label = '_timestamp_seconds{issuer="data8",credential="shop",name="shop"}';
    const due = (await stage.ledger.credential(KEY))?.renewAt ?? 0;
    expect(Math.floor((due - START) / HOUR)).toBe(6 * 24);
    const dates = [
      `rekeyd_secret_renew${label} ${due / SECOND}`,
      `rekeyd_rotation_start${label} ${(START + 6 * DAY + 12 * HOUR) / SECOND}`,
    ];
    expect(await scraped(stage)).toEqual(expect.arrayContaining(dates));
    // nothing lets it begin: the window is missed, and the date stays
    await stage.daemon.pause(KEY, { until: null, note: null, actor: 'test' });
    await stage.pass(START + 6 * DAY + 20 * HOUR - stage.clock.now(), HOUR);
    expect(await scraped(stage)).toEqual(expect.arrayContaining(dates));
  });

  it('metrics show no such date where there are no windows', async () => {
    const stage = await settled({ policy: { ...NOON, windows: null } });
    const lines = await scraped(stage);
    expect(lines.filter((line) => line.startsWith('rekeyd_secret_renew'))).toHaveLength(1);
    expect(lines.filter((line) => line.startsWith('rekeyd_rotation_start'))).toEqual([]);
  });

  it('a renewal that no window fits goes ahead, and tells', async () => {
    const stage = await settled();
    await stage.stop();
    await stage.pass(START + 9 * DAY + 3 * HOUR - stage.clock.now(), HOUR);
    await stage.start();
    await passServed(stage, 'shop', 5 * MINUTE, '', MINUTE);
    expect(stage.issuer.count('createSecret')).toBe(2);
    const [, missed] = stage.events('window-missed');
    expect(missed).toMatchObject({ level: 'warn', fields: { reason: 'expiring', clientId: 'shop' } });
    expect(missed?.fields['expires']).toBe(formatInstant(firstEnds(stage)));
  });

  it('a person passes with a rotation, and waits with a deletion', async () => {
    const stage = await settled();
    await passServed(stage, 'shop', 5 * HOUR, '', HOUR);
    const { rotationId } = await stage.daemon.rotate(KEY, { note: null, grace: null, actor: 'test' });
    await passServed(stage, 'shop', 5 * MINUTE, '', MINUTE);
    expect((await stage.daemon.rotation(rotationId))?.state).toBe('grace');
    await stage.daemon.retire(rotationId, 'test');
    await passServed(stage, 'shop', 4 * HOUR, '', 30 * MINUTE);
    expect(stage.clock.now()).toBeLessThan(START + 12 * HOUR);
    expect(stage.issuer.secrets('shop')).toHaveLength(2);
    const { checks } = await stage.daemon.explain(KEY);
    expect(checks.find((each) => each.check === 'retirements')?.saw).toMatch(
      /waits: its next window opens at 2030-01-01T12:00:00\.000Z$/,
    );
    const { items } = await stage.daemon.plan();
    expect(items.find((each) => each.action === 'retire')).toMatchObject({
      reason: 'outside-window',
      dueAt: '2030-01-01T12:00:00.000Z',
    });
    await passServed(stage, 'shop', 3 * HOUR, '', 30 * MINUTE);
    expect(sinceNoon(stage, 'deleteSecret')).toEqual([0]);
  });

  it('what was begun is finished after its window, and what is missing is mended at once', async () => {
    const stage = await settled();
    await passServed(stage, 'shop', START + 6 * DAY + 11 * HOUR - stage.clock.now(), '', HOUR);
    const lift = stage.vault('b').fail({ fault: 'unavailable', operations: ['deliver'] });
    await passServed(stage, 'shop', 6 * HOUR, '', HOUR);
    expect((await stage.rotations('shop'))[0]?.state).toBe('delivering');
    lift();
    await passServed(stage, 'shop', HOUR, '', HOUR);
    expect((await stage.rotations('shop'))[0]?.state).toBe('grace');
    expect(stage.clock.now()).toBe(START + 6 * DAY + 18 * HOUR);
    stage.vault('a').remove('shop');
    await stage.pass(2 * HOUR, HOUR);
    expect(await stage.allServedAlive('shop')).toBe(true);
    expect(stage.events('window-missed')).toHaveLength(1);
  });

  it.each([
    ['while it is looked at', 'a.describe', 1],
    ['while what was seen is stored', 'ledger.commit', 1],
    ['while it is stored that the call goes out', 'ledger.commit', 2],
  ])('no DELETE goes out where the window shuts %s', async (_when, name, nth) => {
    const stage = await settled();
    await untilGraceIsOver(stage);
    // ten minutes before it shuts are kept for the call
    await stage.pass(START + 8 * DAY + 15 * HOUR + 49 * MINUTE - stage.clock.now(), MINUTE);
    const jumped = jumpAt(stage, name, nth, 2 * MINUTE - 1);
    await stage.start();
    await stage.pass(MINUTE, MINUTE);
    expect(jumped()).toBeGreaterThan(START + 8 * DAY + 15 * HOUR);
    expect(stage.issuer.count('deleteSecret')).toBe(0);
    const { secrets = [] } = (await stage.ledger.credential(KEY)) ?? {};
    expect(secrets.map((each) => each.deletingSince)).toEqual([null, null]);
    await stage.pass(3 * HOUR, HOUR);
    const view = await stage.view('shop');
    expect([view.state, view.lastError]).toEqual(['grace', null]);
    expect(stage.events('deletion-failed')).toEqual([]);
    await passServed(stage, 'shop', START + 9 * DAY + 13 * HOUR - stage.clock.now(), '', HOUR);
    expect(sinceNoon(stage, 'deleteSecret')).toEqual([9]);
  });

  it('no rotation begins where the window shuts while what was seen is stored', async () => {
    const stage = await settled();
    await stage.stop();
    await stage.pass(START + 6 * DAY + 15 * HOUR + 58 * MINUTE - stage.clock.now(), HOUR);
    const jumped = jumpAt(stage, 'ledger.commit', 1, MINUTE);
    await stage.start();
    await passServed(stage, 'shop', 19 * HOUR, '', HOUR);
    expect(jumped()).toBeGreaterThan(START + 6 * DAY);
    expect(stage.issuer.count('createSecret')).toBe(1);
    await passServed(stage, 'shop', 2 * HOUR, '', HOUR);
    expect(sinceNoon(stage, 'createSecret')).toEqual([7]);
  });

  it('a DELETE that hangs is given up so early that it lands in its window', async () => {
    const stage = await settled({ timing: { requestLifetime: MINUTE } });
    await untilGraceIsOver(stage);
    const from = START + 8 * DAY + 15 * HOUR + 58 * MINUTE;
    await stage.pass(from - stage.clock.now(), MINUTE);
    const sent: Instant[] = [];
    const givenUp: Instant[] = [];
    stage.issuer.deleteSecret = (_clientId, _secretId, signal) =>
      new Promise((_resolve, reject) => {
        sent.push(stage.clock.now());
        signal?.addEventListener('abort', () => {
          givenUp.push(stage.clock.now());
          reject(signal.reason as Error);
        });
      });
    await stage.start();
    await stage.pass(2 * MINUTE, MINUTE);
    expect(sent).toEqual([from]);
    expect(givenUp).toEqual([START + 8 * DAY + 15 * HOUR + 59 * MINUTE]);
    const [failed] = stage.events('deletion-failed');
    expect(failed?.fields['error']).toMatch(/^the deletion was given up, because its maintenance window shuts/);
    await stage.pass(3 * HOUR, HOUR);
    expect(sent).toHaveLength(1);
  });
});

/** A credential that was delivered at midnight. */
async function settled(options: StageOptions = {}): Promise<Stage> {
  const stage = new Stage({ policy: NOON, ...options });
  stage.issuer.addCredential('shop');
  await stage.start();
  await stage.pass(HOUR, HOUR);
  expect((await stage.view('shop')).state).toBe('ok');
  return stage;
}

/** It was renewed, and the daemon is down until after the grace of the old secret, within no window. */
async function untilGraceIsOver(stage: Stage): Promise<void> {
  await passServed(stage, 'shop', START + 7 * DAY + 17 * HOUR - stage.clock.now(), '', HOUR);
  expect((await stage.view('shop')).state).toBe('grace');
  await stage.stop();
  await stage.pass(START + 8 * DAY + 15 * HOUR - stage.clock.now(), HOUR);
}

/** The clock goes on in the n-th call of that name after a list of the secrets. @returns when it did; 0: not yet. */
function jumpAt(stage: Stage, name: string, nth: number, by: Duration): () => Instant {
  let jumped = 0;
  let calls = 0;
  stage.onCall = (_call, called) => {
    if (called !== name || stage.issuer.calls.at(-1)?.operation !== 'listSecrets' || (calls += 1) !== nth) return;
    jumped = stage.clock.now();
    stage.clock.jump(by);
  };
  return () => jumped;
}

/** The days, from 0, on which calls of this kind went out in the first quarter of an hour of the window. */
function sinceNoon(stage: Stage, operation: 'createSecret' | 'deleteSecret'): number[] {
  const calls = stage.issuer.calls.filter((each) => each.operation === operation && each.at > START + HOUR);
  return calls.map(({ at }) => {
    expect((at - START) % DAY, formatInstant(at)).toBeGreaterThanOrEqual(12 * HOUR);
    expect((at - START) % DAY, formatInstant(at)).toBeLessThan(12 * HOUR + 15 * MINUTE);
    return Math.floor((at - START) / DAY);
  });
}

function firstEnds(stage: Stage): Instant {
  const [wish] = stage.issuer.calls.filter((each) => each.operation === 'updateSecret');
  return wish?.wish?.expires ?? 0;
}
