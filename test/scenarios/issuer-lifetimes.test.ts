import { describe, expect, it } from 'vitest';
import { SecretValue } from '../../src/domain/secret-value.ts';
import { DAY, HOUR, MINUTE } from '../../src/domain/time.ts';
import { deletions, expectOnly, liveIds, nearRenewal, passServing, posts, served } from './issuer-scene.ts';
import { Stage } from './stage.ts';

describe('the life of a secret', () => {
  it('I13: an issuer that gives less than asked for: the window shrinks in proportion', async () => {
    const stage = await served({ behaviour: { maxLifetime: 20 * DAY }, policy: { grace: 4 * DAY } });
    // 30 d before the end of 90 d is a third: 20 d are renewed after some 13 d
    await passServing(stage, 70 * DAY, 6 * HOUR);
    const sent = posts(stage);
    expect(sent).toHaveLength(6);
    sent.slice(1).forEach((at, index) => {
      const life = at - (sent[index] ?? 0);
      expect(life).toBeGreaterThan(13 * DAY);
      expect(life).toBeLessThan(14 * DAY);
    });
    await passServing(stage, 5 * DAY, DAY);
    await expectOnly(stage, 'ok');
  });

  it('I13: a life of hours is no loop: the budget holds, and says so', async () => {
    const stage = await served({ behaviour: { maxLifetime: 4 * HOUR } });
    await stage.pass(5 * DAY, HOUR);
    const { createsPerDay, maxLiveSecrets } = stage.settings.limits;
    for (const from of posts(stage)) {
      const day = posts(stage).filter((at) => at >= from && at < from + DAY).length;
      // one more, where what is served is dead
      expect(day).toBeLessThanOrEqual(createsPerDay + 1);
      expect(liveIds(stage).length).toBeLessThanOrEqual(maxLiveSecrets + 1);
    }
    expect(posts(stage).length).toBeGreaterThanOrEqual(5 * createsPerDay);
    const told = stage.events('credential-state').map((line) => [line.fields['state'], line.fields['reason']]);
    expect(told).toContainEqual(['blocked', 'budget-spent']);
    // what has expired is tidied away
    expect(stage.issuer.secrets('shop').length).toBeLessThan(6);
    stage.issuer.behaviour.maxLifetime = null;
    await stage.pass(2 * DAY, HOUR);
    expect(await stage.allServedAlive('shop')).toBe(true);
    await passServing(stage, 16 * DAY, DAY);
    await expectOnly(stage, 'ok');
  });

  for (const provisional of [DAY, null]) {
    it(`I13: a life too short to use (provisional ${provisional === null ? 'off' : '24h'}): deleted, failing, nothing delivered`, async () => {
      const stage = await nearRenewal({ policy: { provisional } });
      stage.issuer.behaviour.maxLifetime = 100 * MINUTE;
      while (posts(stage).length < 2) await stage.pass(MINUTE, MINUTE);
      await passServing(stage, 25 * MINUTE, MINUTE);
      expect(await stage.view('shop')).toMatchObject({ state: 'failing', reason: 'unusable-lifetime' });
      expect(stage.vault('a').history('shop')).toHaveLength(1);
      await passServing(stage, 4 * DAY, HOUR);
      expect((await stage.view('shop')).current?.secretId).toBe('1');
      expect(posts(stage).length).toBeLessThanOrEqual(1 + 4 * 5);
      const told = stage.events('credential-state').map((line) => [line.fields['state'], line.fields['reason']]);
      expect(told).toContainEqual(['blocked', 'budget-spent']);
      expect(liveIds(stage)).toEqual(['1']);
      stage.issuer.behaviour.maxLifetime = null;
      await passServing(stage, 2 * DAY, HOUR);
      await expectOnly(stage, 'grace', '1');
    });
  }

  it('provisional: off: created with its full life, not changed again, and read back before it is delivered', async () => {
    const stage = await nearRenewal({ policy: { provisional: null }, behaviour: { lag: 50_000 } });
    await passServing(stage, 8 * HOUR);
    expect(stage.issuer.count('updateSecret')).toBe(0);
    const sent = stage.issuer.calls.filter((call) => call.operation === 'createSecret').at(-1);
    expect(sent?.wish?.expires).toBe((sent?.at ?? 0) + 90 * DAY);
    const rotation = (await stage.rotations('shop'))[0];
    expect(rotation?.steps.map(({ step, outcome }) => [step, outcome])).toContainEqual(['extend', 'skipped']);
    await expectOnly(stage, 'grace', '1');
    await passServing(stage, 15 * DAY, DAY);
    await expectOnly(stage, 'ok');
  });

  it('provisional: off: an answer that is lost leaves a secret of full life, which is found and deleted', async () => {
    const stage = await nearRenewal({ policy: { provisional: null } });
    stage.issuer.fault('createSecret', 'applied-and-lost');
    await passServing(stage, 8 * HOUR);
    expect(deletions(stage)).toEqual(['2']);
    await expectOnly(stage, 'grace', '1');
  });

  it('maxAge renews whatever the expiry', async () => {
    const stage = await served({ policy: { maxAge: 10 * DAY, grace: 2 * DAY } });
    await passServing(stage, 21 * DAY, 6 * HOUR);
    const [first = 0, second = 0, third = 0, ...more] = posts(stage);
    expect(more).toEqual([]);
    for (const age of [second - first, third - second]) {
      expect(age).toBeGreaterThanOrEqual(10 * DAY);
      expect(age).toBeLessThan(10 * DAY + 2 * HOUR);
    }
    expect((await stage.rotations('shop'))[0]).toMatchObject({ reason: 'max-age' });
    await passServing(stage, 3 * DAY, HOUR);
    await expectOnly(stage, 'ok');
  });

  for (const naming of ['names', 'does not name'] as const) {
    it(`I12: a secret that never expires is left alone without maxAge, in an entry that ${naming} it`, async () => {
      const stage = adopted(naming === 'names', { maxAge: null });
      await stage.start();
      await passServing(stage, 60 * DAY, 2 * DAY);
      expect(posts(stage)).toEqual([]);
      expect(await stage.view('shop')).toMatchObject({ state: 'ok', renewAt: null, current: { expires: null } });
    });

    it(`maxAge counts from first sight for a secret of unknown age, in an entry that ${naming} it`, async () => {
      const stage = adopted(naming === 'names', { maxAge: 30 * DAY });
      await stage.start();
      const seen = stage.clock.now();
      await passServing(stage, 29 * DAY, DAY);
      expect(posts(stage)).toEqual([]);
      await passServing(stage, 2 * DAY, HOUR);
      const [sent = 0, ...more] = posts(stage);
      expect(more).toEqual([]);
      expect(sent - seen).toBeGreaterThanOrEqual(30 * DAY);
      expect(sent - seen).toBeLessThan(30 * DAY + 2 * HOUR);
      await passServing(stage, 15 * DAY, DAY);
      // only where the entry named it, it is known to be what was superseded
      if (naming === 'names') await expectOnly(stage, 'ok');
      else await expectOnly(stage, 'ok', '1');
    });
  }

  it('expired secrets of ours are tidied away, those of others and of nobody are not', async () => {
    const stage = await served();
    const soon = { expires: stage.clock.now() + HOUR };
    const id = '0190b5f4-7b1a-7000-8001-00000000000';
    const mark = (instance: string, n: number) => `till [rekeyd:${instance}:7:${id}${n}:0a0b0c0d]`;
    const ours = stage.issuer.addSecret('shop', { ...soon, description: mark('test', 1) });
    const theirs = stage.issuer.addSecret('shop', { ...soon, description: mark('other', 2) });
    const nobodys = stage.issuer.addSecret('shop', soon);
    const torn = stage.issuer.addSecret('shop', { ...soon, description: '[rekeyd:test:7:0190b5f4-7b1a' });
    await passServing(stage, DAY, HOUR);
    expect(deletions(stage)).toEqual([ours.secretId]);
    await expectOnly(stage, 'ok', theirs.secretId, nobodys.secretId, torn.secretId);
  });

  it('what others made is never deleted, whatever happens to ours', async () => {
    const stage = await served({ policy: { unmanaged: 'delete' }, limits: { maxLiveSecrets: 9 } });
    const id = '0190b5f4-7b1a-7000-8001-00000000000';
    const long = { expires: stage.clock.now() + 1000 * DAY };
    const theirs = [
      stage.issuer.addSecret('shop', { ...long, description: `[rekeyd:other:1:${id}1:0a0b0c0d]` }),
      stage.issuer.addSecret('shop', { ...long, description: `[rekeyd:test-2:1:${id}2:0a0b0c0d]` }),
      stage.issuer.addSecret('shop', { ...long, description: 'torn [rekeyd:oth' }),
    ].map((each) => each.secretId);
    await passServing(stage, 125 * DAY, DAY);
    expect(posts(stage).length).toBe(3);
    for (const id of theirs) expect(deletions(stage)).not.toContain(id);
    expect(liveIds(stage).filter((each) => theirs.includes(each))).toEqual(theirs);
  });
});

/** `shop` with a secret made by hand that never expires, which both entries hold and no rekeyd has marked. */
function adopted(names: boolean, policy: { maxAge: number | null }): Stage {
  const stage = new Stage({ policy });
  stage.issuer.addCredential('shop');
  const { secretId, value } = stage.issuer.addSecret('shop', { expires: null }, DAY);
  const content = { clientId: 'shop', clientSecret: value.reveal(), ...(names ? { secretId } : {}) };
  for (const vault of stage.vaults.values()) {
    vault.putForeign('shop', { form: 'fields', content: SecretValue.of(JSON.stringify(content)) });
  }
  return stage;
}
