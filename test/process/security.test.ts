import { readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seededClientId } from '../../src/emulator/seed.ts';
import { ask, sendRaw } from '../unit/http/raw-connection.ts';
import { rekeyd, Running } from './binary.ts';
import { Consumer, encryptedShelf, openFileVault, plainShelf } from './consumer.ts';
import { EmulatedIssuer } from './emulated-issuer.ts';
import { filesUnder, leaks } from './leak.ts';
import { portOf, securityConfig, TOKEN, VIEWER } from './security-site.ts';
import { pause, settled, Site } from './site.ts';

const OPEN_UMASK = fileURLToPath(new URL('./open-umask.ts', import.meta.url));
const KEY = 'security';
const CLIENT = seededClientId(KEY, 1);
const OTHER = seededClientId(KEY, 2);

let issuer: EmulatedIssuer;
let site: Site;
let daemon: Running;
let port: number;
let mute: Record<'silent' | 'stuck' | 'dripping', Promise<string>>;

beforeAll(async () => {
  issuer = await EmulatedIssuer.start({
    seed: { key: KEY, groups: [{ credentials: 2, description: 'app-{n} (prod)', secretDescription: 'made by hand' }] },
  });
  site = await Site.open(issuer.env, securityConfig({ tokens: true }));
  await writeFile(site.path('own.secret'), issuer.clientSecret, { mode: 0o600 });
  daemon = await start();
  port = portOf(daemon);
  // from now on: it takes a while until they are cut off
  mute = {
    silent: sendRaw(port),
    stuck: sendRaw(port, 'GET /v1/status HTTP/1.1\r\nhost: x\r\nauthor'),
    dripping: sendRaw(
      port,
      `POST /v1/scan HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${TOKEN}\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{`,
    ),
  };
}, 60_000);

afterAll(async () => {
  daemon.kill('SIGKILL');
  await site.close();
  await issuer.stop();
});

async function start(): Promise<Running> {
  const env = Object.fromEntries(Object.entries(issuer.env).filter(([name]) => name !== 'DATA8_CLIENT_SECRET'));
  const one = new Running(['run', '-c', site.config], {
    program: OPEN_UMASK,
    cwd: site.folder,
    env: { ...env, REKEYD_LOG_LEVEL: 'debug' },
  });
  await one.until(/"event":"http-listening"/);
  return one;
}

/** Looks at the files while the daemon stands still: none comes or goes in between. */
async function standing<T>(look: () => Promise<T>): Promise<T> {
  daemon.kill('SIGSTOP');
  try {
    return await look();
  } finally {
    daemon.kill('SIGCONT');
  }
}

describe('S1: no value shows anywhere', () => {
  it('S1: not in logs, ledger, answers, metrics, files, or the process table, while everything goes wrong', async () => {
    const vault = await openFileVault(site.path('vault'), site.path('vault.key'));
    const shelves = [1, 2].flatMap((n) => {
      const app = `app-00000${n}`;
      const clientId = seededClientId(KEY, n);
      return [encryptedShelf(clientId, vault, app), plainShelf(clientId, site.path('plain'), `${app}.json`)];
    });
    const consumer = new Consumer(issuer, shelves);
    const over = new AbortController();
    const watching = consumer.watch(over.signal);
    const texts = new Map<string, Buffer | string>();
    try {
      const delivered = await settled(async () => {
        const read = await Promise.all(shelves.map((shelf) => shelf.read()));
        return read.some((each) => each === null) ? ['an entry is empty'] : [];
      }, 30_000);
      expect(delivered).toEqual([]);
      issuer.faults({
        rules: [
          { kind: 'malformed', operations: ['createSecret'], count: 1 },
          { kind: 'no-value', operations: ['createSecret'], count: 1 },
          { kind: 'bad-gateway', operations: ['updateSecret'], count: 2, applied: true },
          { kind: 'unauthorized', operations: ['listSecrets'], count: 2 },
          { kind: 'malformed', operations: ['token'], count: 2 },
          { kind: 'reset', operations: ['deleteSecret'], count: 2 },
        ],
      });
      for (const clientId of [CLIENT, OTHER]) await site.ask('POST', `/v1/credentials/data8/${clientId}/rotate`, {});
      await daemon.until(/"event":"response-lost"/, 20_000);
      // a vault that is gone for a while: deliveries fail with a value in hand
      await rename(site.path('plain'), site.path('away'));
      for (const clientId of [CLIENT, OTHER]) await site.ask('POST', `/v1/credentials/data8/${clientId}/rotate`, {});
      await daemon.until(/"event":"delivery-failed"/, 30_000);
      await answersOf(texts);
      await rename(site.path('away'), site.path('plain'));
      await pause(1_000);
      await answersOf(texts);
      await processTable(texts);
    } finally {
      over.abort();
      await watching;
    }
    const values = new Set([...consumer.values, issuer.clientSecret, TOKEN, VIEWER]);
    expect(consumer.values.size).toBeGreaterThan(3);

    const files = await standing(() => filesUnder(site.folder));
    // it is not blind: where values belong they are found
    expect(leaks(consumer.values, files)).not.toEqual([]);
    for (const [name, content] of files) {
      const belongs = /^plain\/[^.]/.test(name) || name === 'own.secret' || name === 'rekeyd.yaml';
      if (!belongs) texts.set(`the file ${name}`, content);
    }
    expect([...texts.keys()]).toEqual(expect.arrayContaining(['the file var/rekeyd.db', 'the file var/rekeyd.db-wal']));
    texts.set('stdout', daemon.out).set('stderr', daemon.err);
    expect(daemon.out).toContain('"level":"debug"');
    expect(leaks(values, texts)).toEqual([]);
  }, 90_000);

  /** Every route by GET, and every act with a body that is refused. */
  async function answersOf(texts: Map<string, Buffer | string>): Promise<void> {
    const bearer = { authorization: `Bearer ${TOKEN}` };
    const [rotation] = await site.rotations();
    const one = `/v1/credentials/data8/${CLIENT}`;
    const gets = ['/livez', '/healthz', '/readyz', '/metrics', '/v1/status', '/v1/credentials', one, '/v1/rotations'];
    for (const path of [...gets, `/v1/rotations/${rotation?.id ?? ''}`]) {
      const answer = await ask({ port }, path, { headers: bearer });
      expect(answer.status, path).toBe(200);
      texts.set(`GET ${path} ${texts.size}`, answer.text);
    }
    const headers = { ...bearer, 'content-type': 'application/json' };
    const acts = [
      '/v1/scan',
      '/v1/pause',
      '/v1/resume',
      `${one}/rotate`,
      `${one}/pause`,
      `${one}/resume`,
      `${one}/forget`,
    ];
    for (const path of [...acts, `/v1/rotations/${rotation?.id ?? ''}/retire`]) {
      const wrong = await ask({ port }, path, { method: 'POST', headers, body: `{"x":${JSON.stringify(TOKEN)}}` });
      expect(wrong.status, path).toBe(400);
      texts.set(`POST ${path} ${texts.size}`, wrong.text);
      const unknown = await ask({ port }, path, {
        method: 'POST',
        headers: { ...headers, authorization: `Bearer ${TOKEN}x` },
      });
      expect(unknown.status, path).toBe(401);
      texts.set(`POST ${path} unauthorized ${texts.size}`, unknown.text);
    }
    for (const table of [
      ['status'],
      ['status', '--json'],
      ['explain', `data8/${CLIENT}`],
      ['plan'],
      ['plan', '--json'],
      ['check'],
    ]) {
      const ran = await site.run(table, { REKEYD_LOG_LEVEL: 'debug' });
      texts.set(`rekeyd ${table.join(' ')} ${texts.size}`, ran.out + ran.err);
    }
  }

  async function processTable(texts: Map<string, Buffer | string>): Promise<void> {
    for (const name of ['cmdline', 'comm', 'environ']) {
      texts.set(`/proc/PID/${name}`, await readFile(`/proc/${daemon.child.pid ?? 0}/${name}`));
    }
  }
});

describe('S8: files', () => {
  it('S8: are 0600 and folders 0700, whatever the umask', async () => {
    const mode = async (name: string): Promise<string> => ((await stat(site.path(name))).mode & 0o777).toString(8);
    const privateFiles = ['var/rekeyd.db', 'var/rekeyd.db-wal', 'var/rekeyd.db-shm', 'vault.key', 'rekeyd.sock'];
    for (const name of privateFiles) expect(await mode(name), name).toBe('600');
    for (const name of ['var', 'vault', 'plain', 'plain/.rekeyd']) expect(await mode(name), name).toBe('700');
    await standing(async () => {
      for (const root of ['vault', 'plain']) {
        const found = await readdir(site.path(root), { recursive: true, withFileTypes: true });
        expect(found.length).toBeGreaterThan(2);
        for (const item of found) {
          const path = join(item.parentPath, item.name);
          const { mode } = await stat(path);
          expect((mode & 0o777).toString(8), path).toBe(item.isDirectory() ? '700' : '600');
        }
      }
    });
  });
});

describe('over the port', () => {
  it('S4: a flood of triggers makes one rotation, and one secret', async () => {
    const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' };
    issuer.faults({ acceptAfter: 2_500 });
    const quiet = await settled(async () => {
      const running = await site.rotations('&state=delivering');
      return running.map((each) => each.id);
    }, 20_000);
    expect(quiet).toEqual([]);
    const before = issuer.truth().filter((each) => each.clientId === OTHER).length;
    const path = `/v1/credentials/data8/${OTHER}/rotate`;
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => ask({ port }, path, { method: 'POST', headers, body: '{}' })),
    );
    expect(new Set(answers.map((each) => each.status))).toEqual(new Set([202]));
    expect(new Set(answers.map((each) => (JSON.parse(each.text) as { rotationId: string }).rotationId)).size).toBe(1);
    await pause(1_500);
    const after = issuer.truth().filter((each) => each.clientId === OTHER).length;
    expect(after - before).toBeLessThanOrEqual(1);
    issuer.faults({});
  });

  it('S10: who says nothing, or stops in the middle, is cut off; others are served meanwhile', async () => {
    expect((await ask({ port }, '/livez')).status).toBe(200);
    const { silent, stuck, dripping } = mute;
    expect(await silent).toMatch(/^HTTP\/1\.1 408 |^$/);
    expect(await stuck).toMatch(/^HTTP\/1\.1 408 |^$/);
    expect(await dripping).toMatch(/^HTTP\/1\.1 408 |^$/);
  }, 40_000);

  it('S10: a body that is too large is refused', async () => {
    const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' };
    const body = JSON.stringify({ note: 'x'.repeat(20_000) });
    const answer = await ask({ port }, `/v1/credentials/data8/${CLIENT}/rotate`, { method: 'POST', headers, body });
    expect(answer.status).toBe(413);
  });

  it('S5, S6: names with separators and prototype keys are refused', async () => {
    const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' };
    for (const path of [
      '/v1/credentials/data8/..%2f..',
      '/v1/credentials/data8/%2e%2e',
      '/v1/credentials/data8/a%5cb',
    ]) {
      expect((await ask({ port }, path, { headers })).status, path).toBe(400);
    }
    const body = '{"__proto__":{"note":"x"}}';
    expect((await ask({ port }, '/v1/pause', { method: 'POST', headers, body })).status).toBe(400);
    expect((await rekeyd(['read', 'plain', '../own.secret', '-c', site.config], { env: issuer.env })).code).toBe(2);
  });
});
