import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ISSUER, Site } from './site.ts';

/** Nothing listens there: no issuer is needed to be found well and paused. */
const NOWHERE = {
  DATA8_BASE_URL: 'http://127.0.0.1:61313',
  DATA8_TOKEN_URL: 'http://127.0.0.1:61313/token',
  DATA8_CLIENT_ID: 'admin',
  DATA8_CLIENT_SECRET: 'canary-Secret-0123',
};
const configOf = (http: string): string => `instance: edited\nledger: { type: memory }\nhttp: ${http}\n${ISSUER}`;
const ON_SOCKET = configOf('{ port: 0, socket: ./rekeyd.sock }');

let site: Site;

beforeEach(async () => {
  site = await Site.open(NOWHERE, ON_SOCKET);
});
afterEach(() => site.close());

describe('a daemon whose configuration on disk cannot be used any more', () => {
  it('is found well, looked at and paused', async () => {
    await site.start();
    await site.configure(`${ON_SOCKET}bogus: 1\n`);
    expect(await site.run(['check', '--offline'])).toMatchObject({ code: 2 });

    expect(await site.run(['health'])).toEqual({ code: 0, out: 'ok\n', err: '' });
    expect((await site.run(['status'])).code).toBe(0);
    const paused = await site.run(['pause', '--all']);
    expect(paused).toMatchObject({ code: 0, out: 'everything: paused until resumed\n' });
    expect(paused.err).toContain('the configuration has problems');
    // who would start something with it needs all of it
    expect(await site.run(['plan'])).toMatchObject({ code: 2, out: '' });
  });

  it('is found well at its port, where it has no socket and a variable is not set', async () => {
    const daemon = await site.start();
    const [, port = ''] = await daemon.until(/"url":"http:\/\/127\.0\.0\.1:(\d+)"/);
    await site.configure(configOf(`{ port: ${port}, socket: null, tokens: "\${UNSET}" }`));
    expect(await site.run(['health'])).toEqual({ code: 0, out: 'ok\n', err: '' });
    expect(await site.run(['status'])).toMatchObject({ code: 2, out: '' });
  });

  it('is not looked for where the file is no YAML: the error says where', async () => {
    await site.configure(`${ON_SOCKET}bogus: {\n`);
    const ran = await site.run(['health']);
    expect(ran).toMatchObject({ code: 2, out: '' });
    expect(ran.err).toContain(`${site.config}:`);
  });
});
