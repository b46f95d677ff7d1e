import { writeFile } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { configOf, DUE, ReloadSite, SHOP } from './reload-site.ts';
import { pause, settled } from './site.ts';

let on: ReloadSite;

beforeEach(async () => {
  on = await ReloadSite.open();
});
afterEach(() => on.close());

describe('SIGHUP', () => {
  it('takes over mode, schedule, rules and vaults, with no request lost and no connection broken', async () => {
    await on.site.configure(configOf({ mode: 'observe', schedule: '0 0 1 1 *' }));
    await on.start();
    const { pid } = on.daemon.child;
    const asked = askOn(on.site.socket);
    expect((await on.status()).mode).toBe('observe');

    expect(await on.reload(configOf())).toBe('config-reloaded');
    expect(on.told('config-reloaded')[0]).toMatchObject({
      trigger: 'signal',
      changed: ['mode', 'schedule'],
      mode: 'active',
    });
    await on.daemon.until(/"event":"rotation-settled"/);
    expect(await on.metric('rekeyd_mode{mode="active"}')).toBe('1');
    const first = await on.served();

    const both = '{ vault: plain, name: shop.json }, { vault: other, name: shop.json }';
    const vaults = '  other: { type: directory, path: ./other }\n';
    expect(await on.reload(configOf({ vaults, deliver: both }))).toBe('config-reloaded');
    await on.untilServed('other');
    expect(await on.served('other')).toEqual(first);
    expect(await on.reload(configOf({ policy: DUE, vaults, deliver: '{ vault: other, name: shop.json }' }))).toBe(
      'config-reloaded',
    );
    const renewed = async () => ((await on.served('other')).secretId === first.secretId ? ['not renewed'] : []);
    expect(await settled(renewed, 15_000)).toEqual([]);
    expect(await on.reload(configOf({ vaults, deliver: '{ vault: other, name: shop.json }' }))).toBe('config-reloaded');

    expect(on.daemon.child.pid).toBe(pid);
    const { statuses, connections } = await asked.end();
    expect(statuses.size).toBe(1);
    expect(statuses.get(200)).toBeGreaterThan(20);
    expect(connections).toBe(1);
    on.daemon.kill('SIGTERM');
    expect(await on.daemon.ended()).toEqual({ code: 0, signal: null });
    expect(on.told('daemon-stopped')).toHaveLength(1);
    expect(on.told('close-failed')).toEqual([]);
  });

  it('keeps what was in use where the files cannot be used, tells why, and a metric shows it', async () => {
    await on.start();
    await on.daemon.until(/"event":"rotation-settled"/);
    expect(await on.metric('rekeyd_config_reload_success')).toBe('1');

    expect(await on.reload(configOf({ mode: 'sometimes', policy: '{ grace: 14 }' }))).toBe('config-refused');
    expect(on.told('config-refused')[0]).toMatchObject({
      level: 'error',
      trigger: 'signal',
      problems: [
        { file: on.site.config, line: 2, column: 7, key: 'mode', message: expect.stringContaining('active') as string },
        { file: on.site.config, key: 'policies.default.grace' },
      ],
    });
    expect(await on.metric('rekeyd_config_reload_success')).toBe('0');
    expect((await on.status()).mode).toBe('active');

    expect(await on.reload(configOf({ instance: 'another', http: ', host: 127.0.0.2' }))).toBe('config-refused');
    expect(on.told('config-refused')[1]?.['problems']).toMatchObject([
      { key: 'instance', message: expect.stringContaining('restart') as string },
      { key: 'http.host' },
    ]);

    await writeFile(on.site.path('in-the-way'), '');
    const vaults = '  bad: { type: directory, path: ./in-the-way }\n';
    expect(await on.reload(configOf({ vaults }))).toBe('config-refused');
    expect(JSON.stringify(on.told('config-refused')[2])).toContain('in-the-way');
    await on.site.ask('POST', `/v1/credentials/data8/${SHOP}/rotate`, {});
    expect(
      await settled(async () => ((await on.site.rotations())[0]?.state === 'done' ? [] : ['not done']), 15_000),
    ).toEqual([]);

    expect(await on.reload(configOf())).toBe('config-unchanged');
    expect(await on.metric('rekeyd_config_reload_success')).toBe('1');
    expect(on.daemon.out).not.toContain(on.issuer.clientSecret);
  });

  it('what was begun ends under the terms that it was begun under, and the new ones hold from then on', async () => {
    on.issuer.faults({ acceptAfter: 2_500 });
    await on.start();
    await on.daemon.until(/"event":"secret-created"/);
    const vaults = '  other: { type: directory, path: ./other }\n';
    expect(await on.reload(configOf({ vaults, deliver: '{ vault: other, name: shop.json }' }))).toBe('config-reloaded');
    expect(on.told('rotation-settled')).toEqual([]);
    await on.daemon.until(/"event":"rotation-settled"/);
    expect(on.told('rotation-abandoned')).toEqual([]);
    expect(on.told('secret-created')).toHaveLength(1);
    const first = await on.served();
    await on.untilServed('other');
    expect(await on.served('other')).toEqual(first);
    expect(on.issuer.accepts(SHOP, first.clientSecret)).toBe(true);
  });
});

/** Asks over one connection, again and again. */
function askOn(socketPath: string) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const statuses = new Map<number, number>();
  const connections = new Set<unknown>();
  const over = new AbortController();
  const one = (): Promise<number> =>
    new Promise((resolve) => {
      const sent = request({ socketPath, path: '/v1/credentials', agent }, (response) => {
        connections.add(response.socket);
        response.resume().on('end', () => resolve(response.statusCode ?? 0));
      });
      sent.on('error', () => resolve(0));
      sent.end();
    });
  const asking = (async () => {
    while (!over.signal.aborted) {
      const answer = await one();
      statuses.set(answer, (statuses.get(answer) ?? 0) + 1);
      await pause(20);
    }
  })();
  return {
    end: async () => {
      over.abort();
      await asking;
      agent.destroy();
      return { statuses, connections: connections.size };
    },
  };
}
