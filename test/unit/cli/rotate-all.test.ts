import { beforeEach, describe, expect, it } from 'vitest';
import type { BulkPreview, BulkView } from '../../../src/daemon/bulk/bulk-api.ts';
import { cli } from './bench.ts';
import type { Given } from './bench.ts';
import { recordedDaemon } from './recorded-daemon.ts';

const DIGEST = '0123456789abcdef'.repeat(4);

function preview(changes: Partial<BulkPreview> = {}): BulkPreview {
  return {
    matched: 3,
    rotate: 2,
    skip: 1,
    skippedFor: { paused: 1 },
    inGrace: 1,
    atLeast: '2h',
    digest: DIGEST,
    items: [
      {
        issuer: 'data8',
        clientId: 'c1',
        name: 'prod-crm',
        state: 'ok',
        action: 'rotate',
        reason: null,
        expires: '2026-05-01T12:00:00.000Z',
      },
      {
        issuer: 'data8',
        clientId: 'c3',
        name: 'prod-old',
        state: 'paused',
        action: 'skip',
        reason: 'paused',
        expires: null,
      },
    ],
    ...changes,
  };
}

function bulk(changes: Partial<BulkView> = {}): BulkView {
  return {
    id: 'b1',
    state: 'finished',
    match: '*',
    grace: '1h',
    note: null,
    force: false,
    actor: 'socket',
    from: 'socket',
    total: 2,
    counts: { waiting: 0, rotating: 0, delivered: 2, failed: 0, skipped: 0 },
    heldBy: null,
    unwell: [],
    startedAt: '2026-03-01T12:00:00.000Z',
    finishedAt: '2026-03-01T12:05:00.000Z',
    cancelledBy: null,
    ...changes,
  };
}

const RUNNING = bulk({
  state: 'running',
  counts: { waiting: 1, rotating: 0, delivered: 1, failed: 0, skipped: 0 },
  heldBy: 'paced',
});
const FAILED = bulk({
  counts: { waiting: 0, rotating: 0, delivered: 1, failed: 1, skipped: 0 },
  unwell: [
    {
      issuer: 'data8',
      clientId: 'c2',
      name: 'prod-web',
      fate: 'failed',
      reason: 'issuer-forbidden',
      error: 'answered 403',
    },
  ],
});

const daemon = recordedDaemon();

beforeEach(() => {
  daemon.answers = {
    'POST /v1/bulk/preview': [{ body: preview() }],
    'POST /v1/bulk': [{ status: 202, body: RUNNING }],
    'GET /v1/bulk/b1': [{ body: RUNNING }, { body: bulk() }],
  };
});

const all = (args: readonly string[], given: Given = {}) =>
  cli(['rotate', '--all', '--match', '*', '--socket', daemon.socket, ...args], given);

const begun = () => daemon.seen.filter(({ method, url }) => method === 'POST' && url === '/v1/bulk');

describe('rotate --all', () => {
  it('shows the preview, asks for the number, and shows progress to the end', async () => {
    const asked: string[] = [];
    const ask = (question: string) => {
      asked.push(question);
      return Promise.resolve(' 2 ');
    };
    const ran = await all(['--grace', '1h', '--note', 'breach', '--force'], { ask });
    expect(ran).toMatchObject({ code: 0, out: 'b1\n' });
    expect(ran.err).toMatch(/data8\/c1 +prod-crm +ok +rotate +- +in 61d/);
    expect(ran.err).toContain('... and 1 more');
    expect(ran.err).toContain('3 match: 2 to rotate, 1 to skip (1 paused)');
    expect(ran.err).toContain('makes it last 2h at least');
    expect(ran.err).toContain(
      '1 of 2 delivered, 0 rotating, 1 waiting, 0 failed, 0 skipped; the rest is held: paced\n',
    );
    expect(ran.err).toContain('2 of 2 delivered');
    expect(asked).toEqual([expect.stringContaining('(2)')]);
    const wish = { match: '*', force: true, grace: '1h', note: 'breach' };
    expect(daemon.seen.map(({ body }) => body).slice(0, 2)).toEqual([
      { ...wish, limit: 50 },
      { ...wish, confirm: DIGEST },
    ]);
  });

  it('begins nothing where another number is typed, or nobody can be asked', async () => {
    const typed = await all([], { ask: () => Promise.resolve('yes') });
    expect([typed.code, begun()]).toEqual([1, []]);
    const piped = await all([]);
    expect([piped.code, begun()]).toEqual([2, []]);
    expect(piped.err).toContain('--yes');
    expect(piped.err).toContain('2 to rotate');
  });

  it('with --yes does not ask; exits 1 where any failed, and names it', async () => {
    daemon.answers['GET /v1/bulk/b1'] = [{ body: FAILED }];
    const ran = await all(['--yes', '--json']);
    expect([ran.code, JSON.parse(ran.out)]).toEqual([1, FAILED]);
    expect(ran.err).toMatch(/data8\/c2 +prod-web +failed +issuer-forbidden +answered 403/);
    daemon.answers['GET /v1/bulk/b1'] = [{ body: bulk({ state: 'cancelled', cancelledBy: 'ci' }) }];
    expect(await all(['--yes'])).toMatchObject({ code: 1, err: expect.stringContaining('cancelled by ci') as string });
  });

  it('looks again where the set has changed, a few times', async () => {
    const changed = { status: 409, body: { type: 'urn:rekeyd:problem:bulk-changed', detail: 'not the set' } };
    daemon.answers['POST /v1/bulk'] = [changed, { status: 202, body: RUNNING }];
    expect((await all(['--yes'])).code).toBe(0);
    daemon.answers['POST /v1/bulk'] = [changed];
    const ran = await all(['--yes']);
    expect([ran.code, begun().length]).toEqual([1, 2 + 3]);
    expect(ran.err).toContain('not the set');
    expect((await all([], { ask: () => Promise.resolve('2') })).code).toBe(1);
    expect(begun()).toHaveLength(2 + 3 + 1);
  });

  it('--preview begins nothing, and prints data; so does an empty set', async () => {
    const table = await all(['--preview']);
    expect([table.code, table.out.includes('prod-crm'), table.err]).toEqual([0, true, '']);
    const json = await all(['--preview', '--json']);
    expect([json.code, JSON.parse(json.out)]).toEqual([0, preview()]);
    daemon.answers['POST /v1/bulk/preview'] = [{ body: preview({ rotate: 0 }) }];
    expect((await all(['--yes'])).code).toBe(1);
    expect(begun()).toEqual([]);
  });

  it('--no-wait ends once it has begun, --timeout when time is over; the bulk goes on', async () => {
    const left = await all(['--yes', '--no-wait']);
    expect(left).toMatchObject({ code: 0, out: 'b1\n', err: expect.stringContaining("'rekeyd bulk b1'") as string });
    daemon.answers['GET /v1/bulk/b1'] = [{ body: RUNNING }];
    const late = await all(['--yes', '--timeout', '30s']);
    expect([late.code, late.err.includes("'rekeyd bulk b1 --cancel' ends it")]).toEqual([1, true]);
    // one line now and then, and only where something is new
    expect(late.err.match(/1 of 2 delivered/g)).toHaveLength(1);
  });

  it('Ctrl-C ends the looking, not the bulk', async () => {
    daemon.answers['GET /v1/bulk/b1'] = [{ body: RUNNING }];
    const onStop = (stop: () => Promise<void>) => setTimeout(() => void stop(), 20);
    const ran = await all(['--yes'], { onStop });
    expect([ran.code, ran.err.includes('the bulk goes on')]).toEqual([1, true]);
    expect(daemon.seen.some(({ url }) => url.includes('cancel'))).toBe(false);
  });

  it('writes over one line on a terminal', async () => {
    const ran = await all(['--yes'], { terminal: true });
    expect(ran.err).toMatch(/\r1 of 2 delivered[^\n]*\u001b\[K\r2 of 2 delivered[^\n]*\u001b\[K\n/);
  });

  it.each([
    [['rotate', '--all']],
    [['rotate', '--all', 'data8/c1', '--match', '*']],
    [['rotate']],
    [['rotate', '--match', '*']],
    [['rotate', '--all', '--match', '{a}{b}']],
    [['rotate', 'data8/c1', '--match', '*']],
    [['rotate', 'data8/c1', '--force']],
    [['rotate', 'data8/c1', '--yes']],
    [['rotate', 'data8/c1', '--preview']],
    [['bulk', '--cancel']],
    [['bulk', '--wait']],
    [['bulk', 'b1', '--wait', '--cancel']],
  ])('%j is wrong usage, and asks the daemon nothing', async (args) => {
    expect((await cli([...args, '--socket', daemon.socket])).code).toBe(2);
    expect(daemon.seen).toEqual([]);
  });
});

describe('bulk', () => {
  const run = (args: readonly string[]) => cli(['bulk', ...args, '--socket', daemon.socket]);

  it('lists, shows, waits and cancels', async () => {
    daemon.answers['GET /v1/bulk'] = [{ body: { items: [FAILED, bulk({ id: 'b0' })] } }];
    const list = await run([]);
    expect([list.code, list.out]).toEqual([0, expect.stringMatching(/b1 +finished +\* +socket +\S+ +1\/2 +1\nb0/)]);
    daemon.answers['GET /v1/bulk/b1'] = [{ body: FAILED }];
    const one = await run(['b1']);
    expect(one.code).toBe(0);
    expect(one.out).toMatch(/progress +1 of 2 delivered/);
    expect(one.out).toMatch(/data8\/c2 +prod-web +failed/);
    expect(JSON.parse((await run(['b1', '--json'])).out)).toEqual(FAILED);
    expect((await run(['b1', '--wait'])).code).toBe(1);
    daemon.answers['POST /v1/bulk/b1/cancel'] = [{ body: bulk({ state: 'cancelled', cancelledBy: 'socket' }) }];
    const cancelled = await run(['b1', '--cancel']);
    expect([cancelled.code, cancelled.out.includes('cancelled by socket')]).toEqual([0, true]);
    expect((await run(['b9'])).code).toBe(1);
  });
});
