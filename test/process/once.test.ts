import { chmod, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PlanView } from '../../src/daemon/api.ts';
import { formatInstant, HOUR, MINUTE } from '../../src/domain/time.ts';
import type { Duration } from '../../src/domain/time.ts';
import { seededClientId } from '../../src/emulator/seed.ts';
import { Running } from './binary.ts';
import { parseJson, plainShelf } from './consumer.ts';
import type { Serving } from './consumer.ts';
import { IssuerProcess } from './issuer-process.ts';
import type { TrueSecret } from './issuer-process.ts';
import { ISSUER, pause, settled, Site } from './site.ts';

const AS_NOBODY = fileURLToPath(new URL('./as-nobody.ts', import.meta.url));
const KEY = 'once';
const client = (n: number): string => seededClientId(KEY, n);
const SHUTDOWN = 5_000;

interface Terms {
  readonly lifetime: string;
  readonly renewBefore: string;
  readonly grace: string;
  /** The one maintenance window: how long ago it opened, for an hour. Default: none, anything is done at any time. */
  readonly windowSince?: Duration;
}
/** Nothing is due again while a test runs. */
const LONG: Terms = { lifetime: '2h', renewBefore: '1h', grace: '30m' };
/** Everything is due again after two seconds. */
const SHORT: Terms = { lifetime: '600s', renewBefore: '598s', grace: '1s' };

function windowsOf({ windowSince }: Terms): string {
  if (windowSince === undefined) return '';
  const [hour, minute] = formatInstant(Date.now() - windowSince)
    .slice(11, 16)
    .split(':');
  return `, windows: [{ start: "${Number(minute)} ${Number(hour)} * * *", duration: 1h }]`;
}

const config = ({ lifetime, renewBefore, grace, ...terms }: Terms): string => `instance: job
schedule: "* * * * * *"
resync: 2s
shutdownTimeout: ${SHUTDOWN / 1000}s
ledger: { type: sqlite, path: ./var/rekeyd.db }
http: { port: 0, socket: ./rekeyd.sock }
limits: { createsPerDay: 1000, rotationsPerHour: 1000, maxLiveSecrets: 20 }
${ISSUER}vaults:
  local: { type: file, path: ./vault, key: ./vault.key }
  plain: { type: directory, path: ./plain }
policies:
  default: { lifetime: ${lifetime}, renewBefore: ${renewBefore}, grace: ${grace}, provisional: 20s, verify: { timeout: 10s, settle: 0s }${windowsOf({ lifetime, renewBefore, grace, ...terms })} }
credentials:
  - issuer: data8
    match: { description: "{app} (prod)" }
    deliver: [{ vault: local, name: "{app}" }, { vault: plain, name: "{app}.json" }]
`;

let issuer: IssuerProcess;
let site: Site;

beforeEach(async () => {
  issuer = await IssuerProcess.start({
    seed: { key: KEY, groups: [{ credentials: 2, description: 'app-{n} (prod)', secretDescription: 'made by hand' }] },
  });
  site = await Site.open(issuer.env, config(LONG));
});
afterEach(async () => {
  await site.close();
  await issuer.stop();
});

/** The secrets that rekeyd made for a credential. */
async function ours(n?: number): Promise<readonly TrueSecret[]> {
  const truth = await issuer.truth();
  return truth.filter(
    (each) => each.description?.includes('[rekeyd:') === true && (n === undefined || each.clientId === client(n)),
  );
}

/** What the plain file of a credential serves; nothing where there is none yet. */
async function served(n: number): Promise<Serving> {
  const read = plainShelf(client(n), site.path('plain'), `app-00000${n}.json`).read;
  return (await read()) ?? { value: '', secretId: null };
}

/** What was changed at the issuer since this was last asked. */
async function changes(): Promise<readonly string[]> {
  const calls = await issuer.requests();
  return calls.map((each) => each.operation).filter((each) => /^(create|update|delete)/.test(each));
}

describe('once, plan, explain, check, read', () => {
  it('a first look changes nothing: plan says what a scan would do, and exits 3', async () => {
    const plan = await site.run(['plan', '--exit-code']);
    expect(plan.code).toBe(3);
    expect(plan.out).toMatch(new RegExp(`data8/${client(1)} +app-000001-prod +issue +destination-empty`));
    expect(plan.out).toMatch(/totals: issue 2, /);
    const { items, totals } = JSON.parse((await site.run(['plan', '--json'])).out) as PlanView;
    expect(totals.issue).toBe(2);
    expect(items.find((each) => each.clientId === client(2))).toMatchObject({
      action: 'issue',
      reason: 'destination-empty',
      destinations: [
        { vault: 'local', entry: 'app-000002' },
        { vault: 'plain', entry: 'app-000002.json' },
      ],
    });
    const explained = await site.run(['explain', 'app-000001-prod']);
    expect(explained.code, explained.err).toBe(0);
    expect(explained.out).toMatch(/issue: destination-empty/);
    expect((await site.run(['explain', 'data8/nobody'])).code).not.toBe(0);
    const check = await site.run(['check']);
    expect(check.code, check.out).toBe(0);
    expect(await readdir(site.folder)).toEqual(['rekeyd.yaml']);
    expect(await changes()).toEqual([]);
  });

  it('once does all that is due, then nothing; read gives what the issuer accepts', async () => {
    const first = await site.run(['once']);
    expect(first.code, first.err).toBe(0);
    expect(first.out).toMatch(/^looked at 3, acted on 2, unwell 0$/m);
    for (const n of [1, 2]) {
      const { value, secretId } = await served(n);
      expect(await issuer.accepts(client(n), value)).toBe(true);
      const read = await site.run(['read', 'local', `app-00000${n}`]);
      expect(parseJson(read.out)).toEqual({ value, secretId });
    }
    await changes();
    const before = await stat(site.path('plain/app-000001.json'));
    const plan = await site.run(['plan', '--exit-code']);
    expect(plan.code, plan.out).toBe(0);
    const second = await site.run(['once', '--json']);
    expect(second.code).toBe(0);
    expect(JSON.parse(second.out)).toMatchObject({ acted: 0, unwell: [], errors: [] });
    expect(await changes()).toEqual([]);
    expect((await stat(site.path('plain/app-000001.json'))).mtimeMs).toBe(before.mtimeMs);
  });

  it('once keeps to maintenance windows', async () => {
    const terms = { lifetime: '72h', renewBefore: '71.999h', grace: '1s' };
    const open = config({ ...terms, windowSince: 20 * MINUTE });
    const shut = config({ ...terms, windowSince: 12 * HOUR });
    await site.configure(shut);
    const first = await site.run(['once']);
    // nothing was served: that waits for no window
    expect(first.err).toMatch(/"event":"window-missed"/);
    await pause(3_700);
    expect((await site.run(['once'])).out).toMatch(/acted on 0/);
    expect((await ours()).length).toBe(2);
    const { items } = JSON.parse((await site.run(['plan', '--json'])).out) as PlanView;
    expect(items.find((each) => each.clientId === client(1))).toMatchObject({
      action: 'none',
      reason: 'outside-window',
    });
    expect((await site.run(['explain', 'app-000001-prod'])).out).toMatch(/the next window opens at /);
    expect((await site.run(['plan', '--days', '1'])).out).toMatch(/totals: .* outside of windows 0/);

    await site.configure(open);
    expect((await site.run(['once'])).out).toMatch(/acted on 2/);
    expect((await ours()).length).toBe(4);
    await site.configure(shut);
    await pause(1_100);
    await site.run(['once']);
    expect((await ours()).filter((each) => each.deleted !== null)).toEqual([]);
    await site.configure(open);
    await site.run(['once']);
    expect((await ours()).filter((each) => each.deleted !== null).length).toBe(2);
  });

  it('once also deletes what is past its grace', async () => {
    await site.configure(config(SHORT));
    expect((await site.run(['once'])).code).toBe(0);
    const [first] = await ours(1);
    await pause(2_100);
    expect((await site.run(['once'])).code).toBe(0);
    expect((await ours(1)).length).toBe(2);
    await pause(1_100);
    expect((await site.run(['once'])).code).toBe(0);
    const truth = await issuer.truth();
    expect(truth.find((each) => each.clientSecretId === first?.clientSecretId)?.deleted).not.toBeNull();
    expect(truth.filter((each) => each.description === 'made by hand' && each.deleted !== null)).toEqual([]);
    expect(await issuer.accepts(client(1), (await served(1)).value)).toBe(true);
  });

  it('once --limit and --only leave the rest alone', async () => {
    expect((await site.run(['once', '--only', 'app-000002-*'])).code).toBe(0);
    expect((await ours()).map((each) => each.clientId)).toEqual([client(2)]);
    expect((await site.run(['once', '--only', '{a}{b}'])).code).not.toBe(0);
    expect((await site.run(['once', '--limit', '1', '--only', 'app-*'])).code).toBe(0);
    expect(new Set((await ours()).map((each) => each.clientId))).toEqual(new Set([client(1), client(2)]));
  });

  it('once exits 1 where a credential is failing, and says which and why', async () => {
    await issuer.faults({ rules: [{ kind: 'forbidden', operations: ['createSecret'] }] });
    const ran = await site.run(['once']);
    expect(ran.code).toBe(1);
    expect(ran.out).toMatch(new RegExp(`data8/${client(1)} +failing +issuer-forbidden`));
    expect(await ours()).toEqual([]);
    await issuer.faults({ rules: [{ kind: 'unavailable', operations: ['listCredentials'] }] });
    const silent = await site.run(['once']);
    expect(silent.code).toBe(1);
    expect(silent.err).toContain('503');
  });

  it('init writes a configuration for what it found, that works', async () => {
    const written = site.path('written.yaml');
    const init = await site.run(['init', '-o', written]);
    expect(init.code, init.err).toBe(0);
    expect((await site.run(['init', '-o', written])).code).toBe(1);
    const other = await Site.open(issuer.env, await readFile(written, 'utf8'));
    try {
      const check = await other.run(['check']);
      expect(check.code, check.out + check.err).toBe(0);
      const plan = await other.run(['plan', '--exit-code'], { REKEYD_MODE: 'active' });
      expect(plan.code, plan.out + plan.err).toBe(3);
      expect(plan.out).toContain(client(1));
      // as it is written it changes nothing
      expect((await other.run(['once'])).err).not.toContain('secret-created');
      expect(await changes()).toEqual([]);
    } finally {
      await other.close();
    }
  });
});

describe('P2: SIGTERM in the middle', () => {
  async function stopAt(daemon: Running, event: string): Promise<void> {
    await daemon.until(new RegExp(`"event":"${event}"`));
    const began = Date.now();
    daemon.kill('SIGTERM');
    expect(await daemon.ended()).toEqual({ code: 0, signal: null });
    expect(Date.now() - began).toBeLessThan(SHUTDOWN + 3_000);
    expect(daemon.out).toContain('"event":"stopped"');
  }

  /** Afterwards all comes to rest, with nothing left over. */
  async function expectRest(): Promise<void> {
    await issuer.faults({});
    await site.start();
    const unrest = await settled(async () => {
      const states = (await site.credentials()).filter((each) => each.policy !== null).map((each) => each.state);
      const secrets = await ours();
      const current = [await served(1), await served(2)].map((each) => each.secretId);
      const left = secrets.filter((each) => each.deleted === null && !current.includes(String(each.clientSecretId)));
      return [...states.filter((each) => each !== 'ok'), ...left.map((each) => `${each.clientSecretId} is left`)];
    }, 30_000);
    expect(unrest).toEqual([]);
  }

  it('P2: in verify: the unverified secret is deleted, nothing new is made, exit 0', async () => {
    await issuer.faults({ acceptAfter: 8_000 });
    await stopAt(await site.start(), 'secret-created');
    const made = await ours();
    expect(made.length).toBeGreaterThan(0);
    expect(made.filter((each) => each.deleted === null)).toEqual([]);
    await expectRest();
  });

  it('P2: while a creation is on its way: it is brought to rest or left to the recovery', async () => {
    await issuer.faults({ rules: [{ kind: 'latency', operations: ['createSecret'], delay: 700 }] });
    await stopAt(await site.start(), 'rotation-intended');
    const count = (await ours()).length;
    await pause(1_000);
    expect((await ours()).length).toBe(count);
    await expectRest();
  });

  it('P2: while the issuer says nothing', async () => {
    await issuer.faults({
      rules: [{ kind: 'hang', operations: ['listSecrets', 'createSecret', 'updateSecret', 'token'] }],
    });
    const daemon = await site.start();
    await pause(500);
    await stopAt(daemon, 'daemon-started');
    await expectRest();
  });

  it('P2: once, too', async () => {
    await issuer.faults({ acceptAfter: 8_000 });
    const job = site.spawn(['once']);
    const created = await settled(async () => ((await ours()).length > 0 ? [] : ['nothing is made']), 20_000);
    expect(created).toEqual([]);
    await pause(100);
    const began = Date.now();
    job.kill('SIGTERM');
    await job.ended();
    expect(Date.now() - began).toBeLessThan(SHUTDOWN + 3_000);
    expect((await ours()).filter((each) => each.deleted === null)).toEqual([]);
  });
});

describe('a ledger that cannot be used', () => {
  it('P4: a corrupt one is set aside with its name told, and rebuilt; nothing is issued or deleted for it', async () => {
    expect((await site.run(['once'])).code).toBe(0);
    const before = await served(1);
    await changes();
    const path = site.path('var/rekeyd.db');
    const size = (await stat(path)).size;
    await writeFile(path, Buffer.alloc(size, 'not a database '));
    const daemon = await site.start();
    const [, file = ''] = await daemon.until(/"event":"ledger-set-aside".*?"file":"([^"]+)"/);
    expect((await readFile(file)).includes('not a database ')).toBe(true);
    const unrest = await settled(async () => {
      const views = (await site.credentials()).filter((each) => each.policy !== null);
      return views.length === 2 ? views.filter((each) => each.state !== 'ok').map((each) => each.reason) : ['unknown'];
    }, 20_000);
    expect(unrest).toEqual([]);
    const [view] = (await site.credentials()).filter((each) => each.clientId === client(1));
    expect(view?.current?.secretId).toBe(before.secretId);
    expect(await served(1)).toEqual(before);
    expect(await changes()).toEqual([]);
  });

  it.each([
    ['run', '"event":"start-failed"'],
    ['once', ''],
  ])('P3: a read-only one is found by %s before anything is created', async (command, told) => {
    expect((await site.run(['once', '--only', 'nothing'])).code).toBe(0);
    const writable = [site.path('vault'), site.path('plain')];
    for (const path of [site.folder, site.config, site.path('var'), site.path('var/rekeyd.db')])
      await chmod(path, 0o755);
    for (const path of [...writable, site.path('var'), site.folder]) await chmod(path, 0o555);
    const one = new Running([command, '-c', site.config], { program: AS_NOBODY, cwd: site.folder, env: issuer.env });
    const { code } = await one.ended();
    for (const path of [...writable, site.path('var'), site.folder]) await chmod(path, 0o700);
    expect(code, one.out + one.err).toBe(1);
    expect(one.out + one.err).toContain(told);
    expect(one.out + one.err).toMatch(/rekeyd\.db/);
    expect(await ours()).toEqual([]);
  });
});

describe('two daemons on one folder', () => {
  it('the second one ends with 1 and says why; the first goes on', async () => {
    const first = await site.start();
    const second = site.spawn(['run']);
    expect((await second.ended()).code).toBe(1);
    expect(second.out).toContain('http.socket');
    expect(first.child.exitCode).toBeNull();
    expect((await site.ask('GET', '/v1/status')).status).toBe(200);
  });
});
