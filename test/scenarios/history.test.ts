import { describe, expect, it } from 'vitest';
import { LedgerError } from '../../src/domain/errors.ts';
import { DAY, HOUR, MINUTE } from '../../src/domain/time.ts';
import { SHORT } from './short-lives.ts';
import { Stage } from './stage.ts';

describe('rotations that were finished more than 400 days ago', () => {
  it('are forgotten by jobs, where no daemon ever runs; younger ones are kept', async () => {
    const stage = await stageWithHistory();
    const old = await finished(stage);
    await stage.clock.advance(399 * DAY);
    await once(stage);
    expect(await finished(stage), 'not before').toEqual(old);
    await stage.clock.advance(2 * DAY);
    await once(stage);
    const left = await finished(stage);
    expect(left.filter((id) => old.includes(id))).toEqual([]);
    expect(left).toHaveLength(1);
    expect(await stage.allServedAlive('shop')).toBe(true);
  });

  it('are forgotten by the daemon, by a scan of its schedule', async () => {
    const stage = await stageWithHistory();
    const [, first] = await finished(stage);
    await stage.clock.advance(401 * DAY);
    await stage.start();
    expect(await finished(stage), 'its first scan is not of the schedule').toContain(first);
    await stage.pass(15 * MINUTE);
    expect(await finished(stage)).not.toContain(first);
  });

  it('that cannot be forgotten are told, and fail no job', async () => {
    const stage = await stageWithHistory();
    stage.ledger.prune = () => Promise.reject(new LedgerError('the disk is full'));
    const result = await once(stage);
    expect([result.errors, result.unwell]).toEqual([[], []]);
    expect(stage.events('prune-failed').map(({ level, fields }) => [level, fields['error']])).toEqual([
      ['warn', 'the disk is full'],
    ]);
  });
});

/** Two generations of `shop`, made by jobs alone; the first one's secret is deleted. */
async function stageWithHistory(): Promise<Stage> {
  const stage = new Stage({ policy: SHORT });
  stage.issuer.addCredential('shop');
  await once(stage);
  await stage.clock.advance(9 * HOUR + MINUTE);
  await once(stage);
  await stage.clock.advance(61 * MINUTE);
  await once(stage);
  await stage.clock.advance(HOUR);
  await once(stage);
  expect(stage.issuer.secrets('shop')).toHaveLength(1);
  expect(await finished(stage)).toHaveLength(2);
  return stage;
}

function once(stage: Stage) {
  return stage.clock.until(stage.open().once({ limit: null, only: null }));
}

/** Ids of the rotations that the ledger knows to be over, newest first. */
async function finished(stage: Stage): Promise<readonly string[]> {
  const { items } = await stage.ledger.rotations({ issuer: 'data8', clientId: 'shop', state: 'done' }, 100, null);
  return items.map((each) => each.id);
}
