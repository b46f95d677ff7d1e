import { randomInt } from 'node:crypto';
import { mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { seededClientId } from '../../src/emulator/seed.ts';
import type { Running } from './binary.ts';
import { EmulatedIssuer } from './emulated-issuer.ts';
import { seededRandom } from './seeded-random.ts';
import { ISSUER, pause, settled, Site } from './site.ts';

const SEED = Number(process.env['REKEYD_SEED'] ?? randomInt(2 ** 31));
const KEY = 'reload';
const SHOP = seededClientId(KEY, 1);

interface Config {
  readonly mode?: string;
  readonly schedule?: string;
  readonly instance?: string;
  readonly policy?: string;
  readonly vaults?: string;
  readonly deliver?: string;
  readonly http?: string;
  readonly issuer?: string;
}

/** A renewal is due as soon as a secret is there, where `renewBefore` says so. */
const DUE =
  '{ lifetime: 600s, renewBefore: 599s, grace: 1s, provisional: 30s, verify: { timeout: 10s, settle: 100ms } }';
const CALM =
  '{ lifetime: 600s, renewBefore: 60s, grace: 1s, provisional: 30s, verify: { timeout: 10s, settle: 100ms } }';

const config = (given: Config = {}): string => `instance: ${given.instance ?? 'reload'}
mode: ${given.mode ?? 'active'}
schedule: "${given.schedule ?? '* * * * * *'}"
resync: 1s
shutdownTimeout: 5s
ledger: { type: sqlite, path: ./rekeyd.db }
http: { port: 0, socket: ./rekeyd.sock${given.http ?? ''} }
limits: { createsPerDay: 1000, rotationsPerHour: 1000, maxLiveSecrets: 20 }
${given.issuer ?? ISSUER}vaults:
  plain: { type: directory, path: ./plain }
${given.vaults ?? ''}policies:
  default: ${given.policy ?? CALM}
credentials:
  - { issuer: data8, match: { clientId: ${SHOP} }, name: shop, deliver: [${given.deliver ?? '{ vault: plain, name: shop.json }'}] }
`;

let issuer: EmulatedIssuer;
let site: Site;
let daemon: Running;

beforeEach(async () => {
  issuer = await EmulatedIssuer.start({
    seed: { key: KEY, groups: [{ credentials: 1, description: 'shop (prod)' }] },
  });
  site = await Site.open(issuer.env, config());
});
afterEach(async () => {
  await site.close();
  await issuer.stop();
});

/** Lines of the daemon's log with this event. */
function told(event: string): Record<string, unknown>[] {
  return daemon.out
    .split('\n')
    .filter((line) => line.includes(`"event":"${event}"`))
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** Waits for the next line with one of the events. */
async function next(events: readonly string[], from: Record<string, number>, within = 20_000): Promise<string> {
  const wait = async (): Promise<string[]> =>
    events.some((each) => told(each).length > (from[each] ?? 0)) ? [] : ['not told'];
  expect(await settled(wait, within), `${events.join(', ')} in ${daemon.out.slice(-2_000)}`).toEqual([]);
  return events.find((each) => told(each).length > (from[each] ?? 0)) ?? '';
}

const OUTCOMES = ['config-reloaded', 'config-refused', 'config-unchanged'];

/** Writes the configuration and sends SIGHUP. @returns which event it led to. */
async function reload(text: string): Promise<string> {
  await site.configure(text);
  const from = Object.fromEntries(OUTCOMES.map((each) => [each, told(each).length]));
  daemon.kill('SIGHUP');
  return next(OUTCOMES, from);
}

async function metric(name: string): Promise<string | undefined> {
  const { port } = new URL(told('http-listening')[0]?.['url'] as string);
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  return new RegExp(`^${name} (.*)$`, 'm').exec(text)?.[1];
}

const served = async (folder = 'plain'): Promise<{ clientSecret: string; secretId: string }> =>
  JSON.parse(await readFile(site.path(`${folder}/shop.json`), 'utf8')) as { clientSecret: string; secretId: string };

async function rotationStates(): Promise<string[]> {
  return (await site.rotations()).map(({ state }) => state);
}

describe('SIGHUP', () => {
  it('takes over mode, schedule, rules and vaults, with no request lost and no connection broken', async () => {
    await site.configure(config({ mode: 'observe', schedule: '0 0 1 1 *' }));
    daemon = await site.start();
    const { pid } = daemon.child;
    const asked = askOn(site.socket);
    expect((await status()).mode).toBe('observe');

    expect(await reload(config())).toBe('config-reloaded');
    expect(told('config-reloaded')[0]).toMatchObject({
      trigger: 'signal',
      changed: ['mode', 'schedule'],
      mode: 'active',
    });
    await daemon.until(/"event":"rotation-settled"/);
    expect(await metric('rekeyd_mode{mode="active"}')).toBe('1');
    const first = await served();

    const both = '{ vault: plain, name: shop.json }, { vault: other, name: shop.json }';
    const vaults = '  other: { type: directory, path: ./other }\n';
    expect(await reload(config({ vaults, deliver: both }))).toBe('config-reloaded');
    expect(
      await settled(async () => ((await served('other').catch(() => null)) === null ? ['absent'] : []), 15_000),
    ).toEqual([]);
    expect(await served('other')).toEqual(first);
    expect(await reload(config({ policy: DUE, vaults, deliver: '{ vault: other, name: shop.json }' }))).toBe(
      'config-reloaded',
    );
    const renewed = async () => ((await served('other')).secretId === first.secretId ? ['not renewed'] : []);
    expect(await settled(renewed, 15_000)).toEqual([]);
    expect(await reload(config({ vaults, deliver: '{ vault: other, name: shop.json }' }))).toBe('config-reloaded');

    expect(daemon.child.pid).toBe(pid);
    const { statuses, connections } = await asked.end();
    expect(statuses.size).toBe(1);
    expect(statuses.get(200)).toBeGreaterThan(20);
    expect(connections).toBe(1);
    daemon.kill('SIGTERM');
    expect(await daemon.ended()).toEqual({ code: 0, signal: null });
    expect(told('daemon-stopped')).toHaveLength(1);
    expect(told('close-failed')).toEqual([]);
  });

  it('keeps what was in use where the files cannot be used, tells why, and a metric shows it', async () => {
    daemon = await site.start();
    await daemon.until(/"event":"rotation-settled"/);
    expect(await metric('rekeyd_config_reload_success')).toBe('1');

    expect(await reload(config({ mode: 'sometimes', policy: '{ grace: 14 }' }))).toBe('config-refused');
    expect(told('config-refused')[0]).toMatchObject({
      level: 'error',
      trigger: 'signal',
      problems: [
        { file: site.config, line: 2, column: 7, key: 'mode', message: expect.stringContaining('active') as string },
        { file: site.config, key: 'policies.default.grace' },
      ],
    });
    expect(await metric('rekeyd_config_reload_success')).toBe('0');
    expect((await status()).mode).toBe('active');

    expect(await reload(config({ instance: 'another', http: ', host: 127.0.0.2' }))).toBe('config-refused');
    expect(told('config-refused')[1]?.['problems']).toMatchObject([
      { key: 'instance', message: expect.stringContaining('restart') as string },
      { key: 'http.host' },
    ]);

    await writeFile(site.path('in-the-way'), '');
    const vaults = '  bad: { type: directory, path: ./in-the-way }\n';
    expect(await reload(config({ vaults }))).toBe('config-refused');
    expect(JSON.stringify(told('config-refused')[2])).toContain('in-the-way');
    await site.ask('POST', `/v1/credentials/data8/${SHOP}/rotate`, {});
    expect(await settled(async () => ((await rotationStates())[0] === 'done' ? [] : ['not done']), 15_000)).toEqual([]);

    expect(await reload(config())).toBe('config-unchanged');
    expect(await metric('rekeyd_config_reload_success')).toBe('1');
    expect(daemon.out).not.toContain(issuer.clientSecret);
  });

  it('what was begun ends under the terms that it was begun under, and the new ones hold from then on', async () => {
    issuer.faults({ acceptAfter: 2_500 });
    daemon = await site.start();
    await daemon.until(/"event":"secret-created"/);
    const vaults = '  other: { type: directory, path: ./other }\n';
    expect(await reload(config({ vaults, deliver: '{ vault: other, name: shop.json }' }))).toBe('config-reloaded');
    expect(told('rotation-settled')).toEqual([]);
    await daemon.until(/"event":"rotation-settled"/);
    expect(told('rotation-abandoned')).toEqual([]);
    expect(told('secret-created')).toHaveLength(1);
    const first = await served();
    expect(
      await settled(async () => ((await served('other').catch(() => null)) === null ? ['absent'] : []), 15_000),
    ).toEqual([]);
    expect(await served('other')).toEqual(first);
    expect(issuer.accepts(SHOP, first.clientSecret)).toBe(true);
  });

  it(
    `killed in the middle of it, again and again: the next start goes on (REKEYD_SEED=${SEED})`,
    { timeout: 240_000 },
    async () => {
      const random = seededRandom(SEED);
      issuer.faults({ acceptAfter: 200 });
      const vaults = '  other: { type: directory, path: ./other }\n';
      const both = '{ vault: plain, name: shop.json }, { vault: other, name: shop.json }';
      await site.configure(config({ policy: DUE }));
      for (let kill = 0; kill < 6; kill += 1) {
        daemon = await site.start();
        await pause(random() * 1_500);
        await site.configure(config({ policy: DUE, ...(kill % 2 === 0 ? { vaults, deliver: both } : {}) }));
        daemon.kill('SIGHUP');
        await pause(random() * 150);
        daemon.kill('SIGKILL');
        await daemon.ended();
        const alive = await served().catch(() => null);
        if (alive !== null) expect(issuer.accepts(SHOP, alive.clientSecret), `kill ${kill}`).toBe(true);
      }
      await site.configure(config({ vaults, deliver: both }));
      daemon = await site.start();
      const unrest = async (): Promise<string[]> => {
        const one = (await site.credentials()).find(({ clientId }) => clientId === SHOP);
        const live = issuer
          .truth()
          .filter(
            (each) =>
              each.deleted === null && each.clientId === SHOP && each.description?.includes('[rekeyd:') === true,
          );
        return [
          ...(one?.state === 'ok' ? [] : [`it is ${one?.state}: ${one?.reason}`]),
          ...(live.length === 1 ? [] : [`${live.length} live secrets`]),
        ];
      };
      expect(await settled(unrest, 90_000)).toEqual([]);
      expect(await served('other')).toEqual(await served());
    },
  );
});

describe('without a signal', () => {
  it('a token whose file is swapped, as a cluster does it: the old one is out, the new one is in', async () => {
    for (const [name, token] of [
      ['..1', 'first-token-0123456789'],
      ['..2', 'other-token-0123456789'],
    ] as const) {
      await mkdir(site.path(`mount/${name}`), { recursive: true });
      await writeFile(site.path(`mount/${name}/token`), `${token}\n`);
    }
    await symlink('..1', site.path('mount/..data'));
    await symlink('..data/token', site.path('mount/token'));
    await site.configure(config({ http: ', tokens: [{ name: ci, role: operator, token: "${file:mount/token}" }]' }));
    daemon = await site.start();
    const url = String(told('http-listening')[0]?.['url']);
    const ask = async (token: string): Promise<number> =>
      (await fetch(`${url}/v1/status`, { headers: { authorization: `Bearer ${token}` } })).status;
    expect([await ask('first-token-0123456789'), await ask('other-token-0123456789')]).toEqual([200, 401]);
    await symlink('..2', site.path('mount/..tmp'));
    await rename(site.path('mount/..tmp'), site.path('mount/..data'));
    await rm(site.path('mount/..1'), { recursive: true });
    const changed = Date.now();
    expect(
      await settled(async () => ((await ask('other-token-0123456789')) === 200 ? [] : ['refused']), 40_000),
    ).toEqual([]);
    expect(Date.now() - changed).toBeLessThan(35_000);
    expect(await ask('first-token-0123456789')).toBe(401);
    expect(told('config-reloaded')).toMatchObject([{ trigger: 'files', changed: ['http.tokens'] }]);
    expect(daemon.out).not.toMatch(/(first|other)-token/);
  });
});

describe('rekeyd log-level', () => {
  it('has the daemon say more for a while, and less again', async () => {
    daemon = await site.start();
    expect(daemon.out).not.toContain('"level":"debug"');
    const set = await site.run(['log-level', 'debug', '--for', '3s']);
    expect(set).toMatchObject({ code: 0, out: expect.stringMatching(/^debug until .*, then info\n$/) as string });
    await daemon.until(/"level":"debug".*"event":"scan-started"/);
    await daemon.until(/"event":"log-level","actor":null,"to":"info","was":"debug"/);
    expect((await site.run(['log-level'])).out).toBe('info\n');
    expect(told('audit')).toMatchObject([{ act: 'PUT /v1/log-level', actor: 'socket', outcome: 'done' }]);
  });
});

async function status(): Promise<{ mode: string }> {
  return (await site.ask('GET', '/v1/status')).body as { mode: string };
}

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
