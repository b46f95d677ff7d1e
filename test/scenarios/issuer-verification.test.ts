import { describe, expect, it } from 'vitest';
import { DAY, HOUR, MINUTE, SECOND } from '../../src/domain/time.ts';
import { deletions, expectOnly, nearRenewal, passServing, posts } from './issuer-scene.ts';
import type { Stage } from './stage.ts';

describe('a fresh secret at the token endpoint', () => {
  it('I14: accepted late: asked again, then left to settle, and delivered only then', async () => {
    const stage = await nearRenewal({ behaviour: { acceptDelay: 4 * MINUTE } });
    const sent = await untilPost(stage, 2);
    // 4 min until it is accepted, 15 min to settle: nothing is delivered before
    await passServing(stage, 18 * MINUTE, MINUTE);
    const view = await stage.view('shop');
    expect(view).toMatchObject({ state: 'rotating', current: { secretId: '1' } });
    expect(view.secrets.map(({ secretId, role }) => [secretId, role])).toEqual([
      ['1', 'current'],
      ['2', 'pending'],
    ]);
    const { items } = await stage.daemon.credentials({}, 10, null);
    expect(items, 'a list shows no less').toEqual([view]);
    await passServing(stage, 5 * MINUTE, MINUTE);
    expect((await stage.view('shop')).current?.secretId).toBe('2');
    expect(stage.vault('a').peek('shop')?.mark?.deliveredAt ?? 0).toBeGreaterThanOrEqual(sent + 19 * MINUTE);
    // several questions, and no tight loop
    const asked = stage.issuer.calls.filter((call) => call.operation === 'verify' && call.at >= sent).length;
    expect(asked).toBeGreaterThan(3);
    expect(asked).toBeLessThan(30);
    expect(posts(stage)).toHaveLength(2);
    await expectOnly(stage, 'grace', '1');
  });

  it('I14: not accepted in time: deleted with proof, failing with that reason, and tried again', async () => {
    const stage = await nearRenewal();
    stage.issuer.behaviour.acceptDelay = 3 * HOUR;
    await untilPost(stage, 2);
    await passServing(stage, 21 * MINUTE, MINUTE);
    expect(deletions(stage)).toEqual(['2']);
    expect(await stage.view('shop')).toMatchObject({ state: 'failing', reason: 'verify-timeout', failures: 1 });
    const rotation = (await stage.rotations('shop')).find((each) => each.secretId === '2');
    expect(rotation).toMatchObject({ state: 'abandoned', deliveredAt: null });
    expect(rotation?.steps.at(-1)).toMatchObject({ step: 'verify', outcome: 'failed' });
    expect(stage.vault('a').history('shop')).toHaveLength(1);

    await passServing(stage, 6 * DAY, HOUR);
    for (const day of daily(stage)) expect(day).toBeLessThanOrEqual(4);
    expect(stage.issuer.secrets('shop').map((each) => each.secretId)).toContain('1');
    stage.issuer.behaviour.acceptDelay = 0;
    await passServing(stage, 2 * DAY, HOUR);
    await expectOnly(stage, 'grace', '1');
    expect((await stage.view('shop')).failures).toBe(0);
  });

  it('I14: the deletion of what was not accepted waits for its proof', async () => {
    const stage = await nearRenewal();
    stage.issuer.behaviour.acceptDelay = 3 * HOUR;
    await untilPost(stage, 2);
    const up = stage.vault('b').goDown();
    await stage.pass(40 * MINUTE, MINUTE);
    expect(deletions(stage)).toEqual([]);
    up();
    stage.issuer.behaviour.acceptDelay = 0;
    await passServing(stage, 3 * HOUR);
    expect(deletions(stage)).toEqual(['2']);
    await expectOnly(stage, 'grace', '1');
  });

  it('I14: the token endpoint is silent: the secret is given up, and nothing more is made until it answers', async () => {
    const stage = await nearRenewal();
    stage.issuer.fault('verify', 'lost-before', { times: Infinity });
    await passServing(stage, 3 * DAY, HOUR);
    expect(posts(stage)).toHaveLength(2);
    expect(deletions(stage)).toEqual(['2']);
    expect(await stage.view('shop')).toMatchObject({ state: 'failing' });
    // it is asked now and then, and not in a tight loop
    const asked = stage.issuer.count('verify');
    await passServing(stage, DAY, HOUR);
    expect(stage.issuer.count('verify') - asked).toBeGreaterThan(10);
    expect(stage.issuer.count('verify') - asked).toBeLessThan(24 * 60);
    stage.issuer.heal();
    await passServing(stage, 3 * HOUR);
    expect(posts(stage)).toHaveLength(3);
    await expectOnly(stage, 'grace', '1');
  });

  it('I14: silence met by one credential holds back the creations of all others', async () => {
    const stage = await nearRenewal();
    stage.issuer.fault('verify', 503, { times: Infinity });
    await untilPost(stage, 2);
    for (const clientId of ['cart', 'mail', 'till']) stage.issuer.addCredential(clientId);
    await passServing(stage, 4 * HOUR);
    for (const clientId of ['cart', 'mail', 'till']) {
      expect(posts(stage, clientId)).toEqual([]);
      expect(await stage.view(clientId)).toMatchObject({ reason: 'issuer-failed', state: 'failing' });
    }
    stage.issuer.heal();
    await passServing(stage, 3 * HOUR);
    for (const clientId of ['cart', 'mail', 'till']) expect(await stage.allServedAlive(clientId)).toBe(true);
    await expectOnly(stage, 'grace', '1');
  });

  it('I14: silence that ends within verify.timeout costs nothing', async () => {
    const stage = await nearRenewal();
    stage.issuer.fault('verify', 'lost-before', { times: 12 });
    await untilPost(stage, 2);
    await passServing(stage, HOUR, MINUTE);
    expect(posts(stage)).toHaveLength(2);
    await expectOnly(stage, 'grace', '1');
  });

  it('I14: one node only accepts it at first: settling is what consumers wait for, urgent rotations do not', async () => {
    const stage = await nearRenewal();
    await stage.stop();
    // the daemon was away until the served secret had hours left
    await stage.clock.advance(30 * DAY - 2 * HOUR);
    await stage.start();
    await stage.pass(10 * SECOND, SECOND);
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

/** How many POSTs there were in the 24 h from each POST on. */
function daily(stage: Stage): number[] {
  const sent = posts(stage);
  return sent.map((from) => sent.filter((at) => at >= from && at < from + DAY).length);
}
