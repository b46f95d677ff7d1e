import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { rekeyd, Running } from './binary.ts';

let folder: string;
const running: Running[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rekeyd-process-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});
afterEach(async () => {
  for (const one of running.splice(0)) {
    one.kill('SIGKILL');
    await one.ended();
  }
});

function start(args: readonly string[], options: ConstructorParameters<typeof Running>[1] = {}): Running {
  const one = new Running(args, options);
  running.push(one);
  return one;
}

/** An emulator with a client of a known secret, and the environment that names it. */
async function emulator(): Promise<{ readonly process: Running; readonly env: Record<string, string> }> {
  const args = ['emulator', '--port', '0', '--client-id', 'admin', '--client-secret', 'canary-Secret-0123'];
  const process = start(args);
  const [, url = ''] = await process.until(/API: +(http:\S+)/);
  const env = {
    DATA8_BASE_URL: url,
    DATA8_TOKEN_URL: `${url}/connect/token`,
    DATA8_CLIENT_ID: 'admin',
    DATA8_CLIENT_SECRET: 'canary-Secret-0123',
  };
  return { process, env };
}

async function file(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}

/** Nothing listens there: for tests that need an issuer in the configuration, and none that answers. */
const NOWHERE = {
  DATA8_BASE_URL: 'http://127.0.0.1:61313',
  DATA8_TOKEN_URL: 'http://127.0.0.1:61313/token',
  DATA8_CLIENT_ID: 'admin',
  DATA8_CLIENT_SECRET: 'canary-Secret-0123',
};

const ISSUER = `issuers:
  data8:
    type: data8
    baseUrl: "\${DATA8_BASE_URL}"
    tokenUrl: "\${DATA8_TOKEN_URL}"
    clientId: "\${DATA8_CLIENT_ID}"
    clientSecret: "\${DATA8_CLIENT_SECRET}"
    requestLifetime: 3s
    timeout: 3s
    listLag: 1s
`;

describe('exit codes of the real binary', () => {
  it('0 for help and version', async () => {
    expect(await rekeyd(['--help'])).toMatchObject({ code: 0, err: '' });
    const version = await rekeyd(['--version']);
    expect(version.code).toBe(0);
    expect(version.out).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it('2 for an unknown command, and for a log level that does not exist', async () => {
    expect(await rekeyd(['nonsense'])).toMatchObject({ code: 2, out: '' });
    expect(await rekeyd(['plan'], { env: { REKEYD_LOG_LEVEL: 'loud' } })).toMatchObject({ code: 2, out: '' });
  });

  it('2 for a configuration that is missing or wrong, with its place, before anything starts', async () => {
    const missing = await rekeyd(['run', '-c', join(folder, 'no.yaml')]);
    expect(missing).toMatchObject({ code: 2, out: '' });
    expect(missing.err).toContain('no.yaml');
    const path = await file('bad.yaml', 'instance: prod\nmode: sideways\n');
    const bad = await rekeyd(['run', '-c', path]);
    expect(bad).toMatchObject({ code: 2, out: '' });
    expect(bad.err).toContain(`${path}:2:7: mode`);
  });

  it('1 where no daemon answers', async () => {
    const path = await file('alone.yaml', `instance: alone\nhttp: { socket: ./alone.sock }\n${ISSUER}`);
    const ran = await rekeyd(['status', '-c', path], { env: NOWHERE });
    expect(ran).toMatchObject({ code: 1, out: '' });
    expect(ran.err).toContain('rekeyd run');
  });

  it.each(['SIGTERM', 'SIGINT'] as const)('the emulator ends with 0 at %s', async (signal) => {
    const { process } = await emulator();
    process.kill(signal);
    expect((await process.ended()).code).toBe(0);
  });
});

describe('by hand', () => {
  it('data8, init, check and plan against an emulator', async () => {
    const { env } = await emulator();
    const config = await file('hand.yaml', `instance: hand\n${ISSUER}`);
    const hand = (...args: string[]) => rekeyd(['data8', ...args, '-c', config], { env });
    const created = await hand('credentials', 'create', '--description', 'crm (prod)', '--json');
    expect(created.code).toBe(0);
    const { clientId } = JSON.parse(created.out) as { clientId: string };
    const secret = await hand('secrets', 'create', clientId, '--expires', '90d', '--json');
    const { secretId, generatedSecret } = JSON.parse(secret.out) as { secretId: string; generatedSecret: string };
    expect(generatedSecret).not.toBe('');
    const listed = await hand('secrets', 'list', clientId);
    expect(listed.out).toContain(secretId);
    expect(listed.out).not.toContain(generatedSecret);
    expect((await hand('secrets', 'update', clientId, secretId, '--description', 'new')).out).toContain('new');
    expect((await hand('secrets', 'delete', clientId, secretId)).code).toBe(0);
    expect((await hand('secrets', 'delete', clientId, secretId)).code).toBe(1);

    const written = join(folder, 'written.yaml');
    const init = await rekeyd(['init', '-c', config, '-o', written], { env });
    expect(init).toMatchObject({ code: 0, out: '' });
    const check = await rekeyd(['check', '-c', written], { env });
    expect(check.code).toBe(0);
    expect(check.out).toMatch(/issuer data8 +reached +ok/);
    const plan = await rekeyd(['plan', '--exit-code', '-c', written], { env: { ...env, REKEYD_MODE: 'active' } });
    expect(plan.err).toBe('');
    expect(plan.out).toContain(`data8/${clientId}`);
    expect(plan.code).toBe(3);
  });

  it('check exits 1 where the issuer is not reached, and says where', async () => {
    const { process, env } = await emulator();
    const config = await file('down.yaml', `instance: down\n${ISSUER}`);
    process.kill('SIGTERM');
    await process.ended();
    const check = await rekeyd(['check', '-c', config], { env });
    expect(check.code).toBe(1);
    expect(check.out).toMatch(/issuer data8 +reached +missing +.*ECONNREFUSED/);
  });
});

describe('run', () => {
  const daemonConfig = (name: string, port: number) => `instance: ${name}
schedule: "* * * * * *"
ledger: { type: sqlite, path: ./${name}.db }
http: { port: ${port}, socket: ./${name}.sock }
${ISSUER}
vaults:
  local: { type: file, path: ./${name}-vault, key: ./${name}.key }
policies:
  default: { lifetime: 1h, renewBefore: 30m, grace: 10s, provisional: 60s, verify: { timeout: 20s, settle: 0s } }
credentials:
  - { issuer: data8, match: { description: "{app} (prod)" }, deliver: [{ vault: local, name: "{app}" }] }
`;

  it('logs, answers the command line, rotates, and ends with 0 at SIGTERM', async () => {
    const { env } = await emulator();
    const config = await file('run.yaml', daemonConfig('run', 0));
    await rekeyd(['data8', 'credentials', 'create', '--description', 'crm (prod)', '-c', config], { env });
    const daemon = start(['run', '-c', config], { env });
    await daemon.until(/"event":"http-listening"/);
    const first = JSON.parse(daemon.out.split('\n')[0] ?? '') as Record<string, unknown>;
    expect(first).toMatchObject({ level: 'info', event: 'starting', instance: 'run', mode: 'active' });
    expect(first['node']).toBe(process.version);
    // before that, nobody knows the credential
    await daemon.until(/"event":"scan-finished"/);

    const rotate = await rekeyd(['rotate', 'crm-prod', '--wait', '--timeout', '40s', '-c', config], { env });
    expect(rotate.err).toContain('delivered everywhere');
    expect(rotate.code).toBe(0);
    const status = await rekeyd(['status', '-c', config], { env });
    expect(status.code).toBe(0);
    expect(status.out).toMatch(/data8\/\S+ +crm-prod +(grace|ok)/);
    const explain = await rekeyd(['explain', 'crm-prod', '-c', config], { env });
    expect(explain.err).toBe('');
    expect(explain.code).toBe(0);
    const read = await rekeyd(['read', 'local', 'crm', '-c', config], { env });
    expect(read.code).toBe(0);
    const payload = JSON.parse(read.out) as Record<string, string>;
    expect(Object.keys(payload)).toEqual(['clientId', 'clientSecret', 'secretId', 'expires']);
    expect((await rekeyd(['read', 'local', 'nothing', '-c', config], { env })).code).toBe(1);

    daemon.kill('SIGTERM');
    expect(await daemon.ended()).toEqual({ code: 0, signal: null });
    expect(daemon.out).not.toContain(payload['clientSecret']);
    expect(daemon.out + daemon.err).not.toContain('canary-Secret-0123');
    expect(daemon.out).toContain('"event":"stopped"');

    const once = await rekeyd(['once', '-c', config], { env });
    expect(once.out).toMatch(/^looked at \d+, acted on \d+, unwell 0\n/);
    expect(once.code).toBe(0);
  });

  it('ends with 1 and says so where its port is taken', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const address = taken.address();
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
    const config = await file(
      'taken.yaml',
      `instance: taken\nledger: { type: memory }\nhttp: { port: ${port}, socket: null }\n${ISSUER}`,
    );
    const ran = await rekeyd(['run', '-c', config], { env: NOWHERE });
    taken.close();
    expect(ran.code).toBe(1);
    expect(ran.out).toContain(`127.0.0.1:${port}`);
    expect(ran.out).toContain('http.port');
  });

  it('goes on where nobody reads its log any more', async () => {
    const config = await file(
      'deaf.yaml',
      `instance: deaf\nschedule: "* * * * * *"\nledger: { type: memory }\nhttp: { port: 0, socket: ./deaf.sock }\n${ISSUER}`,
    );
    const daemon = start(['run', '-c', config], { env: { ...NOWHERE, REKEYD_LOG_LEVEL: 'debug' } });
    await daemon.until(/"event":"http-listening"/);
    daemon.child.stdout?.destroy();
    for (let asked = 0; asked < 3; asked++)
      expect((await rekeyd(['status', '-c', config], { env: NOWHERE })).code).toBe(0);
    daemon.kill('SIGTERM');
    expect((await daemon.ended()).code).toBe(0);
  });
});

describe('demo', () => {
  it('shows a scan, a rotation, its delivery, its verification and the deletion of the old secret within 60 s', async () => {
    const started = Date.now();
    const demo = start(['demo']);
    await demo.until(/curl -H/);
    const [, config = ''] = /config +(\S+)/.exec(demo.out) ?? [];
    const cycle = [/scan-finished/, /secret-verified/, /entry-delivered/, /secret-retired/];
    for (const event of cycle) await demo.until(event);
    expect(Date.now() - started).toBeLessThan(60_000);
    const status = await rekeyd(['status', '-c', config]);
    expect(status.code).toBe(0);
    demo.kill('SIGINT');
    expect(await demo.ended()).toEqual({ code: 0, signal: null });
    expect((await rekeyd(['check', '--offline', '-c', config])).code).toBe(2); // its folder is gone
  });
});
