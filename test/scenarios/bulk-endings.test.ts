import { describe, expect, it } from 'vitest';
import { LedgerError } from '../../src/domain/errors.ts';
import { HOUR, MINUTE, SECOND } from '../../src/domain/time.ts';
import { bulkOf, BY, clientOf, confirmed, deliveredBy, EVERYTHING, servingMany } from './many.ts';
import type { Stage } from './stage.ts';

async function expectEachOnce(stage: Stage, id: string, count: number): Promise<void> {
  for (let each = 0; each < count; each += 1) {
    expect(await deliveredBy(stage, id, clientOf(each)), clientOf(each)).toBe(1);
    expect(await stage.allServedAlive(clientOf(each))).toBe(true);
  }
}

describe('a bulk that is cancelled', () => {
  it('begins nothing more, takes back what waits, and lets what has begun go on', async () => {
    const stage = await servingMany(12, { limits: { concurrency: 3, rotationsPerHour: 5 } });
    const { id } = await confirmed(stage);
    await stage.pass(10 * MINUTE, 10 * SECOND);
    const { counts } = await stage.daemon.cancelBulk(id, 'another');
    expect(counts).toEqual({ waiting: 7, rotating: 0, delivered: 5, failed: 0, skipped: 0 });
    await stage.pass(3 * HOUR, 5 * MINUTE);
    expect(stage.issuer.count('createSecret')).toBe(12 + 5);
    expect(await bulkOf(stage, id)).toMatchObject({ state: 'cancelled', cancelledBy: 'another', counts });
    expect(stage.events('bulk-cancelled')[0]?.fields).toMatchObject({ actor: 'somebody', by: 'another', counts });
    expect(await stage.ledger.inFlight()).toEqual([]);
    await expect(stage.daemon.cancelBulk(id, 'another')).rejects.toMatchObject({ kind: 'conflict' });
    await expect(stage.daemon.cancelBulk('none', 'another')).rejects.toMatchObject({ kind: 'not-found' });
    const next = await confirmed(stage);
    expect(next.total).toBe(12);
  });

  it('in the middle of a rotation: that one is delivered', async () => {
    const stage = await servingMany(4, { limits: { concurrency: 1 } });
    stage.issuer.behaviour.acceptDelay = MINUTE;
    const { id } = await confirmed(stage);
    await stage.pass(10 * SECOND, SECOND);
    expect((await stage.daemon.cancelBulk(id, 'another')).counts).toMatchObject({ waiting: 3, rotating: 1 });
    await stage.pass(20 * MINUTE, MINUTE);
    expect(await deliveredBy(stage, id, clientOf(0))).toBe(1);
    expect(stage.issuer.count('createSecret')).toBe(4 + 1);
  });
});

describe('a bulk whose daemon', () => {
  it('is killed again and again goes on where it was; nothing is rotated twice', async () => {
    const stage = await servingMany(15, { limits: { concurrency: 2, createsPerDay: 20 } });
    stage.issuer.behaviour.acceptDelay = 20 * SECOND;
    const { id } = await confirmed(stage);
    for (let kill = 0; kill < 4; kill += 1) {
      await stage.pass(40 * SECOND + kill * 7 * SECOND, 5 * SECOND);
      stage.crash();
      await stage.pass(MINUTE, MINUTE);
      await stage.start();
    }
    await stage.pass(2 * HOUR, MINUTE);
    expect(await bulkOf(stage, id)).toMatchObject({ state: 'finished', counts: { delivered: 15 } });
    expect(stage.events('bulk-finished')).toHaveLength(1);
    await expectEachOnce(stage, id, 15);
  });

  it('is stopped and started counts what was done before, also while the hour is spent', async () => {
    const stage = await servingMany(9, { limits: { rotationsPerHour: 4 } });
    const { id } = await confirmed(stage);
    await stage.pass(20 * MINUTE, MINUTE);
    await stage.stop();
    await stage.start();
    await stage.pass(5 * MINUTE, MINUTE);
    expect(await bulkOf(stage, id)).toMatchObject({ heldBy: 'paced', counts: { delivered: 4 }, unwell: [] });
    await stage.pass(3 * HOUR, 5 * MINUTE);
    await expectEachOnce(stage, id, 9);
  });

  it('is killed at each of its commits leaves none twice and none out', async () => {
    let commits = 1;
    for (let at = 0; at <= commits; at += 3) {
      const stage = await servingMany(3, { limits: { concurrency: 1, createsPerDay: 20 } });
      let left = at;
      let made = 0;
      const count = () => {
        made += 1;
        left -= 1;
        if (left === 0) stage.crash();
      };
      const { digest } = await stage.daemon.previewBulk(EVERYTHING, 0);
      stage.ledger.faults.afterCommit = count;
      // where the process dies before it answers, it never does
      void stage.daemon.startBulk(EVERYTHING, digest, BY).catch(() => undefined);
      await stage.pass(2 * MINUTE, 10 * SECOND);
      delete stage.ledger.faults.afterCommit;
      commits = Math.max(commits, made);
      await stage.start();
      await stage.pass(2 * HOUR, MINUTE);
      const [view] = await stage.daemon.bulks();
      expect(view, `at commit ${at}`).toMatchObject({ state: 'finished', counts: { delivered: 3 } });
      await expectEachOnce(stage, String(view?.id), 3);
    }
    expect(commits).toBeGreaterThan(10);
  });

  it('dies before it stored whom it is about: nothing begins, and it is noted as over', async () => {
    const stage = await servingMany(3);
    const { digest } = await stage.daemon.previewBulk(EVERYTHING, 0);
    stage.ledger.faults.beforeNote = (key) => {
      if (key === 'bulk-list') throw new LedgerError('the disk is full');
    };
    await expect(stage.daemon.startBulk(EVERYTHING, digest, BY)).rejects.toThrow('the disk is full');
    expect(await stage.daemon.bulks()).toMatchObject([{ state: 'cancelled', cancelledBy: 'rekeyd' }]);
    stage.ledger.faults.beforeNote = (key) => {
      if (key === 'bulk-list') stage.crash();
    };
    const again = await stage.daemon.previewBulk(EVERYTHING, 0);
    void stage.daemon.startBulk(EVERYTHING, again.digest, BY).catch(() => undefined);
    await stage.clock.settle(8);
    delete stage.ledger.faults.beforeNote;
    // it was not on the disk
    const { version = 0 } = (await stage.ledger.note('bulk-list')) ?? {};
    await stage.ledger.putNote('bulk-list', { version, value: { id: 'another', keys: [] } });
    await stage.start();
    await stage.pass(20 * MINUTE, MINUTE);
    expect(stage.issuer.count('createSecret')).toBe(3);
    expect((await stage.daemon.bulks()).map(({ state }) => state)).toEqual(['cancelled', 'cancelled']);
  });

  it('has a ledger that fails for a while goes on afterwards', async () => {
    const stage = await servingMany(8, { limits: { concurrency: 2 } });
    const { digest } = await stage.daemon.previewBulk(EVERYTHING, 0);
    stage.ledger.faults.beforeCommit = () => {
      throw new LedgerError('the disk is full');
    };
    const { id } = await stage.daemon.startBulk(EVERYTHING, digest, BY);
    await stage.pass(10 * MINUTE, MINUTE);
    expect(stage.events('bulk-held').length).toBeGreaterThan(0);
    delete stage.ledger.faults.beforeCommit;
    await stage.pass(2 * HOUR, MINUTE);
    expect(await bulkOf(stage, id)).toMatchObject({ state: 'finished', counts: { delivered: 8 } });
    await expectEachOnce(stage, id, 8);
  });

  it('shares its ledger with another: both work on it, and nothing is rotated twice', async () => {
    const stage = await servingMany(10, { limits: { concurrency: 1 } });
    const other = stage.open();
    await other.start();
    const { id } = await confirmed(stage);
    await stage.pass(40 * MINUTE, 10 * SECOND);
    expect(await bulkOf(stage, id)).toMatchObject({ state: 'finished', counts: { delivered: 10 } });
    expect(stage.events('bulk-finished')).toHaveLength(1);
    await expectEachOnce(stage, id, 10);
    await stage.clock.until(other.stop());
  });
});
