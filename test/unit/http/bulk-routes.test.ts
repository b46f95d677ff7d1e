import { describe, expect, it } from 'vitest';
import { HOUR } from '../../../src/domain/time.ts';
import { BULK, json, PREVIEW, problemOf, ROTATION_ID, serve, VIEWER } from './fake-daemon.ts';

const WISH = { match: 'data8/*', grace: '1h', force: true, note: ' breach ' };
const READ = { match: 'data8/*', grace: HOUR, force: true, note: 'breach' };
const NOTHING = { match: '*', grace: null, force: false, note: null };

describe('a bulk over HTTP', () => {
  it('is previewed, confirmed, looked at and cancelled, each with who asks', async () => {
    await using http = await serve();
    const previewed = await http.ask('/v1/bulk/preview', json({ ...WISH, limit: 5 }));
    expect([previewed.status, await previewed.json()]).toEqual([200, PREVIEW]);
    const begun = await http.ask('/v1/bulk', json({ ...WISH, confirm: PREVIEW.digest }));
    expect([begun.status, await begun.json()]).toEqual([202, BULK]);
    expect(begun.headers.get('location')).toBe(`/v1/bulk/${ROTATION_ID}`);
    expect(await (await http.ask('/v1/bulk')).json()).toEqual({ items: [BULK] });
    expect(await (await http.ask('/v1/bulk/b1')).json()).toEqual(BULK);
    const cancelled = await http.ask('/v1/bulk/b1/cancel', { method: 'POST' });
    expect([cancelled.status, await cancelled.json()]).toEqual([200, BULK]);
    await http.ask('/v1/bulk/preview', json({ match: '*' }));
    expect(http.calls).toEqual([
      ['previewBulk', READ, 5],
      ['startBulk', READ, PREVIEW.digest, { actor: 'ci', from: '127.0.0.1' }],
      ['bulks'],
      ['bulk', 'b1'],
      ['cancelBulk', 'b1', 'ci'],
      ['previewBulk', NOTHING, 100],
    ]);
    const lines = http.lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines.filter(({ event }) => event === 'audit').map(({ act, outcome }) => [act, outcome])).toEqual([
      ['POST /v1/bulk/preview', 'done'],
      ['POST /v1/bulk', 'done'],
      ['POST /v1/bulk/:bulkId/cancel', 'done'],
      ['POST /v1/bulk/preview', 'done'],
    ]);
  });

  it('is for operators; a viewer may look', async () => {
    await using http = await serve();
    const statuses = [
      await http.ask('/v1/bulk/preview', json({ match: '*' }), VIEWER),
      await http.ask('/v1/bulk', json({ match: '*', confirm: PREVIEW.digest }), VIEWER),
      await http.ask('/v1/bulk/b1/cancel', { method: 'POST' }, VIEWER),
      await http.ask('/v1/bulk', {}, VIEWER),
      await http.ask('/v1/bulk/b1', {}, VIEWER),
    ].map(({ status }) => status);
    expect(statuses).toEqual([403, 403, 403, 200, 200]);
  });

  it.each([
    ['/v1/bulk/preview', {}, 'match'],
    ['/v1/bulk/preview', { match: '' }, 'match'],
    ['/v1/bulk/preview', { match: 'x'.repeat(513) }, 'match'],
    ['/v1/bulk/preview', { match: '*', limit: 1001 }, 'limit'],
    ['/v1/bulk/preview', { match: '*', grace: 'soon' }, 'grace'],
    ['/v1/bulk/preview', { match: '*', force: 'yes' }, 'force'],
    ['/v1/bulk', { match: '*' }, 'confirm'],
    ['/v1/bulk', { match: '*', confirm: 'yes' }, 'confirm'],
  ])('%s refuses %j', async (path, body, key) => {
    await using http = await serve();
    const problem = await problemOf(await http.ask(path, json(body)));
    expect([problem['status'], problem['errors']]).toMatchObject([400, [{ in: 'body', key }]]);
    expect(http.calls).toEqual([]);
  });

  it('is 404 where none is known', async () => {
    await using http = await serve({}, { bulk: () => Promise.resolve(null) });
    expect((await problemOf(await http.ask('/v1/bulk/b1')))['status']).toBe(404);
  });
});
