import { describe, expect, it } from 'vitest';
import { DAY, HOUR, MINUTE, SECOND } from '../../src/domain/time.ts';
import { bulkOf, clientOf, confirmed, deliveredBy, EVERYTHING, FORCED, mostInAnHour, servingMany } from './many.ts';

describe('a bulk under limits', () => {
  it('keeps to rotationsPerHour, exactly, and to the end', async () => {
    const stage = await servingMany(20, { limits: { rotationsPerHour: 6 } });
    const before = stage.issuer.calls.length;
    expect((await stage.daemon.previewBulk(EVERYTHING, 0)).atLeast).toBe('3h');
    const { id } = await confirmed(stage);
    await stage.pass(20 * MINUTE, MINUTE);
    expect(await bulkOf(stage, id)).toMatchObject({ heldBy: 'paced', counts: { delivered: 6 } });
    await stage.pass(2 * HOUR + 30 * MINUTE, 5 * MINUTE);
    expect((await bulkOf(stage, id)).state).toBe('running');
    await stage.pass(30 * MINUTE, 5 * MINUTE);
    expect(await bulkOf(stage, id)).toMatchObject({ state: 'finished', counts: { delivered: 20 } });
    stage.issuer.calls.splice(0, before);
    expect(mostInAnHour(stage)).toBe(6);
  });

  it('has no more under way than `limits.concurrency`', async () => {
    const stage = await servingMany(12, { limits: { concurrency: 3 } });
    stage.issuer.behaviour.acceptDelay = MINUTE;
    const { id } = await confirmed(stage);
    for (let look = 0; look < 40; look += 1) {
      await stage.pass(10 * SECOND, 10 * SECOND);
      const inFlight = await stage.ledger.inFlight();
      expect(inFlight.length).toBeLessThanOrEqual(3);
    }
    expect((await bulkOf(stage, id)).counts.delivered).toBeGreaterThan(6);
  });

  it('waits for the breaker, and lets one try when it is half open', async () => {
    const stage = await servingMany(12, {
      limits: { breaker: { failures: 3, cooldown: 30 * MINUTE }, concurrency: 1 },
    });
    stage.issuer.fault('createSecret', 429, { times: Number.POSITIVE_INFINITY });
    const before = stage.issuer.count('createSecret');
    const { id } = await confirmed(stage);
    await stage.pass(25 * MINUTE, MINUTE);
    expect(stage.issuer.count('createSecret') - before).toBe(3);
    expect(await bulkOf(stage, id)).toMatchObject({ heldBy: 'breaker-open', counts: { failed: 0, waiting: 12 } });
    await stage.pass(20 * MINUTE, MINUTE);
    expect(stage.issuer.count('createSecret') - before).toBe(4);
    stage.issuer.heal();
    await stage.pass(4 * HOUR, 5 * MINUTE);
    expect(await bulkOf(stage, id)).toMatchObject({ state: 'finished', counts: { delivered: 12 } });
  });

  it('leaves out whose budget of the day is spent, and says so', async () => {
    const stage = await servingMany(3, { limits: { createsPerDay: 1 } });
    const { id } = await confirmed(stage);
    await stage.pass(10 * MINUTE, MINUTE);
    const view = await bulkOf(stage, id);
    expect(view).toMatchObject({ state: 'finished', counts: { delivered: 0, skipped: 3 } });
    expect(view.unwell.map(({ reason }) => reason)).toEqual(['budget-spent', 'budget-spent', 'budget-spent']);
    expect(stage.issuer.count('createSecret')).toBe(3);
    expect((await stage.daemon.previewBulk(EVERYTHING, 0)).skippedFor).toEqual({ 'budget-spent': 3 });
  });

  it('a single request for one that waits for the hour goes ahead of it', async () => {
    const stage = await servingMany(8, { limits: { rotationsPerHour: 2, concurrency: 4 } });
    const { id } = await confirmed(stage);
    await stage.pass(5 * MINUTE, 10 * SECOND);
    const waiting = (await stage.ledger.inFlight()).map(({ clientId }) => clientId);
    expect(waiting.length).toBeGreaterThan(0);
    const clientId = String(waiting[0]);
    await stage.daemon.rotate({ issuer: 'data8', clientId }, { note: null, grace: null, actor: 'x' });
    await stage.pass(MINUTE, 10 * SECOND);
    expect(await deliveredBy(stage, id, clientId)).toBe(1);
    expect(stage.issuer.count('createSecret')).toBe(8 + 3);
  });
});

describe('a forced bulk', () => {
  it('goes past pace, budget and breaker, and each limit that it passed is told with who did it', async () => {
    const stage = await servingMany(12, {
      limits: { rotationsPerHour: 2, createsPerDay: 1, breaker: { failures: 2, cooldown: 12 * HOUR }, concurrency: 4 },
    });
    for (const clientId of ['x', 'y']) stage.issuer.addCredential(clientId);
    stage.issuer.fault('createSecret', 429, { times: 2 });
    stage.daemon.scan();
    await stage.pass(15 * MINUTE, MINUTE);
    expect((await stage.daemon.status()).breakers[0]?.open).toBe(true);
    const wish = { ...FORCED, match: 'client-*' };
    expect((await stage.daemon.previewBulk(wish, 0)).atLeast).toBe('0s');
    const { id } = await confirmed(stage, wish);
    await stage.pass(10 * MINUTE, 10 * SECOND);
    expect(await bulkOf(stage, id)).toMatchObject({ state: 'finished', force: true, counts: { delivered: 12 } });
    expect(stage.events('bulk-started')[0]).toMatchObject({ level: 'warn', fields: { force: true, from: '10.0.0.7' } });
    const forced = stage.events('limits-forced').map(({ fields }) => fields);
    expect(forced).toHaveLength(12);
    expect(forced[0]).toMatchObject({
      bulkId: id,
      actor: 'somebody',
      limits: ['budget-spent', 'breaker-open', 'paced'],
    });
    expect(forced.at(-1)?.['limits']).toEqual(['budget-spent', 'paced']);
  });

  it('takes up whose budget was spent before, and never goes past the cap on live secrets', async () => {
    const stage = await servingMany(2, { limits: { createsPerDay: 1, maxLiveSecrets: 3 } });
    for (let bulk = 1; bulk <= 2; bulk += 1) {
      const { id } = await confirmed(stage, { ...FORCED, grace: DAY });
      await stage.pass(10 * MINUTE, 10 * SECOND);
      expect((await bulkOf(stage, id)).counts.delivered).toBe(2);
    }
    const { id } = await confirmed(stage, { ...FORCED, grace: DAY });
    await stage.pass(10 * MINUTE, 10 * SECOND);
    const view = await bulkOf(stage, id);
    expect(view).toMatchObject({ state: 'finished', counts: { delivered: 0, skipped: 2 } });
    expect(view.unwell.map(({ reason }) => reason)).toEqual(['cap-reached', 'cap-reached']);
    expect(stage.issuer.secrets(clientOf(0))).toHaveLength(3);
  });
});
