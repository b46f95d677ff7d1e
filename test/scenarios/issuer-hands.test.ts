import { describe, expect, it } from 'vitest';
import { DAY, HOUR, MINUTE } from '../../src/domain/time.ts';
import type { ListedSecret } from '../../src/issuers/contract.ts';
import { deletions, expectOnly, liveIds, nearRenewal, passServing, posts, served } from './issuer-scene.ts';
import { renew } from './scene.ts';
import { ruleFor, Stage } from './stage.ts';

describe('a secret or credential that people delete', () => {
  it('I17: the served secret is deleted: believed after two lists past the lag and a refusal, then replaced at once', async () => {
    const stage = await served({ behaviour: { revokeDelay: 20 * MINUTE } });
    const asked = stage.issuer.count('verify');
    stage.issuer.removeSecret('shop', '1');
    const removed = stage.clock.now();
    await stage.pass(2 * HOUR, MINUTE);
    const [, sent = 0, ...more] = posts(stage);
    expect(more).toEqual([]);
    expect(sent - removed).toBeGreaterThanOrEqual(20 * MINUTE);
    expect(stage.issuer.count('verify')).toBeGreaterThan(asked);
    const lists = stage.issuer.calls.filter(
      (call) => call.operation === 'listSecrets' && call.at > removed && call.at <= sent,
    );
    expect((lists.at(-1)?.at ?? 0) - (lists[0]?.at ?? 0)).toBeGreaterThanOrEqual(stage.issuer.timing.listLag);
    expect((await stage.rotations('shop'))[0]).toMatchObject({ reason: 'secret-gone', trigger: 'schedule' });
    // urgent: it does not wait for verify.settle
    const delivered = stage.events('entry-delivered').at(-1);
    expect(delivered?.fields['secretId']).toBe('2');
    await expectOnly(stage, 'ok');
  });

  it('I17: it is replaced within the resync and the lag, once the issuer refuses it', async () => {
    const stage = await served();
    stage.issuer.removeSecret('shop', '1');
    await stage.pass(HOUR + 2 * MINUTE, MINUTE);
    await expectOnly(stage, 'ok');
    expect(posts(stage)).toHaveLength(2);
  });

  it('I17: a list that lacks it for once is not believed', async () => {
    const stage = await served();
    lack(stage, '1', 1);
    await passServing(stage, 3 * HOUR, MINUTE);
    expect(posts(stage)).toHaveLength(1);
    await expectOnly(stage, 'ok');
  });

  it('I17: lists that go on lacking it are not believed while the issuer accepts it', async () => {
    const stage = await served();
    const heal = lack(stage, '1');
    await passServing(stage, 2 * DAY, HOUR);
    expect(posts(stage)).toHaveLength(1);
    expect(deletions(stage)).toEqual([]);
    heal();
    await passServing(stage, 2 * HOUR);
    await expectOnly(stage, 'ok');
  });

  it('I17: where a text was written with a description that was edited since, lists past the lag must do', async () => {
    const stage = await describedAnew();
    stage.issuer.removeSecret('shop', '1');
    await stage.pass(3 * HOUR);
    for (const vault of stage.vaults.values()) expect(vault.peek('shop')?.mark).toMatchObject({ secretId: '2' });
    expect(posts(stage)).toHaveLength(2);
  });

  it('C6: and where such a text would be copied to an entry that is gone, a new generation goes everywhere', async () => {
    const stage = await describedAnew();
    stage.vault('b').remove('shop');
    await stage.pass(3 * HOUR);
    for (const vault of stage.vaults.values()) expect(vault.peek('shop')?.mark).toMatchObject({ secretId: '2' });
    expect(posts(stage)).toHaveLength(2);
    expect((await stage.rotations('shop'))[0]).toMatchObject({ reason: 'destination-empty', state: 'grace' });
  });

  it('I17: where no value can be read back, lists past the lag must do', async () => {
    const stage = await served({ capabilities: { a: { readable: false }, b: { readable: false } } });
    lack(stage, '1', 1);
    await stage.pass(3 * HOUR, MINUTE);
    expect(posts(stage)).toHaveLength(1);
    stage.issuer.removeSecret('shop', '1');
    const removed = stage.clock.now();
    await stage.pass(2 * HOUR, MINUTE);
    const [, sent = 0, ...more] = posts(stage);
    expect(more).toEqual([]);
    const lists = stage.issuer.calls.filter(
      (call) => call.operation === 'listSecrets' && call.at > removed && call.at <= sent,
    );
    expect(sent - (lists[0]?.at ?? 0)).toBeGreaterThanOrEqual(stage.issuer.timing.listLag);
    const view = await stage.view('shop');
    expect([view.state, view.destinations.map((each) => each.secretId)]).toEqual(['ok', ['2', '2']]);
  });

  it('I17: silence of the token endpoint is no refusal', async () => {
    const stage = await served();
    stage.issuer.removeSecret('shop', '1');
    stage.issuer.fault('verify', 503, { times: Infinity });
    await stage.pass(5 * HOUR);
    expect(posts(stage)).toHaveLength(1);
    stage.issuer.heal();
    await stage.pass(2 * HOUR);
    await expectOnly(stage, 'ok');
  });

  it('I17: deleted while a destination lacks it still: it is not written there any more', async () => {
    const stage = await served();
    stage.vault('b').goDown();
    await renew(stage);
    expect(stage.vault('a').peek('shop')?.mark?.secretId).toBe('2');
    stage.issuer.removeSecret('shop', '2');
    stage.vault('b').mend();
    await stage.pass(2 * HOUR, MINUTE);
    expect(
      stage
        .vault('b')
        .history('shop')
        .map(({ mark }) => mark?.secretId),
    ).toEqual(['1', '3']);
    expect(stage.vault('a').peek('shop')?.mark?.secretId).toBe('3');
    const rotations = await stage.rotations('shop');
    expect(rotations.find(({ generation }) => generation === 2)).toMatchObject({ state: 'abandoned' });
    await expectOnly(stage, 'grace', '1');
  });

  it('I17: what a list lacks while the issuer accepts it is written to the destination that lacks it', async () => {
    const stage = await served();
    stage.vault('b').goDown();
    await renew(stage);
    const heal = lack(stage, '2');
    stage.vault('b').mend();
    await stage.pass(2 * MINUTE, MINUTE);
    expect(stage.vault('b').peek('shop')?.mark?.secretId).toBe('2');
    heal();
    await passServing(stage, 2 * HOUR);
    expect(posts(stage)).toHaveLength(2);
    await expectOnly(stage, 'grace', '1');
  });

  it('I17: in grace the superseded secret is kept: nothing is deleted before the replacement is served', async () => {
    const stage = await nearGraceEnd();
    // so that it is not the last live one, and kept for that
    const { secretId } = stage.issuer.addSecret('shop', { expires: null });
    stage.issuer.removeSecret('shop', '2');
    stage.issuer.fault('createSecret', 'refused', { times: Infinity });
    await stage.pass(3 * DAY, HOUR);
    expect(deletions(stage)).toEqual([]);
    expect(liveIds(stage)).toEqual(['1', secretId]);
    stage.issuer.heal();
    await stage.pass(3 * HOUR);
    expect(await stage.allServedAlive('shop')).toBe(true);
    await passServing(stage, 15 * DAY, DAY);
    await expectOnly(stage, 'ok', secretId);
  });

  it('I21: the successor is deleted by hand: the old one is the last live secret, stays, and a rotation starts', async () => {
    const stage = await nearRenewal();
    await passServing(stage, 8 * HOUR);
    await expectOnly(stage, 'grace', '1');
    stage.issuer.removeSecret('shop', '2');
    await stage.pass(3 * HOUR);
    expect((await stage.rotations('shop'))[0]).toMatchObject({ reason: 'secret-gone' });
    expect(deletions(stage)).toEqual([]);
    await expectOnly(stage, 'grace', '1');
    expect((await stage.view('shop')).current?.secretId).toBe('3');
    await passServing(stage, 15 * DAY, DAY);
    await expectOnly(stage, 'ok');
  });

  it('I18: the credential is deleted: parked and told, and the vaults are left as they are', async () => {
    const stage = await nearRenewal();
    stage.issuer.removeCredential('shop');
    const calls = stage.vault('a').calls.length;
    await stage.pass(5 * DAY, HOUR);
    expect(await stage.view('shop')).toMatchObject({ state: 'blocked', reason: 'credential-gone' });
    expect(await stage.servedValue('a', 'shop')).not.toBeNull();
    expect(
      stage
        .vault('a')
        .calls.slice(calls)
        .filter((call) => call.operation === 'deliver'),
    ).toEqual([]);
    expect(posts(stage)).toHaveLength(1);
    expect(deletions(stage)).toEqual([]);
    const told = stage.events('credential-state').filter((line) => line.fields['reason'] === 'credential-gone');
    expect(told.map((line) => line.level)).toEqual(['warn']);
  });

  it('I18: made again under its id: served again, by a new secret', async () => {
    const stage = await served();
    stage.issuer.removeCredential('shop');
    await stage.pass(DAY, HOUR);
    stage.issuer.addCredential('shop', 'shop', 0);
    await stage.pass(3 * HOUR);
    await expectOnly(stage, 'ok');
    expect((await stage.view('shop')).current?.generation).toBe(2);
  });

  it('I18: a list that lacks it for once parks it for no longer, in mid-rotation too', async () => {
    const stage = await nearRenewal();
    while (posts(stage).length < 2) await stage.pass(MINUTE, MINUTE);
    const truly = stage.issuer.listCredentials.bind(stage.issuer);
    stage.issuer.listCredentials = async () => {
      await truly();
      return [];
    };
    await passServing(stage, 40 * MINUTE, MINUTE);
    stage.issuer.listCredentials = truly;
    await passServing(stage, 3 * HOUR);
    expect(posts(stage)).toHaveLength(2);
    await expectOnly(stage, 'grace', '1');
  });
});

async function nearGraceEnd(options: Parameters<typeof nearRenewal>[0] = {}): Promise<Stage> {
  const stage = await nearRenewal(options);
  await passServing(stage, 10 * HOUR);
  await passServing(stage, 13 * DAY, DAY);
  await expectOnly(stage, 'grace', '1');
  return stage;
}

/** Lists lack a secret that is there, so many times. @returns a function that lifts it. */
function lack(stage: Stage, secretId: string, times = Infinity): () => void {
  const truly = stage.issuer.listSecrets.bind(stage.issuer);
  let left = times;
  stage.issuer.listSecrets = async (...given): Promise<readonly ListedSecret[]> => {
    const list = await truly(...given);
    left -= 1;
    return left < 0 ? list : list.filter((each) => each.secretId !== secretId);
  };
  return () => (stage.issuer.listSecrets = truly);
}

/** Delivered as a text that holds the description, which somebody edited since. */
async function describedAnew(): Promise<Stage> {
  const stage = new Stage({
    rules: (policy) => {
      const rule = ruleFor(policy, ['a', 'b']);
      const format = { kind: 'text', template: '# {description}\nSECRET={clientSecret}\n' } as const;
      return [{ ...rule, deliver: rule.deliver.map((each) => ({ ...each, format })) }];
    },
  });
  stage.issuer.addCredential('shop');
  await stage.start();
  await stage.pass(HOUR);
  stage.issuer.describeCredential('shop', 'the shop');
  await stage.pass(2 * HOUR);
  return stage;
}
