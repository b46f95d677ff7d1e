import { chmod, readFile, stat, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ask } from '../unit/http/raw-connection.ts';
import { Running } from './binary.ts';
import { client, Job } from './job.ts';
import { settled } from './site.ts';

const AS_NOBODY = fileURLToPath(new URL('./as-nobody.ts', import.meta.url));
const SMALL_FILES = fileURLToPath(new URL('./small-files.ts', import.meta.url));

let job: Job;
beforeEach(async () => {
  job = await Job.open();
});
afterEach(() => job.close());

describe('a ledger that cannot be used', () => {
  it('P4: a corrupt one is set aside with its name told, and rebuilt; nothing is issued or deleted for it', async () => {
    expect((await job.site.run(['once'])).code).toBe(0);
    const before = await job.served(1);
    job.changes();
    const path = job.site.path('var/rekeyd.db');
    const size = (await stat(path)).size;
    await writeFile(path, Buffer.alloc(size, 'not a database '));
    const daemon = await job.site.start();
    const [, file = ''] = await daemon.until(/"event":"ledger-set-aside".*?"file":"([^"]+)"/);
    expect((await readFile(file)).includes('not a database ')).toBe(true);
    const unrest = await settled(async () => {
      const views = (await job.site.credentials()).filter((each) => each.policy !== null);
      return views.length === 2 ? views.filter((each) => each.state !== 'ok').map((each) => each.reason) : ['unknown'];
    }, 20_000);
    expect(unrest).toEqual([]);
    const [view] = (await job.site.credentials()).filter((each) => each.clientId === client(1));
    expect(view?.current?.secretId).toBe(before.secretId);
    expect(await job.served(1)).toEqual(before);
    expect(job.changes()).toEqual([]);
  });

  it.each([
    ['run', '"event":"start-failed"'],
    ['once', ''],
  ])('P3: a read-only one is found by %s before anything is created', async (command, told) => {
    expect((await job.site.run(['once', '--only', 'nothing'])).code).toBe(0);
    const writable = [job.site.path('vault'), job.site.path('plain')];
    for (const path of [job.site.folder, job.site.config, job.site.path('var'), job.site.path('var/rekeyd.db')])
      await chmod(path, 0o755);
    for (const path of [...writable, job.site.path('var'), job.site.folder]) await chmod(path, 0o555);
    const one = new Running([command, '-c', job.site.config], {
      program: AS_NOBODY,
      cwd: job.site.folder,
      env: job.issuer.env,
    });
    const { code } = await one.ended();
    for (const path of [...writable, job.site.path('var'), job.site.folder]) await chmod(path, 0o700);
    expect(code, one.out + one.err).toBe(1);
    expect(one.out + one.err).toContain(told);
    expect(one.out + one.err).toMatch(/rekeyd\.db/);
    expect(job.ours()).toEqual([]);
  });
});

describe('a disk that fills up while it runs', () => {
  it('P3: rekeyd_ledger_up is 0 and readiness says why, though all that was written can be read', async () => {
    const daemon = new Running(['run', '-c', job.site.config], {
      program: SMALL_FILES,
      cwd: job.site.folder,
      env: job.issuer.env,
    });
    try {
      await daemon.until(/"event":"http-listening"/);
      const metrics = async () => (await ask({ socketPath: job.site.socket }, '/metrics')).text.split('\n');
      const known = (lines: readonly string[]): number =>
        lines
          .filter((line) => line.startsWith('rekeyd_credentials{'))
          .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
      // both of ours, and the issuer's own client
      const isKnown = async () => (known(await metrics()) === 3 ? [] : ['not all are known']);
      expect(await settled(isKnown, 20_000)).toEqual([]);
      expect(await metrics()).toContain('rekeyd_ledger_up 1');
      let status = 200;
      for (let written = 0; written < 2_000 && status === 200; written += 1)
        ({ status } = await job.site.ask('POST', written % 2 === 0 ? '/v1/pause' : '/v1/resume', {}));
      expect(status, 'nothing more can be kept').toBe(503);
      const isDown = async () => ((await metrics()).includes('rekeyd_ledger_up 0') ? [] : ['it is up']);
      expect(await settled(isDown, 5_000)).toEqual([]);
      expect(await isKnown()).toEqual([]);
      const ready = await job.site.ask('GET', '/readyz');
      expect(ready.status).toBe(503);
      expect(String((ready.body as { reasons: unknown }).reasons)).toMatch(/rekeyd\.db could not be read or written/);
    } finally {
      daemon.kill('SIGKILL');
      await daemon.ended();
    }
  });
});

describe('two daemons on one folder', () => {
  it('the second one ends with 1 and says why; the first goes on', async () => {
    const first = await job.site.start();
    const second = job.site.spawn(['run']);
    expect((await second.ended()).code).toBe(1);
    expect(second.out).toContain('http.socket');
    expect(first.child.exitCode).toBeNull();
    expect((await job.site.ask('GET', '/v1/status')).status).toBe(200);
  });
});
