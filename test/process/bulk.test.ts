import { afterEach, expect, it } from 'vitest';
import type { BulkPreview, BulkView } from '../../src/daemon/bulk/bulk-api.ts';
import { seededClientId } from '../../src/emulator/seed.ts';
import { encryptedShelf, openFileVault } from './consumer.ts';
import { EmulatedIssuer } from './emulated-issuer.ts';
import { ISSUER, settled, Site } from './site.ts';

const KEY = 'bulk';
const COUNT = 30;
const client = (n: number): string => seededClientId(KEY, n);

const CONFIG = `instance: bulk
schedule: "*/5 * * * * *"
shutdownTimeout: 5s
ledger: { type: sqlite, path: ./rekeyd.db }
http: { port: 0, socket: ./rekeyd.sock }
limits: { concurrency: 3, rotationsPerHour: 1000, createsPerDay: 20 }
${ISSUER}vaults:
  local: { type: file, path: ./vault, key: ./vault.key }
policies:
  default:
    lifetime: 2h
    renewBefore: 30m
    grace: 20m
    provisional: 1m
    verify: { timeout: 20s, settle: 0s }
credentials:
  - issuer: data8
    match: { description: "{app} (prod)" }
    deliver: [{ vault: local, name: "{app}" }]
`;

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function setUp(): Promise<{ issuer: EmulatedIssuer; site: Site }> {
  const issuer = await EmulatedIssuer.start({
    seed: { key: KEY, groups: [{ credentials: COUNT, description: 'app-{n} (prod)' }] },
  });
  closing.push(() => issuer.stop());
  const site = await Site.open(issuer.env, CONFIG);
  closing.push(() => site.close());
  return { issuer, site };
}

it('a bulk is previewed, confirmed, cut off by SIGKILL and gone on with: each credential is rotated once', async () => {
  const { issuer, site } = await setUp();
  const first = await site.start();
  const unserved = async (): Promise<string[]> => {
    const served = (await site.credentials()).filter(({ state }) => state === 'ok');
    return served.length === COUNT ? [] : [`${served.length} are served`];
  };
  expect(await settled(unserved, 120_000), first.out.slice(-3_000)).toEqual([]);

  const shown = await site.run(['rotate', '--all', '--match', 'data8/*', '--preview', '--json']);
  expect(shown.code, shown.err).toBe(0);
  expect(JSON.parse(shown.out) as BulkPreview).toMatchObject({
    ...{ matched: COUNT + 1, rotate: COUNT, atLeast: '0s' },
    // the client that rekeyd logs in with
    skippedFor: { unmanaged: 1 },
  });
  // nobody is at a terminal
  const unconfirmed = await site.run(['rotate', '--all', '--match', 'data8/*']);
  expect([unconfirmed.code, unconfirmed.err.includes('--yes')]).toEqual([2, true]);
  expect((await site.run(['rotate', '--all'])).code).toBe(2);
  expect((await site.run(['bulk', '--json'])).out).toBe('{\n  "items": []\n}\n');

  // slow enough to be cut off in the middle
  issuer.faults({ acceptAfter: 400, rules: [{ kind: 'latency', probability: 1, delay: 60 }] });
  const person = site.spawn([
    'rotate',
    '--all',
    '--match',
    'data8/*',
    '--grace',
    '30m',
    '--note',
    'breach',
    '--yes',
    '--json',
  ]);
  const deliveredSoFar = async (): Promise<number> => {
    const { body } = await site.ask('GET', '/v1/bulk');
    return (body as { items: BulkView[] }).items[0]?.counts.delivered ?? 0;
  };
  const underWay = await settled(async () => ((await deliveredSoFar()) >= 5 ? [] : ['too few']), 60_000);
  expect(underWay, person.err).toEqual([]);
  first.kill('SIGKILL');
  await first.ended();
  const isWaited = () => (person.err.includes('Waiting for it to come back') ? [] : [person.err]);
  expect(await settled(isWaited, 30_000)).toEqual([]);
  const second = await site.start();
  expect(await deliveredSoFar()).toBeLessThan(COUNT);
  const { code } = await person.ended();
  expect(code, `${person.err}\n${second.out.slice(-3_000)}`).toBe(0);
  const view = JSON.parse(person.out) as BulkView;
  expect(view).toMatchObject({ state: 'finished', total: COUNT, note: 'breach', actor: 'socket', from: 'socket' });
  expect(view.counts).toEqual({ waiting: 0, rotating: 0, delivered: COUNT, failed: 0, skipped: 0 });

  const vault = await openFileVault(site.path('vault'), site.path('vault.key'));
  closing.push(() => vault.close());
  for (let n = 1; n <= COUNT; n += 1) {
    const rotations = await site.rotations(`&clientId=${client(n)}`);
    const ofBulk = rotations.filter(({ bulkId, deliveredAt }) => bulkId === view.id && deliveredAt !== null);
    expect(ofBulk.length, client(n)).toBe(1);
    const served = await encryptedShelf(client(n), vault, `app-${String(n).padStart(6, '0')}`).read();
    expect(served?.secretId).toBe(ofBulk[0]?.secretId);
    expect(issuer.accepts(client(n), served?.value ?? '')).toBe(true);
  }
  const told = second.out.split('\n').filter((line) => line.includes('"event":"bulk-finished"'));
  expect(told).toHaveLength(1);

  const again = await site.run(['rotate', '--all', '--match', 'data8/*', '--yes', '--no-wait']);
  expect(again.code, again.err).toBe(0);
  const id = again.out.trim();
  const running = await site.run(['rotate', '--all', '--match', '*', '--yes']);
  expect([running.code, running.err.includes(id)]).toEqual([1, true]);
  const cancelled = await site.run(['bulk', id, '--cancel', '--json']);
  expect(cancelled.code, cancelled.err).toBe(0);
  expect(JSON.parse(cancelled.out)).toMatchObject({ id, state: 'cancelled', cancelledBy: 'socket' });
  expect((await site.run(['bulk', id, '--wait'])).code).toBe(1);
}, 300_000);
