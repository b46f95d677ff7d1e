import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cli } from './bench.ts';
import { answer, credential, onSocket, recordedDaemon } from './recorded-daemon.ts';

const daemon = recordedDaemon();

describe('status', () => {
  it('follows all pages over the socket of the configuration, and shows expiry also of what is only watched', async () => {
    const watched = credential({
      clientId: 'c2',
      name: 'other',
      state: 'unmanaged',
      reason: 'unmanaged',
      current: null,
      renewAt: null,
      secrets: [
        { secretId: '1', expires: '2026-03-02T12:00:00.000Z', role: 'unmanaged', deleteAfter: null },
        { secretId: '2', expires: '2026-03-31T12:00:00.000Z', role: 'unmanaged', deleteAfter: null },
      ],
    });
    daemon.answers = {
      'GET /v1/credentials': [
        { body: { items: [credential()], nextCursor: 'next page' } },
        { body: { items: [watched], nextCursor: null } },
      ],
      'GET /v1/status': {
        body: {
          instance: 'prod',
          mode: 'active',
          lastScan: { startedAt: '2026-03-01T11:50:00.000Z', error: null },
          nextScan: '2026-03-01T12:05:00.000Z',
          paused: { paused: false, until: null, note: null },
          breakers: [],
        },
      },
    };
    const ran = await cli(['status', '--state', 'ok'], onSocket(daemon));
    expect(ran.code).toBe(0);
    expect(ran.out).toMatch(/data8\/c1 +prod-crm +ok +up-to-date +in 61d +in 31d/);
    expect(ran.out).toMatch(/data8\/c2 +other +unmanaged +unmanaged +in 30d/);
    expect(ran.err).toBe('instance prod, mode active, last scan 10m ago, next in 5m\n');
    expect(daemon.seen.map((one) => one.url)).toEqual([
      '/v1/credentials?state=ok&limit=200',
      '/v1/credentials?state=ok&limit=200&cursor=next+page',
      '/v1/status',
    ]);
    expect(daemon.seen[0]?.token).toBeUndefined();
  });

  it('--json prints JSON only, and reads no configuration where a socket is given', async () => {
    daemon.answers = { 'GET /v1/credentials': { body: { items: [credential()], nextCursor: null } } };
    const ran = await cli(['status', '--json', '--socket', daemon.socket]);
    expect(ran).toMatchObject({ code: 0, err: '', loaded: [] });
    expect(JSON.parse(ran.out)).toEqual({ items: [credential()], nextCursor: null });
  });

  it('exits 1 with what to do where no daemon answers', async () => {
    const ran = await cli(['status', '--socket', join(daemon.folder, 'nobody.sock')]);
    expect(ran).toMatchObject({ code: 1, out: '' });
    expect(ran.err).toContain('(ENOENT)');
    expect(ran.err).toContain('rekeyd run');
  });

  it('exits 2 where the configuration has no socket and no URL is given', async () => {
    expect((await cli(['status'])).code).toBe(2);
  });
});

describe('the way to the daemon by URL', () => {
  let tcp: Server;
  let url: string;
  beforeEach(async () => {
    tcp = createServer((request, response) => void answer(daemon, request, response));
    await new Promise<void>((resolve) => tcp.listen(0, '127.0.0.1', resolve));
    const address = tcp.address();
    url = `http://127.0.0.1:${typeof address === 'object' ? (address?.port ?? 0) : 0}`;
    daemon.answers = { 'GET /v1/credentials': { body: { items: [], nextCursor: null } } };
  });
  afterEach(async () => {
    tcp.closeAllConnections();
    await new Promise((resolve) => tcp.close(resolve));
  });

  it('takes the token from a file, else from REKEYD_TOKEN, and never prints it', async () => {
    const file = join(daemon.folder, 'token');
    await writeFile(file, 'from-file\n');
    const byOption = await cli(['status', '--json', '--url', `${url}/`, '--token-file', file]);
    const byEnv = await cli(['status', '--json'], { env: { REKEYD_URL: url, REKEYD_TOKEN: 'from-env' } });
    expect([byOption.code, byEnv.code]).toEqual([0, 0]);
    expect(daemon.seen.map((one) => one.token)).toEqual(['Bearer from-file', 'Bearer from-env']);
    expect(byOption.out + byOption.err + byEnv.out + byEnv.err).not.toMatch(/from-/);
  });

  it('tells what the daemon refused', async () => {
    daemon.answers = {
      'GET /v1/credentials': {
        status: 401,
        body: { title: 'Unauthorized', detail: 'a token is needed', reason: null },
      },
    };
    const ran = await cli(['status', '--url', url]);
    expect(ran.code).toBe(1);
    expect(ran.err).toContain('401: a token is needed');
    expect(ran.err).toContain('--token-file');
  });

  it('S9: does not follow a redirect with its token', async () => {
    daemon.answers = { 'GET /v1/credentials': { status: 307, body: {} } };
    expect((await cli(['status', '--url', url], { env: { REKEYD_TOKEN: 't' } })).code).toBe(1);
    expect(daemon.seen).toHaveLength(1);
  });

  it.each(['http://rekeyd.example:8080', 'ftp://x', 'nonsense', 'http://user:hunter2@127.0.0.1:1'])(
    'exits 2 for the URL %s',
    async (bad) => {
      const ran = await cli(['status', '--url', bad], { env: { REKEYD_TOKEN: 'canary' } });
      expect(ran.code).toBe(2);
      expect(ran.err).not.toContain('hunter2');
    },
  );

  it('exits 2 for a token file that is missing or empty', async () => {
    const empty = join(daemon.folder, 'empty');
    await writeFile(empty, '\n');
    expect((await cli(['status', '--url', url, '--token-file', empty])).code).toBe(2);
    expect((await cli(['status', '--url', url, '--token-file', join(daemon.folder, 'no')])).code).toBe(2);
  });
});
