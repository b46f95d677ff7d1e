import { beforeEach, describe, expect, it } from 'vitest';
import { ABSENT } from '../../src/vaults/contract.ts';
import { makeMark } from './vault-bench.ts';
import { connect, payload, ref, refusalScene } from './hashicorp-refusal-scene.ts';

const scene = refusalScene();
const { calls, failure, answer } = scene;

describe('the mount', () => {
  it.each([
    [
      'of KV version 1, which has no versions',
      { type: 'kv', options: {}, path: 'secret/' },
      /version 1.*enable-versioning/,
    ],
    ['of KV version 1, as older servers tell it', { type: 'kv', options: null, path: 'secret/' }, /version 1/],
    ['of another engine', { type: 'transit', options: null, path: 'secret/' }, /no KV engine/],
    ['that only lies in one', { type: 'kv', options: { version: '2' }, path: 'sec/' }, /no mount/],
  ])('%s is refused before anything is looked for or written', async (_, mount, message) => {
    scene.server.mount = mount;
    for (const [, call] of calls) {
      expect(await failure(call())).toMatchObject({
        fault: 'rejected',
        message: expect.stringMatching(message) as string,
      });
    }
    expect(scene.server.seen.filter(({ path }) => path.startsWith('secret/'))).toEqual([]);
  });

  it('V15: is looked at again before an entry is called absent', async () => {
    expect(await scene.vault.describe(ref)).toEqual({ state: 'absent' });
    scene.server.mount = { type: 'kv', options: {}, path: 'secret/' };
    for (const look of [scene.vault.describe(ref), scene.vault.describe(ref, { prove: true }), scene.vault.read(ref)]) {
      expect(await failure(look)).toMatchObject({ fault: 'rejected' });
    }
  });
});

describe('V13: a standby that lags', () => {
  beforeEach(async () => {
    await scene.vault.describe(ref); // logged in: from here on only the waits for the standby are in the clock
  });

  it('is told what was written last, so that it cannot answer with what was there before', async () => {
    await scene.vault.deliver(ref, payload, makeMark(1), ABSENT);
    await scene.vault.read(ref);
    expect(scene.server.seen.at(-1)!.headers['x-vault-index']).toMatch(/^index-\d+$/);
  });

  it.each([412, 472, 473])('is asked again until it has caught up (%i)', async (status) => {
    let left = 5;
    scene.server.script = (request) =>
      request.path.startsWith('secret/') && --left >= 0 ? { status, body: '' } : null;
    await expect(scene.context.clock.until(scene.vault.describe(ref))).resolves.toEqual({ state: 'absent' });
    expect(scene.context.clock.monotonic()).toBeLessThan(10_000);
  });

  it('is given up after readBack', async () => {
    answer({ status: 412, body: '{"errors":["required index state not present"]}' });
    const error = await failure(scene.context.clock.until(scene.vault.read(ref)));
    expect(error).toMatchObject({ fault: 'unavailable', message: expect.stringContaining('caught up') as string });
    expect(scene.context.clock.monotonic()).toBeGreaterThan(scene.context.readBack - 3_000);
    expect(scene.context.clock.monotonic()).toBeLessThanOrEqual(scene.context.readBack);
  });
});

describe('a namespace', () => {
  it('goes with every request', async () => {
    const inside = await connect(scene.server.url, scene.context, { namespace: 'team/prod' });
    await inside.deliver(ref, payload, makeMark(1), ABSENT);
    await inside.rights([ref]);
    expect(scene.server.seen.every(({ headers }) => headers['x-vault-namespace'] === 'team/prod')).toBe(true);
    expect(inside.identity).not.toBe(scene.vault.identity);
  });
});

describe('rights', () => {
  it('names what the policy lacks, of each of many entries', async () => {
    scene.server.capabilities = (path) =>
      path.startsWith('secret/metadata') ? ['read'] : ['create', 'read', 'update'];
    const refs = Array.from({ length: 120 }, (_, index) => ({ entry: `prod/app-${index}`, options: {} }));
    const reports = await scene.vault.rights(refs);
    expect(Object.fromEntries(reports.map(({ right, status }) => [right, status]))).toEqual({
      reached: 'ok',
      'log in': 'ok',
      'KV version 2 at the mount': 'ok',
      'read on data': 'ok',
      'create on data': 'ok',
      'update on data': 'ok',
      'read on metadata': 'ok',
      'create on metadata': 'missing',
      'patch on metadata': 'missing',
    });
    expect(reports.at(-1)!.hint).toContain('patch on "secret/metadata/prod/app-0"');
    expect(reports.at(-1)!.hint).toContain('and 117 more');
    expect(scene.server.seen.every(({ method, path }) => method === 'GET' || path === 'sys/capabilities-self')).toBe(
      true,
    );
  });

  it('takes root for every right', async () => {
    scene.server.capabilities = () => ['root'];
    expect((await scene.vault.rights([ref])).every(({ status }) => status === 'ok')).toBe(true);
  });

  it('does not know what it cannot ask', async () => {
    answer({ status: 403, body: '{"errors":["permission denied"]}' }, /capabilities-self/);
    expect((await scene.vault.rights([ref])).at(-1)).toMatchObject({
      status: 'unknown',
      hint: expect.stringContaining('capabilities-self') as string,
    });
  });

  it('tells what comes first: the server, the login, the mount', async () => {
    scene.server.mount = { type: 'kv', options: {}, path: 'secret/' };
    expect((await scene.vault.rights([ref])).at(-1)).toMatchObject({
      right: 'KV version 2 at the mount',
      status: 'missing',
    });
    const stranger = await connect(scene.server.url, scene.context, { auth: { method: 'token', token: 'unknown' } });
    expect((await stranger.rights([ref])).at(-1)).toMatchObject({ right: 'log in', status: 'missing' });
    const nowhere = await connect('http://127.0.0.1:1', scene.context);
    expect(await nowhere.rights([ref])).toMatchObject([{ right: 'reached', status: 'missing' }]);
  });
});
