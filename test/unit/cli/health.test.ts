import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConfigError } from '../../../src/domain/errors.ts';
import { cli, settingsFor } from './bench.ts';

let server: Server;
let port: number;
let asked: (string | undefined)[];
let status: number;

beforeEach(async () => {
  asked = [];
  status = 200;
  server = createServer((request, response) => {
    asked.push(request.url);
    response.writeHead(status, { 'content-type': 'application/json' }).end('{"status":"ok"}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const listening = (host: string) =>
  settingsFor({ http: { host, port, requestsPerSecond: 1_000, socket: null, tokens: [] } });

describe('rekeyd health', () => {
  it.each(['0.0.0.0', '127.0.0.1'])(
    'is 0 while a daemon that listens on %s answers, without a socket',
    async (host) => {
      expect(await cli(['health'], { settings: listening(host) })).toMatchObject({ code: 0, out: 'ok\n' });
      expect(asked).toEqual(['/livez']);
    },
  );

  it('is 0 without a word where the configuration can be used for nothing else: the daemon is well', async () => {
    const unusable = new ConfigError([{ file: 'a.yaml', line: 1, column: 1, key: 'bogus', message: 'unknown key' }]);
    const ran = await cli(['health'], { settings: listening('0.0.0.0'), unusable });
    expect(ran).toMatchObject({ code: 0, out: 'ok\n', err: '' });
  });

  it('is 1 where it answers with an error', async () => {
    status = 503;
    const { code, out, err } = await cli(['health'], { settings: listening('0.0.0.0') });
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toContain('the daemon answered 503');
  });

  it('is 1 where nobody answers, and says who was asked', async () => {
    const settings = settingsFor({
      http: { host: '127.0.0.1', port: 1, requestsPerSecond: 100_000, socket: null, tokens: [] },
    });
    const { code, err } = await cli(['health'], { settings });
    expect(code).toBe(1);
    expect(err).toContain('no daemon at http://127.0.0.1:1 (ECONNREFUSED)');
  });

  it('asks the socket that it is told of, without a configuration', async () => {
    const { code, err } = await cli(['health', '--socket', '/nonexistent/rekeyd.sock']);
    expect(code).toBe(1);
    expect(err).toContain('no daemon at the socket /nonexistent/rekeyd.sock');
  });
});
