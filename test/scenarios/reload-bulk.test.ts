import { expect, it } from 'vitest';
import { HOUR, MINUTE, SECOND } from '../../src/domain/time.ts';
import { bulkOf, clientOf, confirmed, deliveredBy, servingMany } from './many.ts';

it.each([1, 3, 8])(
  'other settings while a bulk runs: it is gone on with, each credential once, also over %i changes in a row',
  async (changes) => {
    const stage = await servingMany(12, { limits: { concurrency: 2 } });
    stage.issuer.behaviour.acceptDelay = 5 * SECOND;
    const made = stage.issuer.count('createSecret');
    const { id } = await confirmed(stage);
    for (let change = 0; change < changes; change += 1) {
      await stage.pass(3 * SECOND, SECOND);
      await stage.reload({ resync: (change + 2) * HOUR });
    }
    expect(await bulkOf(stage, id)).toMatchObject({ state: 'running' });
    await stage.pass(HOUR, MINUTE);
    expect(await bulkOf(stage, id)).toMatchObject({
      state: 'finished',
      counts: { waiting: 0, rotating: 0, delivered: 12, failed: 0, skipped: 0 },
    });
    for (let each = 0; each < 12; each += 1) expect(await deliveredBy(stage, id, clientOf(each))).toBe(1);
    expect(stage.issuer.count('createSecret')).toBe(made + 12);
    expect(stage.events('bulk-finished')).toHaveLength(1);
    expect(stage.events('rotation-abandoned')).toEqual([]);
  },
);
