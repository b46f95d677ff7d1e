import { describe, expect, it, vi } from 'vitest';
import { parseMarker } from '../../src/domain/marker.ts';
import { DAY, HOUR, SECOND } from '../../src/domain/time.ts';
import { MemoryLedger } from '../../src/ledger/memory.ts';
import { expectSound, markAt, renew, secretIds, servingStage, writes } from './scene.ts';
import type { Stage } from './stage.ts';

const markerOf = (stage: Stage, secretId: string) => {
  const secret = stage.issuer.secrets('shop').find((each) => each.secretId === secretId);
  return secret === undefined ? null : parseMarker(secret.description);
};

describe('a marker that is taken off a description', () => {
  it('C7: the ledger knows the secret by its id, and a PUT restores the marker, the expiry as it was', async () => {
    const stage = await servingStage();
    await renew(stage);
    const before = stage.issuer.secrets('shop');
    const rotationIds = before.map((each) => parseMarker(each.description)?.rotationId);
    for (const { secretId } of before) stage.issuer.editSecret('shop', secretId, { description: 'mine now' });
    await stage.pass(2 * HOUR);
    const after = stage.issuer.secrets('shop');
    expect(after.map((each) => parseMarker(each.description)?.rotationId)).toEqual(rotationIds);
    expect(after.map((each) => each.expires)).toEqual(before.map((each) => each.expires));
    expect(stage.events('marker-restored')).toHaveLength(2);
    await stage.pass(15 * DAY, DAY);
    expect(secretIds(stage)).toEqual(['2']);
    await expectSound(stage);
  });

  it('C7: a list that lags is no reason to put it back twice', async () => {
    const stage = await servingStage({ behaviour: { lag: 50 * SECOND } });
    const puts = stage.issuer.count('updateSecret');
    stage.issuer.editSecret('shop', '1', { description: 'mine now' });
    await stage.pass(3 * HOUR);
    expect(markerOf(stage, '1')).not.toBeNull();
    expect(stage.issuer.count('updateSecret') - puts).toBe(1);
  });

  it('C7: an issuer that ignores the PUT is not asked in a loop, and the rest of the work goes on', async () => {
    const stage = await servingStage();
    stage.issuer.behaviour.put = 'ignore';
    const puts = stage.issuer.count('updateSecret');
    stage.issuer.editSecret('shop', '1', { description: 'mine now' });
    await stage.pass(DAY, HOUR);
    // at the intervals of backoff: some dozen until they are half an hour long at the least
    expect(stage.issuer.count('updateSecret') - puts).toBeLessThanOrEqual(12 + 48);
    stage.vault('b').makeEmpty('shop');
    await stage.pass(2 * HOUR);
    expect(await stage.allServedAlive('shop')).toBe(true);
  });

  it('C7: without a ledger it is a stranger and left alone', async () => {
    const stage = await servingStage();
    await renew(stage);
    await stage.stop();
    stage.issuer.editSecret('shop', '1', { description: 'mine now' });
    stage.ledger = new MemoryLedger();
    await stage.start();
    await stage.pass(30 * DAY, DAY);
    expect(secretIds(stage)).toEqual(['1', '2']);
    expect(stage.issuer.secrets('shop')[0]?.description).toBe('mine now');
    expect((await stage.view('shop')).secrets.find((each) => each.secretId === '1')?.role).toBe('unmanaged');
    await expectSound(stage);
  });

  it('C7: another marker in its place is not what the ledger recorded: the secret is not deleted', async () => {
    const stage = await servingStage();
    await renew(stage);
    const other = '[rekeyd:test:1:01890000-0000-7000-8000-000000000001:00000000]';
    stage.issuer.editSecret('shop', '1', { description: `somebody ${other}` });
    await stage.pass(20 * DAY, DAY);
    expect(secretIds(stage)).toEqual(['1', '2']);
    await expectSound(stage);
  });
});

describe('a mark that is taken off an entry', () => {
  it('C8: drift, not foreign: the mark is restored, the value is not written again', async () => {
    const stage = await servingStage();
    const version = stage.vault('b').peek('shop')?.version;
    stage.vault('b').removeMark('shop');
    await stage.pass(2 * HOUR);
    expect(markAt(stage, 'b')).toEqual({ generation: 1, secretId: '1' });
    expect(stage.vault('b').peek('shop')?.version).toBe(version);
    expect(stage.events('mark-restored')).toHaveLength(1);
    expect(stage.events('destination-state').map((each) => each.fields['state'])).toContain('drifted');
    expect(stage.events('credential-state').map((each) => each.fields['reason'])).not.toContain('entry-foreign');
    await expectSound(stage);
  });

  it('C8, V19: restored, and no look since until the entry was rolled back and repaired by hand: the grace starts anew', async () => {
    const stage = await servingStage();
    await renew(stage);
    await stage.pass(14 * DAY - 5 * HOUR, HOUR);
    const vault = stage.vault('a');
    const restoreMark = vault.restoreMark.bind(vault);
    vi.spyOn(vault, 'restoreMark').mockImplementation(async (...given) => {
      const restored = await restoreMark(...given);
      vault.fail({ fault: 'denied', operations: ['describe'] });
      return restored;
    });
    vault.removeMark('shop');
    await stage.pass(2 * HOUR, HOUR);
    expect(stage.events('mark-restored')).toHaveLength(1);
    vault.moveBack('shop')();
    vault.mend();
    await stage.pass(13 * DAY, HOUR);
    expect(secretIds(stage)).toEqual(['1', '2']);
    await stage.pass(2 * DAY, HOUR);
    expect(secretIds(stage)).toEqual(['2']);
    await expectSound(stage);
  });

  it('C8: while it cannot be restored, nothing is deleted, and the vault is asked at a pace', async () => {
    const stage = await servingStage();
    await renew(stage);
    stage.vault('b').removeMark('shop');
    stage.vault('b').fail({ fault: 'denied', operations: ['restoreMark', 'deliver'] });
    await stage.pass(DAY, HOUR);
    const before = writes(stage, 'b');
    await stage.pass(DAY, HOUR);
    expect(writes(stage, 'b') - before).toBeLessThanOrEqual(60);
    expect((await stage.view('shop')).state).toBe('failing');
    await stage.pass(15 * DAY, DAY);
    expect(secretIds(stage)).toEqual(['1', '2']);
    stage.vault('b').mend();
    await stage.pass(2 * HOUR);
    expect(markAt(stage, 'b')).toEqual({ generation: 2, secretId: '2' });
    await stage.pass(15 * DAY, DAY);
    expect(secretIds(stage)).toEqual(['2']);
    await expectSound(stage);
  });

  it('C8: a vault that never lets the mark be written back alone still gets the next generation in time', async () => {
    const stage = await servingStage({ schedule: '*/60 * * * *' });
    stage.vault('b').removeMark('shop');
    stage.vault('b').fail({ fault: 'denied', operations: ['restoreMark'] });
    await stage.pass(60 * DAY + 2 * HOUR, DAY);
    expect(markAt(stage, 'a')).toEqual({ generation: 2, secretId: '2' });
    expect(markAt(stage, 'b')).toEqual({ generation: 2, secretId: '2' });
    await stage.pass(15 * DAY, DAY);
    expect(secretIds(stage)).toEqual(['2']);
    expect((await stage.view('shop')).state).toBe('ok');
    await expectSound(stage);
  });

  it('C8: taken off all entries at once: all are restored, no new secret is made', async () => {
    const stage = await servingStage();
    stage.vault('a').removeMark('shop');
    stage.vault('b').removeMark('shop');
    await stage.pass(2 * HOUR);
    expect(markAt(stage, 'a')).toEqual({ generation: 1, secretId: '1' });
    expect(markAt(stage, 'b')).toEqual({ generation: 1, secretId: '1' });
    expect(stage.issuer.count('createSecret')).toBe(1);
    await expectSound(stage);
  });

  it('C8: stripped when the next generation is due: restored first, then taken over as ours', async () => {
    const stage = await servingStage();
    stage.vault('b').removeMark('shop');
    await renew(stage);
    await stage.pass(2 * HOUR);
    expect(markAt(stage, 'b')).toEqual({ generation: 2, secretId: '2' });
    await stage.pass(15 * DAY, DAY);
    expect(secretIds(stage)).toEqual(['2']);
    await expectSound(stage);
  });
});

describe('two installations with one name', () => {
  it('C5: seen by generations that a ledger did not make: told, not fought', async () => {
    const stage = await servingStage({ schedule: '*/60 * * * *', resync: 4 * HOUR });
    const other = stage.open(new MemoryLedger());
    const started = other.start();
    await stage.clock.settle(8);
    await started;
    for (let day = 0; day < 200; day += 2) {
      await stage.pass(2 * DAY, DAY);
      expect(await stage.allServedAlive('shop')).toBe(true);
      expect(secretIds(stage).length).toBeLessThanOrEqual(5);
    }
    // one alone would have made four
    expect(stage.issuer.count('createSecret')).toBeLessThanOrEqual(6);
    expect(stage.events('generation-unknown').length).toBeGreaterThan(0);
    for (const name of ['a', 'b']) {
      const generations = stage
        .vault(name)
        .history('shop')
        .map((each) => each.mark?.generation ?? 0);
      expect(generations).toEqual(generations.toSorted((x, y) => x - y));
    }
    await expectSound(stage);
    const stopped = other.stop();
    await stage.clock.until(stopped);
  });
});
