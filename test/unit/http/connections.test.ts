import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:http';
import { describe, expect, it } from 'vitest';
import { ListenError } from '../../../src/http/listen-error.ts';
import { createHttpServer } from '../../../src/http/server.ts';
import type { HttpOptions } from '../../../src/http/server.ts';
import { fakeDaemon, NOW, OPERATOR, serve, sha256, VIEWER } from './fake-daemon.ts';
import { EventFeed } from '../../../src/telemetry/feed.ts';
import { silentEvents } from '../../../src/telemetry/telling.ts';
import { createManualPorts } from '../../fakes/manual-ports.ts';
import { LogLevelSwitch } from '../../../src/telemetry/log-level.ts';
import { silentLog } from '../../../src/telemetry/log.ts';
import { ask, sendRaw } from './raw-connection.ts';

const QUICK = { headers: 200, request: 400, idle: 600, answer: 300 };

/** Head and problem of a raw answer. */
function readAnswer(text: string): { status: number; head: string; problem: Record<string, unknown> } {
  const [head = '', body = ''] = text.split('\r\n\r\n');
  return {
    head,
    status: Number(/^HTTP\/1\.1 (\d{3}) /.exec(head)?.[1]),
    problem: JSON.parse(body) as Record<string, unknown>,
  };
}

describe('bytes that are not HTTP', () => {
  it.each<[string, string | Buffer, number]>([
    ['nonsense', 'nonsense\r\n\r\n', 400],
    ['binary', Buffer.from([0x16, 3, 1, 0, 0xff, 0, 0x80, 0xff, 13, 10, 13, 10]), 400],
    ['a bad version', 'GET / HTTP/9.9\r\n\r\n', 400],
    ['a broken header', 'GET /livez HTTP/1.1\r\nhost: x\r\nbro ken: x\r\n\r\n', 400],
    ['two lengths', 'POST /v1/scan HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n', 400],
    [
      'length and chunks',
      'POST /v1/scan HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
    ],
    [
      'a bad chunk',
      `POST /v1/scan HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${OPERATOR}\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\nZZ\r\n`,
      400,
    ],
    ['huge headers', `GET /livez HTTP/1.1\r\nhost: x\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`, 431],
    ['no host', 'GET /livez HTTP/1.1\r\nconnection: close\r\n\r\n', 400],
    ['an unknown expectation', 'GET /livez HTTP/1.1\r\nhost: x\r\nexpect: 200-ok\r\n\r\n', 417],
  ])('%s get a problem', async (_name, bytes, status) => {
    await using http = await serve({ timeouts: QUICK });
    const answer = readAnswer(await sendRaw(http.address.port, bytes));
    expect(answer.status).toBe(status);
    expect(answer.problem).toMatchObject({ status });
    expect(answer.head).toMatch(/content-type: application\/problem\+json/i);
    expect(answer.head).toMatch(/cache-control: no-store/i);
    expect((await http.ask('/livez')).status).toBe(200);
  });

  it('HTTP/1.0 needs no host', async () => {
    await using http = await serve({ timeouts: QUICK });
    expect(await sendRaw(http.address.port, 'GET /livez HTTP/1.0\r\n\r\n')).toContain('200 OK');
  });
});

describe('S5: paths that clients tidy up', () => {
  it.each([
    '/v1/credentials/data8/..',
    '/v1/credentials/../data8',
    '/v1/credentials/data8/%2e%2e',
    '/v1/credentials/data8/.',
    '/v1/rotations/..',
  ])('S5: %s is refused as it stands', async (path) => {
    await using http = await serve();
    const answer = await ask(http.address, path, { headers: { authorization: `Bearer ${OPERATOR}` } });
    expect([answer.status, answer.type]).toEqual([400, 'application/problem+json; charset=utf-8']);
    expect(http.calls).toEqual([]);
  });

  it('S5: nor does a dot segment lead out of a route', async () => {
    await using http = await serve();
    for (const path of ['/v1/../livez', '//livez', '/livez/../v1/status', '/v1/credentials/data8/a/../../status']) {
      const answer = await ask(http.address, path, { headers: { authorization: `Bearer ${OPERATOR}` } });
      expect([path, answer.status]).toEqual([path, 404]);
    }
  });
});

describe('S10: slow clients', () => {
  const ended = async (port: number, start: string, drip = ''): Promise<number> => {
    const began = performance.now();
    await new Promise<void>((resolve, reject) => {
      const socket = connect(port, '127.0.0.1', () => socket.write(start));
      const timer = setInterval(() => drip !== '' && socket.writable && socket.write(drip), 50);
      socket.on('error', () => undefined); // it is to end in one way or the other
      socket.on('data', () => undefined);
      socket.on('close', () => {
        clearInterval(timer);
        resolve();
      });
      setTimeout(() => reject(new Error('the connection was left open')), 5_000).unref();
    });
    return performance.now() - began;
  };

  it.each([
    ['say nothing', '', ''],
    ['begin and stop', 'GET /livez HTTP/1.1\r\nhost: x\r\n', ''],
    ['drip headers', 'GET /livez HTTP/1.1\r\nhost: x\r\n', 'x: y\r\n'],
    [
      'do not send their body',
      `POST /v1/scan HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${OPERATOR}\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n`,
      '',
    ],
    [
      'drip their body',
      `POST /v1/scan HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${OPERATOR}\r\ncontent-type: application/json\r\ncontent-length: 10000\r\n\r\n`,
      ' ',
    ],
    ['keep the connection for later', 'GET /livez HTTP/1.1\r\nhost: x\r\n\r\n', ''],
  ])('S10: that %s are cut off', async (_name, start, drip) => {
    await using http = await serve({ timeouts: QUICK });
    expect(await ended(http.address.port, start, drip)).toBeLessThan(4_000);
    expect((await http.ask('/livez')).status).toBe(200);
  });

  it('a daemon that does not answer is told of', async () => {
    await using http = await serve({ timeouts: QUICK }, { status: () => new Promise(() => undefined) });
    const response = await http.ask('/v1/status');
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ type: 'urn:rekeyd:problem:overdue' });
  });
});

describe('opening and closing', () => {
  const options = (port: number, change: Partial<HttpOptions> = {}): HttpOptions => ({
    ...createManualPorts(NOW),
    daemon: fakeDaemon().daemon,
    metrics: { contentType: 'text/plain', render: () => Promise.resolve('') },
    log: silentLog,
    logLevel: new LogLevelSwitch({ ...silentLog, level: 'info' }, { ...createManualPorts(NOW), events: silentEvents }),
    events: silentEvents,
    feed: new EventFeed({ now: () => NOW }, 'epoch'),
    settings: { host: '127.0.0.1', port, requestsPerSecond: 100_000, socket: null, tokens: [] },
    ...change,
  });

  it('a port that is taken is an error that says what to do', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as AddressInfo;
    const error: unknown = await createHttpServer(options(port))
      .start()
      .catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ListenError);
    expect((error as Error).message).toBe(
      `http: cannot listen on 127.0.0.1:${port}: something listens there already; stop it, or choose another http.port`,
    );
    await new Promise((resolve) => other.close(resolve));
  });

  it('other tokens hold from the next request on, on connections that are open', async () => {
    await using http = await serve();
    // fetch keeps the connection
    const ask = async (token: string): Promise<number> => (await http.ask('/v1/status', {}, token)).status;
    expect([await ask(VIEWER), await ask('another')]).toEqual([200, 401]);
    const tokens = [{ name: 'dashboards', role: 'viewer' as const, sha256: sha256('another') }];
    const { settings } = options(0);
    await http.server.adopt({ ...settings, tokens });
    expect([await ask(VIEWER), await ask('another')]).toEqual([401, 200]);
    await http.server.adopt({ ...settings, tokens, requestsPerSecond: 0.1 });
    const answers = [await ask('another'), await ask('another'), await ask('another')];
    expect(answers).toContain(429);
  });

  it('closing frees the port, twice is once, and idle connections do not hold it up', async () => {
    const http = await serve();
    await http.ask('/livez'); // fetch keeps the connection
    await http.server.close();
    await http.server.close();
    await expect(fetch(`${http.address.url}/livez`)).rejects.toThrow();
    const again = createHttpServer(options(http.address.port));
    await again.start();
    await again.close();
  });

  it('closing lets what was asked be answered', async () => {
    const answers: (() => void)[] = [];
    const http = await serve({}, { unready: () => new Promise((resolve) => answers.push(() => resolve([]))) });
    const response = http.ask('/readyz');
    while (answers.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    const closed = http.server.close();
    answers.forEach((answer) => answer());
    expect((await response).status).toBe(200);
    await closed;
  });

  it('closing cuts off who is still sending after a while', async () => {
    const { clock, ticker } = createManualPorts(NOW);
    const http = await serve({ clock, ticker });
    const sender = connect(http.address.port, '127.0.0.1', () => sender.write('POST /v1/scan HTTP/1.1\r\nhost: x\r\n'));
    sender.on('error', () => undefined); // it is to be cut off
    const gone = new Promise((resolve) => sender.on('close', resolve));
    await new Promise((resolve) => setTimeout(resolve, 50));
    const closed = http.server.close();
    await clock.until(closed);
    await gone;
  });

  it('localhost and IPv6 can be listened on', async () => {
    for (const host of ['localhost', '::1']) {
      const { settings } = options(0);
      const server = createHttpServer(options(0, { settings: { ...settings, host } }));
      const { url } = await server.start();
      expect((await fetch(`${url}/livez`)).status).toBe(200);
      await server.close();
    }
  });
});
