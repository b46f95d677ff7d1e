import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ReloadSite } from './reload-site.ts';

let on: ReloadSite;

beforeEach(async () => {
  on = await ReloadSite.open();
});
afterEach(() => on.close());

describe('rekeyd log-level', () => {
  it('has the daemon say more for a while, and less again', async () => {
    await on.start();
    expect(on.daemon.out).not.toContain('"level":"debug"');
    const set = await on.site.run(['log-level', 'debug', '--for', '3s']);
    expect(set).toMatchObject({ code: 0, out: expect.stringMatching(/^debug until .*, then info\n$/) as string });
    await on.daemon.until(/"level":"debug".*"event":"scan-started"/);
    await on.daemon.until(/"event":"log-level","actor":null,"to":"info","was":"debug"/);
    expect((await on.site.run(['log-level'])).out).toBe('info\n');
    expect(on.told('audit')).toMatchObject([{ act: 'PUT /v1/log-level', actor: 'socket', outcome: 'done' }]);
  });
});
