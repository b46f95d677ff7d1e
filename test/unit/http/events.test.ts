import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { SECOND } from '../../../src/domain/time.ts';
import type { RekeydEvent } from '../../../src/telemetry/events.ts';
import { open, readUntil } from './event-reader.ts';
import { json, serve, VIEWER } from './fake-daemon.ts';
import type { Running } from './fake-daemon.ts';

const closed: RekeydEvent = { type: 'breaker-closed', issuer: 'data8' };

async function eventually(holds: () => boolean): Promise<void> {
  for (let left = 200; left > 0 && !holds(); left -= 1) await new Promise((resolve) => setTimeout(resolve, 10));
  expect(holds()).toBe(true);
}

describe('GET /v1/events', () => {
  it('passes events on as they happen, dated and numbered', async () => {
    await using http = await serve();
    const { reader } = await open(http);
    http.feed.tell(closed);
    expect(await readUntil(reader, '}\n\n')).toBe(
      'id: epoch-1\nevent: breaker-closed\ndata: {"id":"epoch-1","at":"2030-01-01T00:00:00.000Z","type":"breaker-closed","issuer":"data8"}\n\n',
    );
  });

  it('needs a token', async () => {
    await using http = await serve();
    expect((await http.ask('/v1/events', {}, null)).status).toBe(401);
  });

  it('ends at the next heartbeat where its token was taken out', async () => {
    await using http = await serve();
    const { reader } = await open(http);
    await http.clock.advance(15 * SECOND);
    expect(await readUntil(reader, 'still here')).toContain('still here');
    await http.server.adopt({ host: '127.0.0.1', port: 0, requestsPerSecond: 100_000, socket: null, tokens: [] });
    await http.clock.advance(15 * SECOND);
    expect(await readUntil(reader, 'still here')).toBe('\n\n(over)'.slice(2));
  });

  it('gives again what came after Last-Event-ID', async () => {
    await using http = await serve();
    for (let n = 0; n < 3; n += 1) http.feed.tell(closed);
    const { reader, start } = await open(http, 'epoch-1');
    const text = start + (start.includes('epoch-3') ? '' : await readUntil(reader, 'id: epoch-3'));
    expect(text).toContain('id: epoch-2\n');
    expect(text).not.toContain('id: epoch-1\n');
    expect(text).not.toContain('event: missed');
  });

  it('says so where some are lost: another process told them', async () => {
    await using http = await serve();
    http.feed.tell(closed);
    const { reader, start } = await open(http, 'other-7');
    const text = start + (start.includes('epoch-1') ? '' : await readUntil(reader, 'id: epoch-1'));
    expect(text).toContain('event: missed\n');
  });

  it('shows that it lives where nothing happens', async () => {
    await using http = await serve();
    const { reader } = await open(http);
    await http.clock.advance(15 * SECOND);
    expect(await readUntil(reader, '\n\n')).toBe(': still here\n\n');
  });

  it('drops a client that does not read, and holds nothing for one that left', async () => {
    await using http = await serve();
    const socket = connect(http.address.port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write(`GET /v1/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${VIEWER}\r\n\r\n`);
    socket.pause();
    await eventually(() => http.feed.listeners === 1);
    const large: RekeydEvent = { type: 'breaker-closed', issuer: 'x'.repeat(1_900) };
    for (let n = 0; n < 20_000 && http.feed.listeners > 0; n += 1) {
      http.feed.tell(large);
      if (n % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await eventually(() => http.feed.listeners === 0);
    socket.destroy();

    const { reader } = await open(http);
    expect(http.feed.listeners).toBe(1);
    await reader.cancel();
    await eventually(() => http.feed.listeners === 0);
  });

  it('opens no more than 50 at once', async () => {
    await using http = await serve();
    const streams = await Promise.all(Array.from({ length: 50 }, () => open(http)));
    const refused = await http.ask('/v1/events');
    expect(refused.status).toBe(429);
    expect(refused.headers.get('retry-after')).toBe('30');
    await streams[0]!.reader.cancel();
    await eventually(() => http.feed.listeners === 49);
    await open(http);
  });

  it('ends when the server closes, without being waited for', async () => {
    const http = await serve();
    const { reader } = await open(http);
    // the manual clock stands still: nothing but the end of the stream lets this return
    await http.server.close();
    expect(await readUntil(reader, 'never')).toBe('(over)');
  });
});

describe('the audit', () => {
  const audits = (http: Running): unknown[] =>
    http.lines.map((line) => JSON.parse(line) as { event: string }).filter(({ event }) => event === 'audit');

  it('tells who did what, from where, and what became of it', async () => {
    await using http = await serve();
    await http.ask('/v1/credentials/data8/client-1/rotate', json({ note: 'leaked' }));
    await eventually(() => audits(http).length === 1);
    expect(audits(http)).toEqual([
      {
        level: 'info',
        event: 'audit',
        message: 'Somebody asked for something to be done',
        actor: 'ci',
        act: 'POST /v1/credentials/:issuer/:clientId/rotate',
        from: '127.0.0.1',
        issuer: 'data8',
        clientId: 'client-1',
        rotationId: null,
        note: 'leaked',
        status: 202,
        outcome: 'done',
      },
    ]);
  });

  it.each([
    ['/v1/resume', { note: ' thawed ' }, 200, 'thawed'],
    ['/v1/credentials/data8/client-1/resume', { until: '24h' }, 200, null],
    ['/v1/resume', { note: 5 }, 400, null],
    ['/v1/resume', { note: 'thawed', more: 'x' }, 400, null],
    ['/v1/scan', undefined, 202, null],
  ])('tells why where that was said: %s %j', async (path, body, status, note) => {
    await using http = await serve();
    await http.ask(path, body === undefined ? { method: 'POST' } : json(body));
    await eventually(() => audits(http).length === 1);
    expect(audits(http)).toMatchObject([{ status, note }]);
  });

  it.each([
    ['a viewer', VIEWER, 'dashboards', 403],
    ['nobody', null, null, 401],
    ['somebody with a wrong token', 'x'.repeat(20), null, 401],
  ])('tells of %s who was refused', async (_who, token, actor, status) => {
    await using http = await serve();
    await http.ask('/v1/pause', { method: 'POST' }, token);
    await eventually(() => audits(http).length === 1);
    expect(audits(http)).toMatchObject([{ level: 'warn', actor, status, outcome: 'refused', act: 'POST /v1/pause' }]);
  });

  it('tells nothing of those who read', async () => {
    await using http = await serve();
    await http.ask('/v1/status');
    await http.ask('/v1/scan', { method: 'POST' });
    await eventually(() => audits(http).length > 0);
    expect(audits(http)).toHaveLength(1);
  });
});
