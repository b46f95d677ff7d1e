import { execFile, spawnSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { client, HttpSite, OPERATOR, VIEWER } from './http-site.ts';

/** One for each test that changes something, so that none meets what another left behind. */
const [BY_COMMAND, BY_CURL] = [6, 7];

let on: HttpSite;

beforeAll(async () => {
  on = await HttpSite.open();
}, 60_000);
afterAll(() => on.close());

describe('rekeyd', () => {
  it('by the command line: over the socket, and over the port with a token', async () => {
    const rotated = await on.site.run([
      'rotate',
      `data8/${client(BY_COMMAND)}`,
      '--wait',
      '--note',
      'by hand',
      '--timeout',
      '20s',
    ]);
    expect(rotated.code, rotated.err).toBe(0);
    expect(rotated.err).toContain('delivered everywhere');
    expect((await on.call('GET', `/v1/rotations/${rotated.out.trim()}`)).body).toMatchObject({
      actor: 'socket',
      note: 'by hand',
    });

    await writeFile(on.site.path('token'), `${OPERATOR}\n`);
    const way = ['--url', on.url, '--token-file', on.site.path('token')];
    expect((await on.site.run(['pause', 'app-000006-prod', '--until', '2h', ...way])).code).toBe(0);
    expect(await on.credential(BY_COMMAND)).toMatchObject({ state: 'paused' });
    const held = await on.site.run(['rotate', 'app-000006-prod', '--wait', ...way]);
    expect(held.code).toBe(1);
    expect(held.err).toContain('paused');
    expect((await on.site.run(['resume', 'app-000006-prod', ...way])).code).toBe(0);
    expect((await on.site.run(['rotate', 'app-000006-prod', '--wait', '--timeout', '20s', ...way])).code).toBe(0);
    const status = await on.site.run(['status', '--json', ...way]);
    expect(JSON.parse(status.out)).toEqual(expect.anything());
    await writeFile(on.site.path('token'), VIEWER);
    expect((await on.site.run(['rotate', 'app-000006-prod', ...way])).code).toBe(1);
  }, 60_000);
});

const noCurl = spawnSync('curl', ['--version']).status !== 0;
describe.skipIf(noCurl)(noCurl ? 'docs/http.md [skipped: curl is not installed]' : 'docs/http.md', async () => {
  const page = await readFile(new URL('../../docs/http.md', import.meta.url), 'utf8');
  const examples = [...page.matchAll(/^```sh\n# run: (\w+)\n(.*?)^```/gms)].map(([, name = '', script = '']) => ({
    name,
    script,
  }));

  it('has its examples', () => {
    expect(examples.map((each) => each.name)).toEqual(['socket', 'port', 'credential', 'bulk']);
  });

  it.each(examples)('the examples of $name work', async ({ script }) => {
    const env = {
      PATH: process.env['PATH'] ?? '',
      REKEYD_SOCKET: on.site.socket,
      REKEYD_URL: on.url,
      REKEYD_TOKEN: OPERATOR,
      ISSUER: 'data8',
      CLIENT_ID: client(BY_CURL),
    };
    const { stdout } = await promisify(execFile)('sh', ['-e', '-u', '-c', script], { env });
    // each line of an example is a call that answers with JSON
    expect(stdout.startsWith('{')).toBe(true);
  });
});
