import { describe, expect, it } from 'vitest';
import { DAY, HOUR, MINUTE, SECOND } from '../../src/domain/time.ts';
import { SHOP } from './scene.ts';
import { deletions, expectOnly, nearRenewal, passServing, posts, served } from './issuer-scene.ts';

describe('an issuer that fails', () => {
  it('I4: attempts come with a growing pause that a restart does not reset', async () => {
    const stage = await nearRenewal({ limits: { breaker: { failures: 100, cooldown: MINUTE } } });
    stage.issuer.fault('createSecret', 'refused', { times: Infinity });
    await passServing(stage, 6 * HOUR);
    const before = posts(stage).slice(1);
    const pauses = before.slice(1).map((at, index) => at - (before[index] ?? 0));
    expect(pauses.length).toBeGreaterThan(8);
    // 5 s doubled each time up to an hour, the upper half of it chance
    pauses.slice(0, 9).forEach((pause, index) => {
      const full = Math.min(HOUR, 5 * SECOND * 2 ** index);
      expect(pause).toBeGreaterThanOrEqual(full / 2);
      expect(pause).toBeLessThanOrEqual(full + 16 * MINUTE);
    });
    expect(await stage.view('shop')).toMatchObject({ state: 'failing', failures: before.length });
    const { retryAt } = (await stage.ledger.credential({ issuer: 'data8', clientId: 'shop' })) ?? {};
    expect((retryAt ?? 0) - stage.clock.now()).toBeGreaterThan(MINUTE);

    for (let restart = 0; restart < 3; restart += 1) {
      stage.crash();
      await stage.start();
      await stage.pass(5 * SECOND, SECOND);
    }
    expect(posts(stage).slice(1)).toEqual(before);
    stage.issuer.heal();
    await passServing(stage, (retryAt ?? 0) - stage.clock.now() - SECOND);
    expect(posts(stage).slice(1)).toEqual(before);
    await passServing(stage, HOUR);
    expect(posts(stage)).toHaveLength(before.length + 2);
    await expectOnly(stage, 'grace', '1');
    // nothing was made by them: they spend no budget, and nothing is left of them
    expect(deletions(stage)).toEqual([]);
  });

  it('I4: a deletion that fails is tried again with a growing pause that a restart does not reset', async () => {
    const stage = await nearRenewal();
    await passServing(stage, 10 * HOUR);
    await passServing(stage, 13 * DAY, DAY);
    stage.issuer.fault('deleteSecret', 503, { times: Infinity });
    await passServing(stage, 2 * DAY, HOUR);
    // once an hour at the most in the end, and one doubling after another before that
    const before = deletions(stage);
    expect(before.length).toBeGreaterThan(5);
    expect(before.length).toBeLessThan(60);
    expect(await stage.view('shop')).toMatchObject({ state: 'failing', reason: 'issuer-failed' });
    expect((await stage.view('shop')).lastError).toContain('503');
    for (let restart = 0; restart < 3; restart += 1) {
      stage.crash();
      await stage.start();
      await stage.pass(5 * SECOND, SECOND);
    }
    expect(deletions(stage)).toEqual(before);
    stage.issuer.heal();
    await passServing(stage, 3 * HOUR);
    expect(deletions(stage)).toHaveLength(before.length + 1);
    await expectOnly(stage, 'ok');
    expect(await stage.view('shop')).toMatchObject({ lastError: null });
  });

  it('I4: a deletion that fails holds up no rotation', async () => {
    const stage = await served({ policy: { lifetime: 60 * DAY, renewBefore: 20 * DAY, grace: 2 * DAY } });
    stage.issuer.fault('deleteSecret', 503, { times: Infinity });
    await passServing(stage, 82 * DAY, 12 * HOUR);
    expect(posts(stage)).toHaveLength(3);
    expect(await stage.view('shop')).toMatchObject({ state: 'failing', current: { secretId: '3' } });
    stage.issuer.heal();
    await passServing(stage, 3 * DAY, HOUR);
    await expectOnly(stage, 'ok');
  });

  it('I4: PUT that fails is repeated with growing pauses, and nothing is delivered before it is confirmed', async () => {
    const stage = await nearRenewal();
    stage.issuer.fault('updateSecret', 503, { times: 3 });
    while (posts(stage).length < 2) await stage.pass(MINUTE, MINUTE);
    await passServing(stage, 20 * MINUTE, MINUTE);
    expect((await stage.view('shop')).current?.secretId).toBe('1');
    await passServing(stage, HOUR, MINUTE);
    expect(stage.issuer.count('updateSecret')).toBe(1 + 4);
    expect(posts(stage)).toHaveLength(2);
    await expectOnly(stage, 'grace', '1');
  });

  it('I4: lists that fail are told as failing, and nothing else is concluded from them', async () => {
    const stage = await nearRenewal();
    stage.issuer.fault('listSecrets', 503, { times: Infinity });
    await passServing(stage, 3 * DAY, HOUR);
    expect(await stage.view('shop')).toMatchObject({ state: 'failing', reason: 'issuer-failed' });
    expect(posts(stage)).toHaveLength(1);
    stage.issuer.heal();
    await passServing(stage, 2 * HOUR);
    await expectOnly(stage, 'grace', '1');
  });

  it('I4: lists that fail are asked for with a growing pause that a restart does not reset', async () => {
    const stage = await nearRenewal();
    stage.issuer.fault('listSecrets', 503, { times: Infinity });
    await passServing(stage, 12 * HOUR, HOUR);
    const before = stage.issuer.count('listSecrets');
    await passServing(stage, DAY, HOUR);
    const inDay = stage.issuer.count('listSecrets') - before;
    expect(inDay).toBeGreaterThanOrEqual(23);
    expect(inDay).toBeLessThanOrEqual(60);
    const asked = stage.issuer.count('listSecrets');
    for (let restart = 0; restart < 3; restart += 1) {
      stage.crash();
      await stage.start();
      await stage.pass(5 * SECOND, SECOND);
    }
    expect(stage.issuer.count('listSecrets')).toBe(asked);
  });

  for (const operation of ['createSecret', 'listSecrets', 'deleteSecret'] as const) {
    it(`I6: 403 on ${operation} is failing with that reason, and asked no oftener than once an hour in the end`, async () => {
      const stage = await nearRenewal();
      if (operation === 'deleteSecret') {
        await passServing(stage, 10 * HOUR);
        await passServing(stage, 13 * DAY, DAY);
      }
      stage.issuer.fault(operation, 403, { times: Infinity });
      await passServing(stage, 2 * DAY, HOUR);
      expect(await stage.view('shop')).toMatchObject({ state: 'failing', reason: 'issuer-forbidden' });
      const before = stage.issuer.count(operation);
      await passServing(stage, DAY, HOUR);
      expect(stage.issuer.count(operation) - before).toBeLessThanOrEqual(50);
      stage.issuer.heal();
      await passServing(stage, 12 * HOUR, HOUR);
      if (operation === 'deleteSecret') await expectOnly(stage, 'ok');
      else await expectOnly(stage, 'grace', '1');
    });
  }

  it('I6: 403 to what a person asked for is failing with that reason, until it may be asked for again', async () => {
    const stage = await served();
    const ask = () => stage.daemon.rotate(SHOP, { note: null, grace: null, actor: 'test' });
    stage.issuer.fault('createSecret', 403);
    await ask();
    await stage.pass(SECOND, SECOND);
    expect(await stage.view('shop')).toMatchObject({ state: 'failing', reason: 'issuer-forbidden', failures: 1 });
    const told = stage.events('credential-state').at(-1)?.fields;
    expect(told).toMatchObject({ state: 'failing', reason: 'issuer-forbidden' });
    const refusal: unknown = await ask().catch((error: unknown) => error);
    expect(refusal).toMatchObject({ kind: 'too-soon', reason: 'backoff', retryAfter: expect.any(Number) as number });
    // nothing else is due, so that nothing tries it again
    expect(String(refusal)).toMatch(/answered 403\. Ask again after the wait/);
    await stage.pass(5 * SECOND, SECOND);
    expect((await stage.view('shop')).state).toBe('ok');
    expect(posts(stage)).toHaveLength(2);
    await ask();
    await stage.pass(MINUTE, MINUTE);
    await expectOnly(stage, 'grace', '1');
    expect((await stage.view('shop')).failures).toBe(0);
  });

  it('I6: 403 on PUT leaves nothing behind and nothing delivered', async () => {
    const stage = await nearRenewal();
    stage.issuer.fault('updateSecret', 403, { times: Infinity });
    while (posts(stage).length < 2) await stage.pass(MINUTE, MINUTE);
    await passServing(stage, 15 * MINUTE + 2 * SECOND, SECOND);
    expect(await stage.view('shop')).toMatchObject({
      state: 'failing',
      reason: 'issuer-forbidden',
      current: { secretId: '1' },
    });
    expect(stage.issuer.count('updateSecret')).toBe(2);
    await passServing(stage, 20 * HOUR, HOUR);
    // the budget ends it for the day
    expect(await stage.view('shop')).toMatchObject({ state: 'blocked', reason: 'budget-spent' });
    expect(deletions(stage)).toEqual(['2', '3', '4', '5']);
    stage.issuer.heal();
    await passServing(stage, DAY, HOUR);
    await expectOnly(stage, 'grace', '1');
  });

  for (const outcome of ['malformed', 503] as const) {
    it(`I11: on a list that is ${outcome} nothing is deleted, made or parked`, async () => {
      const stage = await served();
      stage.issuer.addSecret('shop', { expires: stage.clock.now() + 400 * DAY });
      await stage.pass(60 * DAY, 12 * HOUR);
      await stage.pass(13 * DAY + 12 * HOUR, 12 * HOUR);
      expect((await stage.view('shop')).state).toBe('grace');
      // an orphan of ours, too: found at the next good list
      stage.issuer.fault('listSecrets', outcome, { times: Infinity });
      await passServing(stage, 2 * DAY, HOUR);
      expect(deletions(stage)).toEqual([]);
      expect(await stage.view('shop')).toMatchObject({ state: 'failing', reason: 'issuer-failed' });
      stage.issuer.heal();
      stage.issuer.fault('listCredentials', outcome, { times: Infinity });
      await passServing(stage, HOUR);
      expect(stage.events('scan-failed').length).toBeGreaterThan(0);
      expect((await stage.view('shop')).reason).not.toBe('credential-gone');
      stage.issuer.heal();
      await passServing(stage, 3 * HOUR);
      expect(deletions(stage)).toEqual(['1']);
      await expectOnly(stage, 'ok', '2');
    });
  }
});
