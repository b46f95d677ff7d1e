import { describe, expect, it } from 'vitest';
import { loadWayIn } from '../../../src/config/way-in.ts';
import type { WayIn } from '../../../src/config/way-in.ts';
import { ConfigError } from '../../../src/domain/errors.ts';
import { BASE, fakeBackends } from './loading.ts';

interface Given {
  readonly env?: Readonly<Record<string, string>>;
  /** Beside /etc/rekeyd/a.yaml. */
  readonly later?: string;
  readonly files?: readonly string[];
}

let reads: string[];

/** The way in of a configuration that stands at /etc/rekeyd/a.yaml. Each file can be read once, as a pipe can. */
function wayIn(text: string, given: Given = {}): Promise<WayIn> {
  const all: Record<string, string> = { '/etc/rekeyd/a.yaml': text };
  if (given.later !== undefined) all['/etc/rekeyd/b/b.yaml'] = given.later;
  reads = [];
  return loadWayIn(given.files ?? Object.keys(all), {
    env: given.env ?? {},
    backends: fakeBackends,
    readFile: (path) => {
      const content = reads.includes(path) ? '' : all[path];
      reads.push(path);
      if (content === undefined) return Promise.reject(Object.assign(new Error(), { code: 'ENOENT' }));
      return Promise.resolve(Buffer.from(content));
    },
  });
}

const SOCKET = 'http: { socket: ./r.sock }\n';

describe('loadWayIn', () => {
  it('gives the socket of a configuration that can be used, with no complaint', async () => {
    expect(await wayIn(`${BASE}${SOCKET}`)).toEqual({ socket: '/etc/rekeyd/r.sock', unusable: null });
  });

  it('gives address and port where the socket is off', async () => {
    const text = `${BASE}http: { socket: null, host: 0.0.0.0, port: "\${PORT}" }\n`;
    expect(await wayIn(text, { env: { PORT: '8090' } })).toEqual({
      socket: null,
      host: '0.0.0.0',
      port: 8090,
      unusable: null,
    });
  });

  it.each<[string, string, string, Record<string, string>?]>([
    ['an unknown key', `${BASE}${SOCKET}bogus: 1\n`, 'bogus: unknown key'],
    ['a variable that is not set', `${BASE.replace('hush-hush', '"${UNSET}"')}${SOCKET}`, 'UNSET is not set'],
    ['a secret file that is missing', `${BASE.replace('hush-hush', '"${file:/run/x}"')}${SOCKET}`, '/run/x cannot be'],
    ['trouble beside it', `${BASE}http: { socket: ./r.sock, port: "\${UNSET}", tokens: 1, bogus: 1 }\n`, 'http.port'],
    ['a mode that does not exist', `${BASE}${SOCKET}`, 'REKEYD_MODE', { REKEYD_MODE: 'sideways' }],
    ['nothing else', SOCKET, 'issuers: is required'],
  ])('gives the socket in spite of %s, and says what is wrong', async (_, text, problem, env = {}) => {
    const found = await wayIn(text, { env });
    expect(found).toMatchObject({ socket: '/etc/rekeyd/r.sock' });
    expect(found.unusable?.message).toContain(problem);
  });

  it('gives address and port in spite of it, too', async () => {
    const text = `${BASE}http: { socket: null, port: 8090 }\nbogus: 1\n`;
    expect(await wayIn(text)).toMatchObject({ socket: null, host: '127.0.0.1', port: 8090 });
  });

  it('gives the default, and what a later file says, from the folder of that file', async () => {
    expect(await wayIn('bogus: 1\n')).toMatchObject({ socket: '/etc/rekeyd/var/rekeyd.sock' });
    expect(await wayIn(`${SOCKET}bogus: 1\n`, { later: SOCKET })).toMatchObject({ socket: '/etc/rekeyd/b/r.sock' });
  });

  it('puts variables in', async () => {
    const text = 'http: { socket: "${DIR:-/run}/${NAME}.sock" }\nbogus: 1\n';
    expect(await wayIn(text, { env: { NAME: 'r' } })).toMatchObject({ socket: '/run/r.sock' });
  });

  it.each([
    ['is not YAML', 'http: { socket: ./r.sock\n', 'the indentation does not fit'],
    ['has a key twice', `${SOCKET}${SOCKET}`, 'there twice'],
    ['has a socket that cannot be told', 'http: { socket: "${UNSET}" }\n', 'http.socket'],
    ['has a socket that is no path', 'http: { socket: [] }\nbogus: 1\n', 'bogus'],
    ['has an http that is no map', 'http: [./r.sock]\nbogus: 1\n', 'bogus'],
    ['has no socket, and a port that is none', 'http: { socket: null, port: x }\nbogus: 1\n', 'bogus'],
  ])('tells all problems of the whole where the file %s', async (_, text, problem) => {
    const error = await wayIn(text).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ConfigError);
    expect((error as ConfigError).message).toContain(problem);
  });

  it('takes no part of several files where one is missing, as that may say another socket', async () => {
    const files = ['/etc/rekeyd/a.yaml', '/etc/rekeyd/missing.yaml'];
    await expect(wayIn(SOCKET, { files })).rejects.toThrow('there is no such file');
  });

  it('reads each file once: a pipe is empty the second time', async () => {
    await wayIn(`${SOCKET}bogus: 1\n`);
    expect(reads).toEqual(['/etc/rekeyd/a.yaml']);
  });
});
