import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CredentialView, RotationView } from '../../src/daemon/api.ts';
import { client, HttpSite, one, VIEWER } from './http-site.ts';
import { settled } from './site.ts';

/** One for each test, so that none meets what another left behind. */
const [ROTATED, JOINED, PAUSED, RETIRED, FORGOTTEN] = [1, 2, 3, 4, 5];

let on: HttpSite;

beforeAll(async () => {
  on = await HttpSite.open();
}, 60_000);
afterAll(() => on.close());

describe('acting', () => {
  it('rotate: 202 with its place, and every step with its time; in grace a new one', async () => {
    const before = await on.credential(ROTATED);
    const answer = await on.call('POST', `${one(ROTATED)}/rotate`, { note: 'seen in a chat', grace: '20m' });
    expect(answer).toMatchObject({ status: 202, body: { grace: '20m' } });
    const id = String(answer.body['rotationId']);
    expect(answer.headers.get('location')).toBe(`/v1/rotations/${id}`);
    const done = await on.delivered(id);
    expect(done).toMatchObject({
      issuer: 'data8',
      clientId: client(ROTATED),
      trigger: 'manual',
      reason: 'manual',
      note: 'seen in a chat',
      actor: 'ci',
      state: 'grace',
      supersedes: [before.current?.secretId],
      error: null,
    });
    expect(done.generation).toBeGreaterThan(before.current?.generation ?? 0);
    expect(done.steps.map(({ step, outcome }) => `${step} ${outcome}`)).toEqual([
      'intend ok',
      'create ok',
      'verify ok',
      'extend ok',
      'deliver ok',
      'settle ok',
    ]);
    expect(Date.parse(done.deleteAfter ?? '') - Date.parse(done.deliveredAt ?? '')).toBe(20 * 60_000);
    const after = await on.credential(ROTATED);
    expect(after).toMatchObject({ state: 'grace', current: { secretId: done.secretId, generation: done.generation } });
    expect(after.secrets.find((each) => each.secretId === before.current?.secretId)).toMatchObject({
      role: 'superseded',
      deleteAfter: done.deleteAfter,
    });
    expect((await on.rotate(ROTATED)).id).not.toBe(id);
    const { body } = await on.call('GET', `/v1/rotations?issuer=data8&clientId=${client(ROTATED)}`, undefined, VIEWER);
    const history = (body['items'] as RotationView[]).map((each) => each.generation);
    expect(history).toEqual([...history].sort((a, b) => b - a));
    expect(history.length).toBeGreaterThanOrEqual(3);
  });

  it('rotate again while one is in flight: the same, and a shorter grace is taken over', async () => {
    on.issuer.faults({ acceptAfter: 2_000 });
    const first = await on.call('POST', `${one(JOINED)}/rotate`, {});
    const second = await on.call('POST', `${one(JOINED)}/rotate`, { grace: '5m' });
    const third = await on.call('POST', `${one(JOINED)}/rotate`, { grace: '10m' });
    on.issuer.faults({});
    expect(first.body).toMatchObject({ grace: '30m' });
    expect(second).toMatchObject({ status: 202, body: { rotationId: first.body['rotationId'], grace: '5m' } });
    expect(third).toMatchObject({ status: 202, body: { rotationId: first.body['rotationId'], grace: '5m' } });
    const done = await on.delivered(String(first.body['rotationId']));
    expect(Date.parse(done.deleteAfter ?? '') - Date.parse(done.deliveredAt ?? '')).toBe(5 * 60_000);
  });

  it('pause and resume one', async () => {
    const paused = await on.call('POST', `${one(PAUSED)}/pause`, { until: '24h', note: 'change freeze' });
    expect(paused).toMatchObject({ status: 200, body: { paused: true, note: 'change freeze' } });
    expect(Date.parse(String(paused.body['until'])) - Date.now()).toBeGreaterThan(23 * 3_600_000);
    expect(await on.credential(PAUSED)).toMatchObject({
      state: 'paused',
      reason: 'paused',
      pausedUntil: paused.body['until'],
    });
    expect(await on.call('POST', `${one(PAUSED)}/rotate`, {})).toMatchObject({
      status: 409,
      body: { reason: 'paused' },
    });
    const resumed = await on.call('POST', `${one(PAUSED)}/resume`);
    expect(resumed).toMatchObject({ status: 200, body: { paused: false, until: null } });
    await on.rotate(PAUSED);
  });

  it('pause and resume everything', async () => {
    expect(await on.call('POST', '/v1/pause', { note: 'all hands' })).toMatchObject({
      status: 200,
      body: { paused: true },
    });
    try {
      const { body } = await on.call('GET', '/v1/status');
      expect(body).toMatchObject({ paused: { paused: true, until: null, note: 'all hands' } });
      expect(await on.credential(PAUSED)).toMatchObject({ state: 'paused' });
      expect(await on.call('POST', `${one(PAUSED)}/rotate`, {})).toMatchObject({
        status: 409,
        body: { reason: 'paused' },
      });
    } finally {
      expect(await on.call('POST', '/v1/resume')).toMatchObject({ status: 200, body: { paused: false } });
    }
    await on.rotate(PAUSED);
  });

  it('retire: ends the grace; the old secret goes, and a second time there is nothing to end', async () => {
    const old = (await on.credential(RETIRED)).current?.secretId;
    const { id } = await on.rotate(RETIRED);
    const answer = await on.call('POST', `/v1/rotations/${id}/retire`);
    expect(answer).toMatchObject({ status: 202, body: { id } });
    const left = await settled(async () => {
      const { body } = await on.call('GET', `/v1/rotations/${id}`);
      return body['state'] === 'done' ? [] : [String(body['state'])];
    }, 15_000);
    expect(left).toEqual([]);
    const truth = on.issuer.truth();
    expect(truth.find((each) => String(each.clientSecretId) === old)?.deleted).not.toBeNull();
    expect(truth.filter((each) => each.description === 'made by hand' && each.deleted !== null)).toEqual([]);
    expect((await on.call('POST', `/v1/rotations/${id}/retire`)).status).toBe(409);
  });

  it('scan', async () => {
    const answer = await on.call('POST', '/v1/scan');
    expect(answer).toMatchObject({ status: 202, body: { scanId: expect.stringMatching(/^[0-9a-f-]{36}$/) as string } });
  });
});

describe('forget', () => {
  it('a former destination holds deletions back until it is forgotten', async () => {
    await on.restartWithoutPlain();
    const place = { vault: 'plain', entry: 'app-000005.json' };
    const find = (view: CredentialView) => view.destinations.find((each) => each.vault === 'plain');
    const seen = await settled(
      async () => (find(await on.credential(FORGOTTEN))?.former === true ? [] : ['not seen yet']),
      15_000,
    );
    expect(seen).toEqual([]);
    const old = (await on.credential(FORGOTTEN)).current?.secretId;
    const { id } = await on.rotate(FORGOTTEN, { grace: '0s' });
    const isDeleted = async (): Promise<boolean> =>
      on.issuer.truth().find((each) => String(each.clientSecretId) === old)?.deleted !== null;
    // the file that no rule names any more still serves it
    expect(
      await settled(async () => ((await on.credential(FORGOTTEN)).state === 'grace' ? [] : ['not in grace']), 10_000),
    ).toEqual([]);
    expect(await isDeleted()).toBe(false);
    const forgotten = await on.call('POST', `${one(FORGOTTEN)}/forget`, place);
    expect(forgotten.status).toBe(200);
    expect(find(forgotten.body as unknown as CredentialView)).toBeUndefined();
    expect((await on.call('POST', `${one(FORGOTTEN)}/forget`, place)).status).toBe(404);
    expect(await settled(async () => ((await isDeleted()) ? [] : ['not deleted']), 15_000)).toEqual([]);
    const rotation = (await on.call('GET', `/v1/rotations/${id}`)).body;
    expect(['grace', 'done']).toContain(rotation['state']);
  }, 60_000);
});
