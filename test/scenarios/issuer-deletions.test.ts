import { describe, expect, it } from 'vitest';
import { DAY, HOUR, MINUTE } from '../../src/domain/time.ts';
import type { Duration } from '../../src/domain/time.ts';
import { deletions, expectOnly, liveIds, nearRenewal, passServing, posts } from './issuer-scene.ts';
import type { Stage } from './stage.ts';

describe('deletions at the issuer', () => {
  it('I15: 404 is success once a list past the lag lacks the secret', async () => {
    const stage = await nearGraceEnd({ behaviour: { lag: 55_000 } });
    // a person was quicker by a moment: every list still shows it
    stage.issuer.onCall('deleteSecret', ({ secretId }) => stage.issuer.removeSecret('shop', secretId ?? ''));
    await passServing(stage, 2 * DAY, HOUR);
    expect(deletions(stage)).toEqual(['1']);
    const sent = stage.issuer.calls.find((call) => call.operation === 'deleteSecret')?.at ?? 0;
    const rotation = (await stage.rotations('shop'))[0];
    expect(rotation).toMatchObject({ state: 'done' });
    expect(Date.parse(rotation?.finishedAt ?? '') - sent).toBeGreaterThanOrEqual(stage.issuer.timing.listLag);
    await expectOnly(stage, 'ok');
  });

  it('I15: 404 for a secret that lists go on showing is no success', async () => {
    const stage = await nearGraceEnd();
    const truly = stage.issuer.deleteSecret.bind(stage.issuer);
    let refused = 0;
    stage.issuer.deleteSecret = () => {
      refused += 1;
      return Promise.resolve('absent');
    };
    await passServing(stage, 2 * DAY, HOUR);
    expect((await stage.rotations('shop'))[0]).toMatchObject({ state: 'grace', finishedAt: null });
    expect(liveIds(stage)).toEqual(['1', '2']);
    // asked again, and not in a tight loop
    expect(refused).toBeGreaterThan(3);
    expect(refused).toBeLessThan(70);
    expect(await stage.view('shop')).toMatchObject({ state: 'failing', reason: 'issuer-failed' });
    stage.issuer.deleteSecret = truly;
    await passServing(stage, 3 * HOUR);
    await expectOnly(stage, 'ok');
  });

  it('P7: a deletion that waits until its proof is old is given up, and proven anew', async () => {
    const stage = await nearGraceEnd();
    const truly = stage.issuer.deleteSecret.bind(stage.issuer);
    const waited: Duration[] = [];
    stage.issuer.deleteSecret = (_clientId, _secretId, signal) => {
      const sent = stage.clock.now();
      return new Promise((_resolve, reject) =>
        signal?.addEventListener('abort', () => {
          waited.push(stage.clock.now() - sent);
          reject(signal.reason as Error);
        }),
      );
    };
    await passServing(stage, 2 * DAY, HOUR);
    expect(Math.max(...waited)).toBeLessThanOrEqual(2 * MINUTE);
    expect(waited.length).toBeGreaterThan(1);
    const [failed] = stage.events('deletion-failed');
    expect(failed?.fields['error']).toMatch(/^the deletion was given up, because what was proven for it may not hold/);
    stage.issuer.deleteSecret = truly;
    await passServing(stage, 3 * HOUR);
    await expectOnly(stage, 'ok');
  });

  it('I10: a deletion is confirmed by no list that may be stale, and not repeated meanwhile', async () => {
    const stage = await nearGraceEnd({ behaviour: { lag: 59_000 } });
    await passServing(stage, 2 * DAY, HOUR);
    expect(deletions(stage)).toEqual(['1']);
    await expectOnly(stage, 'ok');
  });

  it('I16: strangers fill the cap: blocked with the reason, and nothing is deleted', async () => {
    const stage = await nearRenewal({ limits: { maxLiveSecrets: 3 } });
    const theirs = [1, 2].map(() => stage.issuer.addSecret('shop', { expires: null }).secretId);
    await passServing(stage, 3 * DAY, HOUR);
    expect(await stage.view('shop')).toMatchObject({ state: 'blocked', reason: 'cap-reached' });
    expect(posts(stage)).toHaveLength(1);
    expect(deletions(stage)).toEqual([]);
    stage.issuer.removeSecret('shop', theirs[0] ?? '');
    await passServing(stage, 2 * HOUR);
    await expectOnly(stage, 'grace', '1', theirs[1] ?? '');
  });

  it('I16: strangers fill the cap until the served secret is nearly dead: one more than the limit then', async () => {
    const stage = await nearRenewal({ limits: { maxLiveSecrets: 3 } });
    const theirs = [1, 2].map(() => stage.issuer.addSecret('shop', { expires: null }).secretId);
    await passServing(stage, 30 * DAY, 6 * HOUR);
    expect(deletions(stage)).toEqual([]);
    expect(liveIds(stage)).toEqual(expect.arrayContaining([...theirs, '4']));
    expect((await stage.view('shop')).current?.secretId).toBe('4');
  });

  it('I16: our own orphans fill the cap: they go first, then a new one is made', async () => {
    const stage = await nearRenewal({ limits: { maxLiveSecrets: 3 } });
    stage.issuer.behaviour.acceptDelay = 2 * DAY;
    stage.issuer.fault('deleteSecret', 503, { times: Infinity });
    await passServing(stage, 6 * HOUR, HOUR);
    expect(liveIds(stage)).toEqual(['1', '2', '3']);
    expect(await stage.view('shop')).toMatchObject({ state: 'blocked', reason: 'cap-reached' });
    stage.issuer.heal();
    const before = stage.issuer.calls.length;
    stage.issuer.behaviour.acceptDelay = 0;
    await passServing(stage, 4 * HOUR);
    expect(new Set(deletions(stage))).toEqual(new Set(['2', '3']));
    const order = stage.issuer.calls.slice(before).map((call) => call.operation);
    expect(order.indexOf('deleteSecret')).toBeGreaterThanOrEqual(0);
    expect(order.indexOf('deleteSecret')).toBeLessThan(order.indexOf('createSecret'));
    expect(posts(stage)).toHaveLength(4);
    await expectOnly(stage, 'grace', '1');
  });

  it("I16: the issuer's own cap is told, and nothing is deleted to make room", async () => {
    const stage = await nearRenewal();
    const theirs = stage.issuer.addSecret('shop', { expires: null }).secretId;
    stage.issuer.behaviour.cap = 2;
    await passServing(stage, DAY, HOUR);
    expect(await stage.view('shop')).toMatchObject({ state: 'failing', reason: 'issuer-failed' });
    expect(deletions(stage)).toEqual([]);
    stage.issuer.behaviour.cap = 10;
    await passServing(stage, 2 * HOUR);
    await expectOnly(stage, 'grace', '1', theirs);
  });
});

async function nearGraceEnd(options: Parameters<typeof nearRenewal>[0] = {}): Promise<Stage> {
  const stage = await nearRenewal(options);
  await passServing(stage, 10 * HOUR);
  await passServing(stage, 13 * DAY, DAY);
  await expectOnly(stage, 'grace', '1');
  return stage;
}
