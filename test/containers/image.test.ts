import { performance } from 'node:perf_hooks';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildImage, docker, IMAGE, Installation, logsOf, tryDocker, whyNoDocker } from './docker.ts';

const reason = await whyNoDocker();
if (reason !== null) process.stderr.write(`test/containers is skipped: ${reason}\n`);

/** What Node tells of compiled code while a user's daemon starts and scans, a line each. */
async function compileCacheOf(user: number): Promise<string[]> {
  const environment = {
    NODE_DEBUG_NATIVE: 'COMPILE_CACHE',
    DATA8_BASE_URL: 'http://127.0.0.1:1',
    DATA8_TOKEN_URL: 'http://127.0.0.1:1',
    DATA8_CLIENT_ID: 'nobody',
    DATA8_CLIENT_SECRET: 'nothing',
  };
  const id = await docker(
    ...['run', '--detach', '--read-only', '--user', `${user}:${user}`],
    ...['--tmpfs', `/var/lib/rekeyd:uid=${user},gid=${user},mode=0700`],
    ...Object.entries(environment).flatMap(([name, value]) => ['--env', `${name}=${value}`]),
    IMAGE,
  );
  try {
    // both streams: Node writes to stderr
    await expect.poll(() => logsOf(id), { timeout: 60_000 }).toContain('"event":"scan-finished"');
    return (await logsOf(id)).split('\n').filter((line) => line.startsWith('[compile cache]'));
  } finally {
    await docker('rm', '--force', id);
  }
}

describe.skipIf(reason !== null)('the image', () => {
  let installation: Installation;

  beforeAll(async () => {
    await buildImage();
    installation = await Installation.start();
  }, 900_000);
  afterAll(() => installation.dispose(), 60_000);

  it('is small on top of its base, and has nothing that installs software', async () => {
    const size = async (image: string): Promise<number> =>
      Number(await docker('image', 'inspect', '--format', '{{.Size}}', image));
    const added = (await size(IMAGE)) - (await size('node:24-bookworm-slim'));
    process.stderr.write(`the image adds ${(added / 1e6).toFixed(1)} MB to its base\n`);
    expect(added).toBeLessThan(60_000_000);
    const found = await installation.exec(
      'node',
      '-p',
      `['npm','npx','yarn','corepack'].filter((name) => fs.existsSync('/usr/local/bin/' + name)).join()`,
    );
    expect(found).toBe('');
  });

  it('brings along what V8 compiled, which its user can read and not write', async () => {
    const script = `
      const found = fs.readdirSync('/opt/rekeyd/dist/.compiled', { recursive: true, withFileTypes: true });
      const stats = found.map((one) => [one, fs.statSync(one.parentPath + '/' + one.name)]);
      console.log(JSON.stringify({
        files: found.filter((one) => one.isFile()).length,
        ofOthers: stats.filter(([, { uid, mode }]) => uid !== 0 || (mode & 0o022) !== 0).map(([{ name }]) => name),
      }));`;
    const { files, ofOthers } = JSON.parse(await installation.exec('node', '-e', script)) as {
      readonly files: number;
      readonly ofOthers: readonly string[];
    };
    expect(files).toBeGreaterThan(5);
    expect(ofOthers).toEqual([]);

    const told = await compileCacheOf(65_532);
    expect(told.filter((line) => line.includes('rejected'))).toEqual([]);
    const modules = told.filter((line) => line.includes('reading cache'));
    expect(told.filter((line) => line.includes('was accepted')).length).toBe(modules.length);
    expect(modules.length).toBeGreaterThan(5);
  });

  it('starts as another user without it, and without a word about it', async () => {
    const told = await compileCacheOf(12_345);
    expect(told.filter((line) => line.includes('was accepted'))).toEqual([]);
    const { code, stdout } = await tryDocker('run', '--rm', '--read-only', '--user', '12345:12345', IMAGE, '--version');
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\s*$/) as string });
  });

  it('may write its state as any user of group 0, and of no other group', async () => {
    const write = `fs.writeFileSync('/var/lib/rekeyd/x', '')`;
    const as = (group: number) =>
      tryDocker(
        ...['run', '--rm', '--read-only', '--cap-drop', 'ALL', '--user', `12345:${group}`],
        ...['--volume', '/var/lib/rekeyd', '--entrypoint', 'node', IMAGE, '-e', write],
      );
    expect(await as(0)).toEqual({ code: 0, stdout: '' });
    expect((await as(12_345)).code).toBe(1);
  });

  it('makes a whole rotation with a read-only root, as a user without rights', async () => {
    await installation.until('"event":"secret-retired"', 2);
    await installation.until('"event":"rotation-done"', 2);
    expect(await installation.exec('id', '-u')).toBe('65532');
    await expect(installation.exec('node', '-e', `fs.writeFileSync('/opt/rekeyd/x', '')`)).rejects.toThrow(/EROFS/);
    expect(await installation.exec('rekeyd', 'health')).toBe('ok');
    expect(await installation.exec('rekeyd', 'status')).toContain('shop-prod');
  });

  it('S1: switches core files off for its process, where the host allows them', async () => {
    const core = /^Max core file size +(\S+) +(\S+)/m;
    const own = core.exec(await installation.exec('cat', '/proc/self/limits'));
    expect(own?.slice(1)).toEqual(['unlimited', 'unlimited']);
    const ofProgram = core.exec(await installation.exec('cat', '/proc/1/limits'));
    expect(ofProgram?.slice(1)).toEqual(['0', '0']);
    const command = await installation.exec('node', '-p', `fs.readFileSync('/proc/1/cmdline', 'utf8')`);
    expect(command.split('\0').slice(0, 3)).toEqual(['node', '--disable-proto=delete', '--max-semi-space-size=4']);
    const health = () => docker('inspect', '--format', '{{.State.Health.Status}}', installation.daemon);
    await expect.poll(health, { timeout: 60_000, interval: 500 }).toBe('healthy');
  });

  it('takes the arguments of a command, and ends with its exit code', async () => {
    const ran = await tryDocker('run', '--rm', '--read-only', IMAGE, 'check', '--offline', '-c', '/a b.yaml');
    expect(ran).toEqual({ code: 2, stdout: '' });
  });

  it('rotates when it is told to over HTTP', async () => {
    const before = await installation.delivered('shop-prod');
    const { status, body } = await installation.ask('POST', `/v1/credentials/data8/${before.clientId}/rotate`);
    expect(status).toBe(202);
    const { rotationId } = body as { rotationId: string };
    await expect
      .poll(
        async () => ((await installation.ask('GET', `/v1/rotations/${rotationId}`)).body as { state: string }).state,
        {
          timeout: 30_000,
        },
      )
      .toMatch(/grace|done/);
    expect((await installation.delivered('shop-prod')).secretId).not.toBe(before.secretId);
  });

  it('P1: killed in the middle of a rotation, it goes on from its volume', async () => {
    const before = await installation.delivered('billing-prod');
    const path = `/v1/credentials/data8/${before.clientId}`;
    const { body } = await installation.ask('POST', `${path}/rotate`);
    const { rotationId } = body as { rotationId: string };
    await docker('kill', '--signal', 'KILL', installation.daemon);
    expect(await docker('inspect', '--format', '{{.State.ExitCode}}', installation.daemon)).toBe('137');
    await docker('start', installation.daemon);
    await installation.until('"event":"http-listening"', 2);
    const state = async (): Promise<string> =>
      ((await installation.ask('GET', `/v1/rotations/${rotationId}`)).body as { state: string }).state;
    await expect.poll(state, { timeout: 60_000, interval: 500 }).toMatch(/done|abandoned/);
    await expect
      .poll(async () => (await installation.delivered('billing-prod')).secretId, { timeout: 30_000 })
      .not.toBe(before.secretId);
    // what the killed rotation left goes with the look after the next list
    const secrets = async (): Promise<number> =>
      ((await installation.ask('GET', path)).body as { secrets: unknown[] }).secrets.length;
    await expect.poll(secrets, { timeout: 30_000, interval: 500 }).toBeLessThanOrEqual(3);
  }, 150_000);

  it('ends within two seconds of SIGTERM when it is idle, with exit code 0', async () => {
    // nothing may be under way: what is in a paused account finishes, and nothing new begins
    await installation.exec('rekeyd', 'pause', '--all');
    await new Promise((resolve) => setTimeout(resolve, 10_000));
    const began = performance.now();
    await docker('stop', '--time', '30', installation.daemon);
    const took = performance.now() - began;
    process.stderr.write(`docker stop took ${took.toFixed(0)} ms\n`);
    expect(took).toBeLessThan(2_000);
    expect(await docker('inspect', '--format', '{{.State.ExitCode}}', installation.daemon)).toBe('0');
  });

  it('starts in less than a second more than bare Node', async () => {
    const script = `
      const { spawnSync } = require('node:child_process');
      const best = (...args) => Math.min(...Array.from({ length: 5 }, () => {
        const began = performance.now();
        spawnSync(process.execPath, args);
        return performance.now() - began;
      }));
      console.log(best('/opt/rekeyd/dist/bundle/rekeyd.js', 'check', '--offline') - best('-e', '0'));`;
    const env = ['DATA8_BASE_URL=https://example.test', 'DATA8_CLIENT_ID=a', 'DATA8_CLIENT_SECRET=b'].flatMap((one) => [
      '--env',
      one,
    ]);
    const more = Number(
      await docker('run', '--rm', '--read-only', ...env, '--entrypoint', 'node', IMAGE, '-e', script),
    );
    process.stderr.write(`it starts in ${more.toFixed(0)} ms more than bare Node\n`);
    expect(more).toBeGreaterThan(0);
    expect(more).toBeLessThan(1_000);
  });
});
