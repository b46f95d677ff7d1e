import { describe, expect, it } from 'vitest';
import { parseMarker } from '../../src/domain/marker.ts';
import { DAY, HOUR, MINUTE, SECOND } from '../../src/domain/time.ts';
import { deletions, expectOnly, liveIds, nearRenewal, passServing, posts, served } from './issuer-scene.ts';
import type { Stage } from './stage.ts';

describe("the issuer's clock", () => {
  for (const skew of [4 * MINUTE, -4 * MINUTE]) {
    const side = skew > 0 ? 'ahead' : 'behind';
    it(`I19: ${side} of ours: times are computed in the issuer's, and nothing goes before both say so`, async () => {
      const stage = await served({ behaviour: { skew }, policy: { provisional: HOUR } });
      const wishes = stage.issuer.calls.filter((call) => call.wish !== null);
      expect(wishes.map((call) => call.operation)).toEqual(['createSecret', 'updateSecret']);
      const lives = wishes.map((call) => (call.wish?.expires ?? 0) - (call.at + skew));
      // a provisional life and a whole one, as the issuer counts
      expect(lives).toEqual([HOUR, 90 * DAY]);
      await passServing(stage, 60 * DAY + 6 * HOUR, 6 * HOUR);
      expect(posts(stage)).toHaveLength(2);
      const { deleteAfter } = (await stage.rotations('shop'))[0] ?? {};
      await passServing(stage, 14 * DAY, 6 * HOUR);
      const gone = stage.issuer.calls.find((call) => call.operation === 'deleteSecret')?.at ?? 0;
      const now = Math.min(gone, gone + skew);
      expect(now).toBeGreaterThanOrEqual(Date.parse(deleteAfter ?? ''));
      await expectOnly(stage, 'ok');
    });
  }

  for (const skew of [6 * MINUTE, -6 * MINUTE, 3 * DAY]) {
    it(`I19: ${skew / MINUTE} min off: nothing is created or deleted, and it is told`, async () => {
      const stage = await nearRenewal();
      stage.issuer.behaviour.skew = skew;
      await passServing(stage, 2 * DAY, HOUR);
      expect(await stage.view('shop')).toMatchObject({ state: 'blocked', reason: 'clock-skew' });
      expect(posts(stage)).toHaveLength(1);
      const told = stage.events('credential-state').filter((line) => line.fields['reason'] === 'clock-skew');
      expect(told.map((line) => line.level)).toEqual(['warn']);
      stage.issuer.behaviour.skew = 0;
      await passServing(stage, 3 * HOUR);
      await expectOnly(stage, 'grace', '1');

      await passServing(stage, 13 * DAY, DAY);
      stage.issuer.behaviour.skew = skew;
      await passServing(stage, 3 * DAY, HOUR);
      expect(deletions(stage)).toEqual([]);
      expect((await stage.view('shop')).state).not.toBe('ok');
      stage.issuer.behaviour.skew = 0;
      await passServing(stage, 3 * HOUR);
      await expectOnly(stage, 'ok');
    });
  }

  it('I19: it parts from ours in mid-rotation: nothing is extended until they agree again', async () => {
    const stage = await nearRenewal();
    await untilPost(stage, 2);
    stage.issuer.behaviour.skew = 8 * MINUTE;
    await passServing(stage, 3 * HOUR, 5 * MINUTE);
    expect(stage.issuer.count('updateSecret')).toBe(1);
    expect((await stage.view('shop')).current?.secretId).toBe('1');
    expect(stage.events('extend-held').length).toBeGreaterThan(0);
    stage.issuer.behaviour.skew = 0;
    await passServing(stage, HOUR);
    expect(posts(stage)).toHaveLength(2);
    await expectOnly(stage, 'grace', '1');
  });
});

describe('PUT at the issuer', () => {
  it('I20: ignored: nothing is delivered; deleted at half the provisional life, failing, and tried again', async () => {
    const stage = await nearRenewal();
    stage.issuer.behaviour.put = 'ignore';
    const sent = await untilPost(stage, 2);
    await passServing(stage, 20 * MINUTE, MINUTE);
    const before = stage.issuer.count('listSecrets');
    await passServing(stage, HOUR, MINUTE);
    const lists = stage.issuer.count('listSecrets') - before;
    expect(lists, 'S10: not in a hurry, hour after hour').toBeLessThan(110);
    await passServing(stage, 11 * HOUR - 80 * MINUTE, HOUR);
    expect(deletions(stage)).toEqual([]);
    expect(posts(stage)).toHaveLength(2);
    await passServing(stage, 2 * HOUR, 10 * MINUTE);
    expect(deletions(stage)).toEqual(['2']);
    const gone = stage.issuer.calls.find((call) => call.operation === 'deleteSecret')?.at ?? 0;
    expect(gone - sent).toBeGreaterThan(12 * HOUR);
    expect(await stage.view('shop')).toMatchObject({ state: 'failing', reason: 'extend-unconfirmed', failures: 1 });
    expect(stage.vault('a').history('shop')).toHaveLength(1);
    // asked for again and again, with growing pauses
    const asked = stage.issuer.count('updateSecret');
    expect(asked).toBeGreaterThan(20);
    expect(asked).toBeLessThan(120);
    stage.issuer.behaviour.put = 'replace';
    await passServing(stage, DAY, HOUR);
    await expectOnly(stage, 'grace', '1');
  });

  it('I20: ignored at first: asked for again until the list shows it', async () => {
    const stage = await nearRenewal();
    stage.issuer.behaviour.put = 'ignore';
    await untilPost(stage, 2);
    await passServing(stage, 2 * HOUR, HOUR);
    expect((await stage.view('shop')).current?.secretId).toBe('1');
    stage.issuer.behaviour.put = 'replace';
    await passServing(stage, HOUR);
    expect(posts(stage)).toHaveLength(2);
    await expectOnly(stage, 'grace', '1');
    await expectFullLife(stage, '2');
  });

  for (const lag of [0, 55 * SECOND]) {
    it(`I20: applied late, lists ${lag / SECOND} s late: nothing is delivered before the list shows it`, async () => {
      const stage = await nearRenewal({ behaviour: { lag } });
      stage.issuer.fault('updateSecret', { late: 50 * SECOND });
      await passServing(stage, 8 * HOUR);
      expect(posts(stage)).toHaveLength(2);
      const delivered = stage.vault('a').peek('shop')?.mark?.deliveredAt ?? 0;
      const put = stage.issuer.calls.filter((call) => call.operation === 'updateSecret')[1]?.at ?? 0;
      expect(delivered - put).toBeGreaterThanOrEqual(50 * SECOND + lag);
      await expectOnly(stage, 'grace', '1');
      await expectFullLife(stage, '2');
    });
  }

  it('I20: applied, its answer lost: the list tells, and it costs no new secret', async () => {
    const stage = await nearRenewal();
    stage.issuer.fault('updateSecret', 'applied-and-lost');
    await passServing(stage, 8 * HOUR);
    expect(posts(stage)).toHaveLength(2);
    await expectOnly(stage, 'grace', '1');
  });

  it('I20: it replaces: expiry, text and marker are all sent, and are all there after it', async () => {
    const stage = await nearRenewal();
    await passServing(stage, 8 * HOUR);
    const [create, put] = stage.issuer.calls.filter((call) => call.wish !== null).slice(-2);
    expect(put?.operation).toBe('updateSecret');
    expect(put?.wish?.description).toBe(create?.wish?.description);
    await expectFullLife(stage, '2');
  });

  it('I20: extended, and then no longer accepted: not delivered', async () => {
    const stage = await nearRenewal();
    await untilPost(stage, 2);
    await passServing(stage, 10 * MINUTE, MINUTE);
    stage.issuer.fault('verify', 'refused', { times: Infinity });
    await passServing(stage, 30 * MINUTE, MINUTE);
    expect(stage.vault('a').history('shop')).toHaveLength(1);
    expect(deletions(stage)).toEqual(['2']);
    stage.issuer.heal();
    await passServing(stage, 2 * HOUR);
    await expectOnly(stage, 'grace', '1');
  });
});

describe('a created secret that is listed without its whole mark', () => {
  for (const provisional of [DAY, null]) {
    const life = provisional === null ? 'off' : '24h';
    it(`is deleted by its id, and that is failing (provisional ${life})`, async () => {
      const stage = await nearRenewal({ policy: { provisional } });
      const [first] = stage.issuer.secrets('shop');
      const heal = cutDescriptions(stage);
      await untilPost(stage, 2);
      await passServing(stage, 13 * HOUR, 10 * MINUTE);
      expect(deletions(stage)[0]).toBe('2');
      expect(deletions(stage)).not.toContain('1');
      expect(['failing', 'blocked']).toContain((await stage.view('shop')).state);
      expect(stage.events('rotation-abandoned')[0]?.fields).toMatchObject({ reason: 'extend-unconfirmed' });
      expect(stage.vault('a').history('shop')).toHaveLength(1);
      await passServing(stage, 3 * DAY, HOUR);
      expect(posts(stage).length).toBeLessThanOrEqual(1 + 4 * 4);
      expect(liveIds(stage).length).toBeLessThanOrEqual(2);
      heal();
      await passServing(stage, 2 * DAY, HOUR);
      await expectOnly(stage, 'grace', '1');
      expect(stage.issuer.secrets('shop')[0]).toEqual(first);
    });
  }

  it('is deleted by its id by the daemon that is started after a crash', async () => {
    const stage = await nearRenewal();
    const heal = cutDescriptions(stage);
    await untilPost(stage, 2);
    stage.crash();
    heal();
    await stage.start();
    await passServing(stage, 3 * HOUR);
    expect(deletions(stage)).toEqual(['2']);
    await expectOnly(stage, 'grace', '1');
  });
});

async function untilPost(stage: Stage, count: number): Promise<number> {
  for (let waited = 0; posts(stage).length < count; waited += MINUTE) {
    expect(waited).toBeLessThan(DAY);
    await stage.pass(MINUTE, MINUTE);
  }
  return posts(stage)[count - 1] ?? 0;
}

async function expectFullLife(stage: Stage, secretId: string): Promise<void> {
  const secret = stage.issuer.secrets('shop').find((each) => each.secretId === secretId);
  const marker = parseMarker(secret?.description ?? '');
  expect(marker?.rotationId).toBe((await stage.rotations('shop'))[0]?.id);
  expect(secret?.description).toMatch(/^shop \[rekeyd:test:2:/);
  expect((secret?.expires ?? 0) - stage.clock.now()).toBeGreaterThan(89 * DAY);
}

/** From now on the issuer keeps the first 40 characters of a description only. @returns a function that lifts it. */
function cutDescriptions(stage: Stage): () => void {
  let cutting = true;
  const cut = (): void => {
    for (const { secretId, description } of stage.issuer.secrets('shop')) {
      if (cutting && secretId !== '1')
        stage.issuer.editSecret('shop', secretId, { description: description.slice(0, 40) });
    }
  };
  stage.issuer.onApplied('createSecret', cut);
  stage.issuer.onApplied('updateSecret', cut);
  return () => (cutting = false);
}
