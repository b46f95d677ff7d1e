import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Running } from './binary.ts';
import { Job, SHUTDOWN } from './job.ts';
import { pause, settled } from './site.ts';

let job: Job;
beforeEach(async () => {
  job = await Job.open();
});
afterEach(() => job.close());

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
    job.issuer.faults({});
    await job.site.start();
    const unrest = await settled(async () => {
      const states = (await job.site.credentials()).filter((each) => each.policy !== null).map((each) => each.state);
      const secrets = job.ours();
      const current = [await job.served(1), await job.served(2)].map((each) => each.secretId);
      const left = secrets.filter((each) => each.deleted === null && !current.includes(String(each.clientSecretId)));
      return [...states.filter((each) => each !== 'ok'), ...left.map((each) => `${each.clientSecretId} is left`)];
    }, 30_000);
    expect(unrest).toEqual([]);
  }

  it('P2: in verify: the unverified secret is deleted, nothing new is made, exit 0', async () => {
    job.issuer.faults({ acceptAfter: 8_000 });
    await stopAt(await job.site.start(), 'secret-created');
    const made = job.ours();
    expect(made.length).toBeGreaterThan(0);
    expect(made.filter((each) => each.deleted === null)).toEqual([]);
    await expectRest();
  });

  it('P2: while a creation is on its way: it is brought to rest or left to the recovery', async () => {
    job.issuer.faults({ rules: [{ kind: 'latency', operations: ['createSecret'], delay: 700 }] });
    await stopAt(await job.site.start(), 'rotation-intended');
    const count = job.ours().length;
    await pause(1_000);
    expect(job.ours().length).toBe(count);
    await expectRest();
  });

  it('P2: while the issuer says nothing', async () => {
    job.issuer.faults({
      rules: [{ kind: 'hang', operations: ['listSecrets', 'createSecret', 'updateSecret', 'token'] }],
    });
    const daemon = await job.site.start();
    await pause(500);
    await stopAt(daemon, 'daemon-started');
    await expectRest();
  });

  it('P2: once, too', async () => {
    job.issuer.faults({ acceptAfter: 8_000 });
    const once = job.site.spawn(['once']);
    const created = await settled(async () => (job.ours().length > 0 ? [] : ['nothing is made']), 20_000);
    expect(created).toEqual([]);
    await pause(100);
    const began = Date.now();
    once.kill('SIGTERM');
    await once.ended();
    expect(Date.now() - began).toBeLessThan(SHUTDOWN + 3_000);
    expect(job.ours().filter((each) => each.deleted === null)).toEqual([]);
  });
});
