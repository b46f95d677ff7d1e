import { describe, expect, it } from 'vitest';
import { DAY, HOUR, MINUTE, SECOND } from '../../src/domain/time.ts';
import type { FaultOutcome } from '../fakes/memory-issuer-faults.ts';
import { deletions, expectOnly, nearRenewal, passServing, posts } from './issuer-scene.ts';
import { Stage } from './stage.ts';

describe('a creation whose answer is lost', () => {
  const applied: readonly [string, FaultOutcome][] = [
    ['I1: applied, the connection reset', 'applied-and-lost'],
    ['I9: applied, 2xx without id or value', 'malformed'],
    ['I2: given up, and applied within the request lifetime', { late: 4 * MINUTE }],
    ['I2: given up, and applied at the very end of the request lifetime', { late: 5 * MINUTE - SECOND }],
  ];
  for (const [name, outcome] of applied) {
    for (const lag of [0, MINUTE - SECOND]) {
      it(`${name}, lists ${lag / SECOND} s late: found by its marker, deleted, made anew once`, async () => {
        const stage = await nearRenewal({ behaviour: { lag } });
        stage.issuer.fault('createSecret', outcome);
        await passServing(stage, 8 * HOUR);
        const [, lost, again, ...more] = posts(stage);
        expect([lost, again, more.length]).toEqual([expect.any(Number), expect.any(Number), 0]);

        const [, abandoned] = (await stage.rotations('shop')).toReversed();
        expect(abandoned).toMatchObject({ state: 'abandoned', secretId: '2' });
        expect(abandoned?.steps.at(-1)).toMatchObject({ step: 'create', outcome: 'lost' });
        // deleted before anything else was made
        const calls = stage.issuer.calls.map((call) => call.operation);
        expect(deletions(stage)).toEqual(['2']);
        expect(calls.indexOf('deleteSecret')).toBeLessThan(calls.lastIndexOf('createSecret'));
        expect(stage.events('response-lost')).toHaveLength(1);

        await expectOnly(stage, 'grace', '1');
        await passServing(stage, 15 * DAY, DAY);
        await expectOnly(stage, 'ok');
      });
    }
  }

  const unapplied: readonly [string, FaultOutcome][] = [
    ['I1: 502 from a proxy', 502],
    ['I4: 503', 503],
    ['I1: lost on its way', 'lost-before'],
  ];
  for (const [name, outcome] of unapplied) {
    it(`${name}: nothing is made before it surely cannot land any more`, async () => {
      const stage = await nearRenewal();
      stage.issuer.fault('createSecret', outcome);
      await passServing(stage, 8 * HOUR);
      const [, lost = 0, again = 0, ...more] = posts(stage);
      expect(more).toEqual([]);
      // I10: a list without it proves nothing until the longest request lifetime and the lag are over
      const { requestLifetime, listLag } = stage.issuer.timing;
      expect(again - lost).toBeGreaterThan(requestLifetime + listLag);
      expect(again - lost).toBeLessThan(HOUR);
      expect(deletions(stage)).toEqual([]);
      await expectOnly(stage, 'grace', '1');
    });
  }

  it('I1: the credential is failing meanwhile, and says why', async () => {
    const stage = await nearRenewal();
    stage.issuer.fault('createSecret', 'lost-before', { times: 2 });
    while (posts(stage).length < 2) await stage.pass(MINUTE, MINUTE);
    await stage.pass(7 * MINUTE, MINUTE);
    const view = await stage.view('shop');
    expect(view.failures).toBe(1);
    expect(view.lastError).toContain('createSecret');
    await stage.pass(2 * HOUR);
    expect(await stage.view('shop')).toMatchObject({ state: 'grace', failures: 0, lastError: null });
  });

  it('I2: one that lands long after the clean-up is swept all the same', async () => {
    const stage = await nearRenewal();
    stage.issuer.fault('createSecret', { late: 3 * HOUR });
    await passServing(stage, 10 * HOUR);
    expect(posts(stage)).toHaveLength(3);
    // made late: the third secret of this issuer, after that of the second attempt
    expect(stage.issuer.everySecret('shop')).toHaveLength(3);
    expect(deletions(stage)).toEqual(['3']);
    await expectOnly(stage, 'grace', '1');
  });

  it('I10: looks in between and a restart believe no list that lacks it either', async () => {
    const stage = await nearRenewal();
    stage.issuer.fault('createSecret', 'lost-before');
    while (posts(stage).length < 2) await stage.pass(MINUTE, MINUTE);
    const [, lost = 0] = posts(stage);
    const { requestLifetime, listLag } = stage.issuer.timing;
    for (let minute = 1; minute <= 5; minute += 1) {
      await passServing(stage, MINUTE, MINUTE);
      if (minute === 3) stage.crash();
      // an edited description makes the next scan look at once
      stage.issuer.describeCredential('shop', `edited ${minute} times`);
      if (minute === 3) await stage.start();
      else stage.daemon.scan();
      await stage.clock.settle(8);
    }
    expect((await stage.rotations('shop'))[0]).toMatchObject({ state: 'intended', finishedAt: null });
    await passServing(stage, 3 * HOUR);
    expect((posts(stage)[2] ?? 0) - lost).toBeGreaterThan(requestLifetime + listLag);
    expect(posts(stage)).toHaveLength(3);
    await expectOnly(stage, 'grace', '1');
  });

  it('I2: it is swept by a daemon that was started since', async () => {
    const stage = await nearRenewal();
    stage.issuer.fault('createSecret', { late: 4 * MINUTE });
    while (posts(stage).length < 2) await stage.pass(MINUTE, MINUTE);
    stage.crash();
    await stage.start();
    await passServing(stage, 8 * HOUR);
    expect(posts(stage)).toHaveLength(3);
    expect(deletions(stage)).toEqual(['2']);
    await expectOnly(stage, 'grace', '1');
  });

  it('I2: found by its marker though every list lags and the answers go on being lost', async () => {
    const stage = await nearRenewal({ behaviour: { lag: 50 * SECOND } });
    stage.issuer.fault('createSecret', 'applied-and-lost', { times: 3 });
    await passServing(stage, DAY);
    expect(posts(stage)).toHaveLength(5);
    expect(deletions(stage)).toEqual(['2', '3', '4']);
    await expectOnly(stage, 'grace', '1');
  });

  it('I1: a first secret whose answer is lost is the last live one, and stays until its successor is served', async () => {
    const stage = new Stage();
    stage.issuer.addCredential('shop');
    stage.issuer.fault('createSecret', 'applied-and-lost');
    await stage.start();
    await stage.pass(3 * HOUR);
    expect(posts(stage)).toHaveLength(2);
    expect(deletions(stage)).toEqual(['1']);
    const calls = stage.issuer.calls.map((call) => call.operation);
    expect(calls.indexOf('deleteSecret')).toBeGreaterThan(calls.lastIndexOf('updateSecret'));
    await expectOnly(stage, 'ok');
  });
});
