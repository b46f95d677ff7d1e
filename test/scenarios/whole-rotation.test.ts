import { describe, expect, it } from 'vitest';
import { DAY, HOUR, MINUTE } from '../../src/domain/time.ts';
import { Stage } from './stage.ts';

describe('a whole rotation', () => {
  it('goes from first contact over renewal to the deletion of the old secret', async () => {
    const stage = new Stage();
    stage.issuer.addCredential('shop');
    await stage.start();
    await stage.pass(HOUR);
    expect(await stage.allServedAlive('shop')).toBe(true);
    expect((await stage.view('shop')).state).toBe('ok');

    await stage.pass(61 * DAY, 6 * HOUR);
    expect(stage.issuer.secrets('shop')).toHaveLength(2);
    expect((await stage.view('shop')).state).toBe('grace');
    expect(await stage.allServedAlive('shop')).toBe(true);

    await stage.pass(15 * DAY, 6 * HOUR);
    expect(stage.issuer.secrets('shop')).toHaveLength(1);
    expect((await stage.view('shop')).state).toBe('ok');
    expect((await stage.rotations('shop')).map((each) => each.state)).toEqual(['done', 'done']);
    expect(await stage.allServedAlive('shop')).toBe(true);
    await stage.stop();
  });

  it('can be followed in the log by its id, from the request to each delivery, copies of it included', async () => {
    const stage = new Stage();
    stage.issuer.addCredential('shop');
    await stage.start();
    await stage.pass(HOUR);
    stage.vault('b').remove('shop');
    await stage.pass(2 * HOUR);
    const [rotation] = await stage.rotations('shop');
    const told = stage.lines
      .filter(({ fields }) => fields['rotationId'] === rotation?.id && fields['name'] === 'shop')
      .map(({ event, fields }) => [event, fields.reason, ...('vault' in fields ? [fields['vault']] : [])]);
    expect(told.filter(([event]) => event === 'entry-delivered')).toEqual([
      ['entry-delivered', 'destination-empty', 'a'],
      ['entry-delivered', 'destination-empty', 'b'],
      ['entry-delivered', 'destination-empty', 'b'],
    ]);
    expect(told.map(([event]) => event)).toEqual(expect.arrayContaining(['secret-created', 'rotation-settled']));
  });

  it('makes one list call and touches no vault when nothing is due', async () => {
    const stage = new Stage({ resync: 10 * DAY });
    stage.issuer.addCredential('shop');
    await stage.start();
    await stage.pass(2 * HOUR);
    const vaultCalls = stage.vault('a').calls.length;
    const secretLists = stage.issuer.count('listSecrets');
    const lists = stage.issuer.count('listCredentials');
    await stage.pass(15 * MINUTE);
    expect(stage.issuer.count('listCredentials') - lists).toBe(1);
    expect(stage.issuer.count('listSecrets') - secretLists).toBe(0);
    expect(stage.vault('a').calls.length - vaultCalls).toBe(0);
  });

  it('P1: goes on after a SIGKILL at any call to issuer, vault or ledger', { timeout: 180_000 }, async () => {
    const calls = (await firstRotation()).callCount;
    expect(calls).toBeGreaterThan(20);
    for (let at = 0; at < calls; at += 1) {
      for (const side of ['before', 'after'] as const) {
        const stage = await firstRotation({ at, side });
        const where = `killed ${side} call ${at}, ${stage.killedIn}`;
        stage.crash();
        await stage.start();
        await stage.pass(6 * HOUR, HOUR);
        expect(await stage.allServedAlive('shop'), where).toBe(true);
        await stage.pass(4 * DAY, DAY);
        expect((await stage.view('shop')).state, where).toBe('ok');
        // the one that is served, and the one that was made by hand
        expect(stage.issuer.secrets('shop'), where).toHaveLength(2);
        stage.crash();
      }
    }
  });
});

async function firstRotation(kill?: { at: number; side: 'before' | 'after' }): Promise<Stage> {
  // a short grace, for it is run some hundred times
  const stage = new Stage({ policy: { grace: 2 * DAY, verify: { method: 'token', timeout: MINUTE, settle: 10_000 } } });
  stage.issuer.addCredential('shop');
  stage.issuer.addSecret('shop', { expires: stage.clock.now() + 40 * DAY }, DAY);
  if (kill !== undefined) stage.killAt(kill.at, kill.side);
  await stage.start();
  await stage.pass(2 * MINUTE, MINUTE);
  return stage;
}
