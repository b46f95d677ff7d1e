import { describe, expect, it } from 'vitest';
import { HOUR, MINUTE, SECOND } from '../../src/domain/time.ts';
import { bulkOf, BY, clientOf, confirmed, deliveredBy, EVERYTHING, servingMany } from './many.ts';
import { ruleFor } from './stage.ts';

describe('a bulk', () => {
  it('rotates all that match once, with its note and grace, and is told', async () => {
    const stage = await servingMany(20);
    stage.issuer.addCredential('other');
    const wish = { ...EVERYTHING, match: 'data8/client-*' };
    const preview = await stage.daemon.previewBulk(wish, 5);
    expect(preview).toMatchObject({ matched: 20, rotate: 20, skip: 0, inGrace: 0, atLeast: '0s' });
    expect(preview.items).toHaveLength(5);
    const { id } = await stage.daemon.startBulk(wish, preview.digest, BY);
    await stage.pass(5 * MINUTE, 10 * SECOND);
    expect(await bulkOf(stage, id)).toMatchObject({
      state: 'finished',
      total: 20,
      counts: { waiting: 0, rotating: 0, delivered: 20, failed: 0, skipped: 0 },
      unwell: [],
    });
    for (let each = 0; each < 20; each += 1) {
      const [newest, first] = await stage.rotations(clientOf(each));
      expect(newest).toMatchObject({
        bulkId: id,
        note: 'breach',
        actor: 'somebody',
        trigger: 'manual',
        state: 'grace',
      });
      expect(first?.bulkId).toBeNull();
      expect(Date.parse(newest?.deleteAfter ?? '') - Date.parse(newest?.deliveredAt ?? '')).toBe(HOUR);
    }
    expect(stage.issuer.count('createSecret', 'other')).toBe(0);
    const started = { bulkId: id, actor: 'somebody', from: '10.0.0.7', total: 20, force: false };
    expect(stage.events('bulk-started').map(({ fields }) => fields)).toMatchObject([started]);
    expect(stage.events('bulk-finished').map(({ fields }) => fields)).toMatchObject([
      { bulkId: id, counts: { delivered: 20 } },
    ]);
    await stage.pass(2 * HOUR);
    expect(stage.issuer.secrets(clientOf(3))).toHaveLength(1);
  });

  it('shows who is skipped and why, takes the soonest to expire first, and matches names, clientIds and both', async () => {
    const stage = await servingMany(6, {
      rules: (policy) => [ruleFor(policy, ['a', 'b'], clientOf(5), { name: 'billing' }), ruleFor(policy, ['a', 'b'])],
    });
    await stage.daemon.pause({ issuer: 'data8', clientId: clientOf(0) }, { until: null, note: null, actor: 'x' });
    await stage.daemon.rotate({ issuer: 'data8', clientId: clientOf(1) }, { note: null, grace: null, actor: 'x' });
    await stage.pass(10 * MINUTE);
    const preview = await stage.daemon.previewBulk(EVERYTHING, 100);
    expect(preview).toMatchObject({ matched: 6, rotate: 5, skip: 1, skippedFor: { paused: 1 }, inGrace: 1 });
    const ends = preview.items.filter(({ action }) => action === 'rotate').map(({ expires }) => expires);
    expect(ends).toEqual([...ends].sort());
    expect(preview.items.at(-2)).toMatchObject({ clientId: clientOf(1), action: 'rotate', reason: null });
    expect(preview.items.at(-1)).toMatchObject({ clientId: clientOf(0), action: 'skip', reason: 'paused' });
    const matched = async (match: string) => (await stage.daemon.previewBulk({ ...EVERYTHING, match }, 0)).matched;
    expect([await matched('billing'), await matched('client-00?'), await matched('data8/*5')]).toEqual([1, 6, 1]);
    expect([await matched('nobody'), await matched('*')]).toEqual([0, 6]);
    await expect(matched('**{a}')).rejects.toMatchObject({ kind: 'invalid' });
  });

  it('begins only what was previewed, once', async () => {
    const stage = await servingMany(3);
    const { digest } = await stage.daemon.previewBulk(EVERYTHING, 100);
    const start = (wish = EVERYTHING) => stage.daemon.startBulk(wish, digest, BY);
    for (const other of [{ match: 'client-*' }, { grace: null }, { force: true }]) {
      await expect(start({ ...EVERYTHING, ...other })).rejects.toMatchObject({ kind: 'bulk-changed' });
    }
    const key = { issuer: 'data8', clientId: clientOf(0) };
    await stage.daemon.pause(key, { until: null, note: null, actor: 'x' });
    await expect(start()).rejects.toMatchObject({ kind: 'bulk-changed' });
    await stage.daemon.resume(key, 'x');
    await stage.clock.settle(8);
    const [first, second] = await Promise.all([start(), start()]);
    expect(second.id).toBe(first.id);
    const third = await stage.daemon.previewBulk(EVERYTHING, 100);
    await expect(stage.daemon.startBulk(EVERYTHING, third.digest, BY)).rejects.toMatchObject({
      kind: 'bulk-running',
      message: expect.stringContaining(first.id) as string,
    });
    await stage.pass(5 * MINUTE, 10 * SECOND);
    // the answer was lost, and it is sent again: nothing new begins
    expect(await start()).toMatchObject({ id: first.id, state: 'finished' });
    await stage.pass(5 * MINUTE, 10 * SECOND);
    expect(stage.issuer.count('createSecret')).toBe(6);
    const again = await confirmed(stage);
    await stage.pass(5 * MINUTE, 10 * SECOND);
    expect((await stage.daemon.bulks()).map(({ id }) => id)).toEqual([again.id, first.id]);
    expect(stage.issuer.count('createSecret')).toBe(9);
  });

  it('is refused where nothing can be rotated: by the mode, the pause of everything, or an empty set', async () => {
    const stage = await servingMany(1);
    const none = { ...EVERYTHING, match: 'nobody' };
    const { digest } = await stage.daemon.previewBulk(none, 100);
    await expect(stage.daemon.startBulk(none, digest, BY)).rejects.toMatchObject({ kind: 'conflict' });
    await stage.daemon.pause(null, { until: null, note: null, actor: 'x' });
    await expect(stage.daemon.previewBulk(EVERYTHING, 100)).rejects.toMatchObject({ reason: 'paused' });
    await stage.daemon.resume(null, 'x');
    await stage.stop();
    stage.settings = { ...stage.settings, mode: 'no-delete' };
    await stage.start();
    await expect(stage.daemon.previewBulk(EVERYTHING, 100)).rejects.toMatchObject({ reason: 'mode-no-delete' });
  });

  it('waits while everything is paused, and skips one that was paused meanwhile', async () => {
    const stage = await servingMany(12, { limits: { concurrency: 2 } });
    stage.issuer.behaviour.acceptDelay = 20 * SECOND;
    const { id } = await confirmed(stage);
    await stage.pass(30 * SECOND, 5 * SECOND);
    await stage.daemon.pause(null, { until: null, note: null, actor: 'x' });
    await stage.daemon.pause({ issuer: 'data8', clientId: clientOf(11) }, { until: null, note: null, actor: 'x' });
    await stage.pass(10 * MINUTE, MINUTE);
    const held = await bulkOf(stage, id);
    expect(held).toMatchObject({ state: 'running', heldBy: 'paused', counts: { rotating: 0, failed: 0, skipped: 0 } });
    expect(held.counts.waiting).toBeGreaterThan(6);
    expect((await stage.daemon.status()).bulk).toEqual({ id, total: 12, remaining: held.counts.waiting });
    await stage.daemon.resume(null, 'x');
    await stage.pass(10 * MINUTE, 10 * SECOND);
    expect(await bulkOf(stage, id)).toMatchObject({
      state: 'finished',
      counts: { delivered: 11, skipped: 1 },
      unwell: [{ clientId: clientOf(11), fate: 'skipped', reason: 'paused', error: null }],
    });
    expect((await stage.daemon.status()).bulk).toBeNull();
  });

  it('tries again what failed, gives up what fails for good, and holds nothing else up', async () => {
    const stage = await servingMany(5, { limits: { breaker: { failures: 50, cooldown: HOUR }, createsPerDay: 20 } });
    stage.issuer.fault('createSecret', 429, { times: 2, clientId: clientOf(1) });
    stage.issuer.fault('createSecret', 403, { times: Number.POSITIVE_INFINITY, clientId: clientOf(2) });
    const { id } = await confirmed(stage);
    await stage.pass(HOUR, 30 * SECOND);
    expect(await bulkOf(stage, id)).toMatchObject({
      state: 'finished',
      counts: { waiting: 0, rotating: 0, delivered: 4, failed: 1, skipped: 0 },
      unwell: [{ clientId: clientOf(2), fate: 'failed', reason: 'issuer-forbidden' }],
    });
    expect(stage.issuer.count('createSecret', clientOf(2))).toBe(1 + 5);
    expect(stage.events('bulk-finished')[0]?.level).toBe('warn');
    for (const each of [0, 1, 3, 4]) expect(await deliveredBy(stage, id, clientOf(each))).toBe(1);
  });

  it('does not wait with the others for one whose vault is down, and is over once that one is delivered', async () => {
    const stage = await servingMany(6, { limits: { concurrency: 1 } });
    const lift = stage.vault('b').goDown();
    const { id } = await confirmed(stage);
    await stage.pass(20 * MINUTE, 10 * SECOND);
    const held = await bulkOf(stage, id);
    expect(held).toMatchObject({ state: 'running', counts: { waiting: 0, rotating: 6, delivered: 0 } });
    lift();
    await stage.pass(3 * HOUR, MINUTE);
    expect(await bulkOf(stage, id)).toMatchObject({ state: 'finished', counts: { delivered: 6 } });
  });

  it('joins a rotation whose secret comes after it, and waits for one whose secret came before', async () => {
    const stage = await servingMany(2, { limits: { concurrency: 1 } });
    stage.issuer.behaviour.acceptDelay = MINUTE;
    const key = { issuer: 'data8', clientId: clientOf(0) };
    const { rotationId } = await stage.daemon.rotate(key, { note: null, grace: null, actor: 'x' });
    await stage.pass(10 * SECOND, SECOND);
    const { id } = await confirmed(stage);
    await stage.pass(15 * MINUTE, 10 * SECOND);
    expect(await bulkOf(stage, id)).toMatchObject({ state: 'finished', counts: { delivered: 2 } });
    const [newest, before] = await stage.rotations(clientOf(0));
    expect([newest?.bulkId, before?.id]).toEqual([id, rotationId]);
    expect(await stage.rotations(clientOf(1))).toHaveLength(2);
  });
});
