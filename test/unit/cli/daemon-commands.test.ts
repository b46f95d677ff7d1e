import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../../src/domain/errors.ts';
import { cli } from './bench.ts';
import { credential, onSocket, recordedDaemon, rotation } from './recorded-daemon.ts';
import type { Answer } from './recorded-daemon.ts';

const daemon = recordedDaemon();
const C1 = 'GET /v1/credentials/data8/c1';
const ROTATE = 'POST /v1/credentials/data8/c1/rotate';
const accepted = { status: 202, body: { rotationId: 'r1', grace: '14d' } };

describe('rotate', () => {
  it('triggers with grace and note, and prints the id', async () => {
    daemon.answers = { [C1]: { body: credential() }, [ROTATE]: accepted };
    const ran = await cli(['rotate', 'data8/c1', '--grace', '48h', '--note', 'leaked'], onSocket(daemon));
    expect(ran).toMatchObject({ code: 0, out: 'r1\n' });
    expect(daemon.seen.at(-1)?.body).toEqual({ grace: '2d', note: 'leaked' });
  });

  it('finds a credential by name, and says where a name is ambiguous or unknown', async () => {
    const all = [
      credential(),
      credential({ clientId: 'c2', name: 'twice' }),
      credential({ clientId: 'c3', name: 'twice' }),
    ];
    daemon.answers = { 'GET /v1/credentials': { body: { items: all, nextCursor: null } }, [ROTATE]: accepted };
    expect((await cli(['rotate', 'data8/prod-crm'], onSocket(daemon))).code).toBe(0);
    expect((await cli(['rotate', 'prod-crm'], onSocket(daemon))).code).toBe(0);
    const twice = await cli(['rotate', 'twice'], onSocket(daemon));
    expect(twice.code).toBe(2);
    expect(twice.err).toContain('data8/c2');
    expect((await cli(['rotate', 'nobody'], onSocket(daemon))).code).toBe(1);
  });

  it('--wait shows each step once and ends with 0 when it is delivered everywhere', async () => {
    const create = { step: 'create', at: '2026-03-01T12:00:01.000Z', outcome: 'ok' } as const;
    const deliver = { step: 'deliver', at: '2026-03-01T12:00:05.000Z', outcome: 'ok' } as const;
    daemon.answers = {
      [C1]: { body: credential({ state: 'rotating' }) },
      [ROTATE]: accepted,
      'GET /v1/rotations/r1': [
        { body: rotation() },
        { body: rotation({ steps: [create] }) },
        { body: rotation({ steps: [create, deliver], state: 'grace', deliveredAt: '2026-03-01T12:00:06.000Z' }) },
      ],
    };
    const ran = await cli(['rotate', 'data8/c1', '--wait'], onSocket(daemon));
    expect(ran).toMatchObject({ code: 0, out: 'r1\n' });
    expect(ran.err.match(/ {2}create {2}ok/g)).toHaveLength(1);
    expect(ran.err).toContain('delivered everywhere');
  });

  it.each([
    ['abandoned', { rotation: rotation({ state: 'abandoned', error: 'response lost' }), credential: credential() }],
    ['blocked', { rotation: rotation(), credential: credential({ state: 'blocked', reason: 'cap-reached' }) }],
    [
      'failing',
      { rotation: rotation(), credential: credential({ state: 'failing', failures: 1, lastError: 'vault down' }) },
    ],
  ])('--wait ends with 1 when it is %s', async (word, world) => {
    daemon.answers = {
      [C1]: [{ body: credential() }, { body: world.credential }],
      [ROTATE]: accepted,
      'GET /v1/rotations/r1': { body: world.rotation },
    };
    const ran = await cli(['rotate', 'data8/c1', '--wait'], onSocket(daemon));
    expect(ran.code).toBe(1);
    expect(ran.err).toContain(word);
  });

  it('--wait does not give up for a failure that was there before', async () => {
    const failing = credential({ state: 'failing', failures: 3 });
    daemon.answers = {
      [C1]: { body: failing },
      [ROTATE]: accepted,
      'GET /v1/rotations/r1': [
        { body: rotation() },
        { body: rotation({ state: 'grace', deliveredAt: '2026-03-01T12:00:06.000Z' }) },
      ],
    };
    expect((await cli(['rotate', 'data8/c1', '--wait'], onSocket(daemon))).code).toBe(0);
  });

  it('--wait follows the rotation that takes up one that was cut off', async () => {
    const cutOff = rotation({ state: 'abandoned', error: 'the answer was lost', retriedAs: 'r2' });
    const failing = credential({ state: 'failing', failures: 1, lastError: 'the answer was lost' });
    daemon.answers = {
      [C1]: [{ body: credential() }, { body: credential({ state: 'rotating' }) }, { body: failing }],
      [ROTATE]: accepted,
      'GET /v1/rotations/r1': { body: cutOff },
      'GET /v1/rotations/r2': [
        { body: rotation({ id: 'r2' }) },
        { body: rotation({ id: 'r2', state: 'grace', deliveredAt: '2026-03-01T12:00:06.000Z' }) },
      ],
    };
    const ran = await cli(['rotate', 'data8/c1', '--wait'], onSocket(daemon));
    expect(ran).toMatchObject({ code: 0, out: 'r2\n' });
    expect(ran.err).toContain('cut off: the answer was lost. It is begun again as r2');
  });

  it.each([
    ['the issuer is down', 'ok', 'issuer-failed', 'the API does not answer', 10],
    ['it was failing already', 'failing', 'vault-failed', null, 60],
  ] as const)('--wait ends with 1 where nothing can be begun: %s', async (_what, state, reason, lastError, within) => {
    const failing = credential({ state: 'failing', reason, lastError });
    daemon.answers = {
      [C1]: [{ body: credential({ state }) }, { body: failing }],
      [ROTATE]: accepted,
      'GET /v1/rotations/r1': { body: rotation() },
    };
    const ran = await cli(['rotate', 'data8/c1', '--wait'], onSocket(daemon));
    expect(ran).toMatchObject({ code: 1, out: 'r1\n' });
    expect(ran.err).toContain(
      `failing (${reason})${lastError === null ? '' : `: ${lastError}`}. The daemon goes on trying`,
    );
    const looks = daemon.seen.filter((one) => one.url === '/v1/rotations/r1').length;
    expect(looks).toBeGreaterThan(3);
    expect(looks).toBeLessThan(within);
  });

  it('--wait goes on where it is failing for a moment, or while work on the rotation has begun', async () => {
    const failing = { body: credential({ state: 'failing', reason: 'issuer-failed' }) };
    const create = { step: 'create', at: '2026-03-01T12:00:01.000Z', outcome: 'ok' } as const;
    const waiting = { body: rotation() };
    const begun = { body: rotation({ state: 'created', steps: [create] }) };
    daemon.answers = {
      [C1]: [...Array<Answer>(3).fill({ body: credential() }), failing],
      [ROTATE]: accepted,
      'GET /v1/rotations/r1': [
        ...Array<Answer>(4).fill(waiting),
        ...Array<Answer>(90).fill(begun),
        { body: rotation({ steps: [create], state: 'grace', deliveredAt: '2026-03-01T12:00:06.000Z' }) },
      ],
    };
    expect(await cli(['rotate', 'data8/c1', '--wait'], onSocket(daemon))).toMatchObject({ code: 0, out: 'r1\n' });
  });

  it('--wait ends with 1 when it is out of time', async () => {
    daemon.answers = { [C1]: { body: credential() }, [ROTATE]: accepted, 'GET /v1/rotations/r1': { body: rotation() } };
    const ran = await cli(['rotate', 'data8/c1', '--wait', '--timeout', '3s'], onSocket(daemon));
    expect(ran.code).toBe(1);
    expect(ran.err).toContain('not delivered everywhere within 3s');
    expect(daemon.seen.filter((one) => one.url === '/v1/rotations/r1').length).toBe(4);
  });

  it('a refusal says why and exits 1', async () => {
    daemon.answers = {
      [C1]: { body: credential() },
      [ROTATE]: { status: 409, body: { title: 'Conflict', detail: 'it is paused', reason: 'paused' } },
    };
    const ran = await cli(['rotate', 'data8/c1'], onSocket(daemon));
    expect(ran).toMatchObject({ code: 1, err: 'rekeyd: the daemon answered 409: it is paused (paused)\n' });
  });
});

describe('pause and resume', () => {
  it('pauses one until a time from now, and everything', async () => {
    const paused = { body: { paused: true, until: '2026-03-02T12:00:00.000Z', note: null } };
    daemon.answers = {
      [C1]: { body: credential() },
      'POST /v1/credentials/data8/c1/pause': paused,
      'POST /v1/pause': paused,
      'POST /v1/resume': { body: { paused: false, until: null, note: null } },
    };
    const one = await cli(['pause', 'data8/c1', '--until', '24h', '--note', 'freeze'], onSocket(daemon));
    expect(one).toMatchObject({ code: 0, out: 'data8/c1 (prod-crm): paused until 2026-03-02T12:00:00.000Z\n' });
    expect(daemon.seen.at(-1)?.body).toEqual({ until: '2026-03-02T12:00:00.000Z', note: 'freeze' });
    expect((await cli(['pause', '--all', '--until', '2026-03-02T12:00:00Z'], onSocket(daemon))).code).toBe(0);
    expect(await cli(['resume', '--all'], onSocket(daemon))).toMatchObject({
      code: 0,
      out: 'everything: not paused\n',
    });
    expect(daemon.seen.at(-1)?.url).toBe('/v1/resume');
    expect(daemon.seen.at(-1)?.body).toEqual({});
    expect((await cli(['resume', '--all', '--note', 'thawed'], onSocket(daemon))).code).toBe(0);
    expect(daemon.seen.at(-1)?.body).toEqual({ note: 'thawed' });
  });
});

describe('a configuration that can be used for nothing but the way to the daemon', () => {
  const unusable = new ConfigError([{ file: 'a.yaml', line: 1, column: 1, key: 'bogus', message: 'unknown key' }]);

  it('does not keep anybody from a pause, and is told of', async () => {
    daemon.answers = { 'POST /v1/pause': { body: { paused: true, until: null, note: null } } };
    const ran = await cli(['pause', '--all'], { ...onSocket(daemon), unusable });
    expect(ran).toMatchObject({ code: 0, out: 'everything: paused until resumed\n' });
    expect(ran.err).toContain('has problems');
    expect(ran.err).toContain('rekeyd check --offline');
  });
});

describe('scan, retire and forget', () => {
  it('ask the daemon', async () => {
    daemon.answers = {
      'POST /v1/scan': { status: 202, body: { scanId: 's1' } },
      'POST /v1/rotations/r1/retire': { status: 202, body: rotation() },
      [C1]: { body: credential() },
      'POST /v1/credentials/data8/c1/forget': { body: credential() },
    };
    expect(await cli(['scan'], onSocket(daemon))).toMatchObject({ code: 0, out: 's1\n' });
    expect(await cli(['retire', 'r1'], onSocket(daemon))).toMatchObject({ code: 0, out: 'r1\n' });
    expect(await cli(['forget', 'data8/c1', 'local', 'old/entry'], onSocket(daemon))).toMatchObject({ code: 0 });
    expect(daemon.seen.at(-1)?.body).toEqual({ vault: 'local', entry: 'old/entry' });
  });
});

describe('rekeyd log-level', () => {
  const DEBUG = { level: 'debug', configured: 'info', until: '2030-01-01T00:15:00.000Z' };

  it('shows it, and sets it for a while', async () => {
    daemon.answers = {
      'GET /v1/log-level': { body: { level: 'info', configured: 'info', until: null } },
      'PUT /v1/log-level': { body: DEBUG },
    };
    expect(await cli(['log-level', '--socket', daemon.socket])).toMatchObject({ code: 0, out: 'info\n' });
    expect(await cli(['log-level', 'debug', '--socket', daemon.socket])).toMatchObject({
      code: 0,
      out: 'debug until 2030-01-01T00:15:00.000Z, then info\n',
    });
    expect(daemon.seen.at(-1)?.body).toEqual({ level: 'debug' });
    await cli(['log-level', 'debug', '--for', '1h', '--json', '--socket', daemon.socket]);
    expect(daemon.seen.at(-1)?.body).toMatchObject({ level: 'debug', until: expect.stringMatching(/Z$/) as string });
  });

  it('exits 2 for a level that it does not know, silence included', async () => {
    expect((await cli(['log-level', 'loud', '--socket', daemon.socket])).code).toBe(2);
    expect((await cli(['log-level', 'silent', '--socket', daemon.socket])).code).toBe(2);
    expect(daemon.seen).toEqual([]);
  });
});
