import { chmod, readFile, stat, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Running } from './binary.ts';
import { client, Job } from './job.ts';
import { settled } from './site.ts';

const AS_NOBODY = fileURLToPath(new URL('./as-nobody.ts', import.meta.url));

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
