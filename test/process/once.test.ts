import { readdir, readFile, stat } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PlanView } from '../../src/daemon/api.ts';
import { HOUR, MINUTE } from '../../src/domain/time.ts';
import { parseJson, plainShelf } from './consumer.ts';
import { client, config, Job, LONG, SHORT } from './job.ts';
import { pause, Site } from './site.ts';

let job: Job;
beforeEach(async () => {
  job = await Job.open();
});
afterEach(() => job.close());

describe('once, plan, explain, check, read', () => {
  it('a first look changes nothing: plan says what a scan would do, and exits 3', async () => {
    const plan = await job.site.run(['plan', '--exit-code']);
    expect(plan.code).toBe(3);
    expect(plan.out).toMatch(new RegExp(`data8/${client(1)} +app-000001-prod +issue +destination-empty`));
    expect(plan.out).toMatch(/totals: issue 2, /);
    const { items, totals } = JSON.parse((await job.site.run(['plan', '--json'])).out) as PlanView;
    expect(totals.issue).toBe(2);
    expect(items.find((each) => each.clientId === client(2))).toMatchObject({
      action: 'issue',
      reason: 'destination-empty',
      destinations: [
        { vault: 'local', entry: 'app-000002' },
        { vault: 'plain', entry: 'app-000002.json' },
      ],
    });
    const explained = await job.site.run(['explain', 'app-000001-prod']);
    expect(explained.code, explained.err).toBe(0);
    expect(explained.out).toMatch(/issue: destination-empty/);
    expect((await job.site.run(['explain', 'data8/nobody'])).code).not.toBe(0);
    const check = await job.site.run(['check']);
    expect(check.code, check.out).toBe(0);
    expect(await readdir(job.site.folder)).toEqual(['rekeyd.yaml']);
    expect(job.changes()).toEqual([]);
  });

  it('once does all that is due, then nothing; read gives what the issuer accepts', async () => {
    const first = await job.site.run(['once']);
    expect(first.code, first.err).toBe(0);
    expect(first.out).toMatch(/^looked at 3, acted on 2, unwell 0$/m);
    for (const n of [1, 2]) {
      const { value, secretId } = await job.served(n);
      expect(job.issuer.accepts(client(n), value)).toBe(true);
      const read = await job.site.run(['read', 'local', `app-00000${n}`]);
      expect(parseJson(read.out)).toEqual({ value, secretId });
    }
    job.changes();
    const before = await stat(job.site.path('plain/app-000001.json'));
    const plan = await job.site.run(['plan', '--exit-code']);
    expect(plan.code, plan.out).toBe(0);
    const second = await job.site.run(['once', '--json']);
    expect(second.code).toBe(0);
    expect(JSON.parse(second.out)).toMatchObject({ acted: 0, unwell: [], errors: [] });
    expect(job.changes()).toEqual([]);
    expect((await stat(job.site.path('plain/app-000001.json'))).mtimeMs).toBe(before.mtimeMs);
  });

  it('once keeps to maintenance windows', async () => {
    const terms = { lifetime: '72h', renewBefore: '71.999h', grace: '1s' };
    const open = config({ ...terms, windowSince: 20 * MINUTE });
    const shut = config({ ...terms, windowSince: 12 * HOUR });
    await job.site.configure(shut);
    const first = await job.site.run(['once']);
    // nothing was served: that waits for no window
    expect(first.err).toMatch(/"event":"window-missed"/);
    await pause(3_700);
    expect((await job.site.run(['once'])).out).toMatch(/acted on 0/);
    expect(job.ours().length).toBe(2);
    const { items } = JSON.parse((await job.site.run(['plan', '--json'])).out) as PlanView;
    expect(items.find((each) => each.clientId === client(1))).toMatchObject({
      action: 'none',
      reason: 'outside-window',
    });
    expect((await job.site.run(['explain', 'app-000001-prod'])).out).toMatch(/the next window opens at /);
    expect((await job.site.run(['plan', '--days', '1'])).out).toMatch(/totals: .* outside of windows 0/);

    await job.site.configure(open);
    expect((await job.site.run(['once'])).out).toMatch(/acted on 2/);
    expect(job.ours().length).toBe(4);
    await job.site.configure(shut);
    await pause(1_100);
    await job.site.run(['once']);
    expect(job.ours().filter((each) => each.deleted !== null)).toEqual([]);
    await job.site.configure(open);
    await job.site.run(['once']);
    expect(job.ours().filter((each) => each.deleted !== null).length).toBe(2);
  });

  it('once also deletes what is past its grace', async () => {
    await job.site.configure(config(SHORT));
    expect((await job.site.run(['once'])).code).toBe(0);
    const [first] = job.ours(1);
    await pause(2_100);
    expect((await job.site.run(['once'])).code).toBe(0);
    expect(job.ours(1).length).toBe(2);
    await pause(1_100);
    expect((await job.site.run(['once'])).code).toBe(0);
    const truth = job.issuer.truth();
    expect(truth.find((each) => each.clientSecretId === first?.clientSecretId)?.deleted).not.toBeNull();
    expect(truth.filter((each) => each.description === 'made by hand' && each.deleted !== null)).toEqual([]);
    expect(job.issuer.accepts(client(1), (await job.served(1)).value)).toBe(true);
  });

  it('once --limit and --only leave the rest alone', async () => {
    expect((await job.site.run(['once', '--only', 'app-000002-*'])).code).toBe(0);
    expect(job.ours().map((each) => each.clientId)).toEqual([client(2)]);
    expect(await job.site.run(['once', '--only', '{a}{b}'])).toEqual({
      code: 2,
      out: '',
      err: expect.stringContaining('nothing stands between {b} and what is before it') as string,
    });
    expect((await job.site.run(['once', '--limit', '1', '--only', 'app-*'])).code).toBe(0);
    expect(new Set(job.ours().map((each) => each.clientId))).toEqual(new Set([client(1), client(2)]));
  });

  it('C4: an entry name without placeholder works while its rule matches one credential; of two, both are blocked', async () => {
    const deliver = '{ vault: plain, name: app.json }';
    const fixed = (match: string): string =>
      config(LONG)
        .replace('{app} (prod)', match)
        .replace(/deliver: .*/, `deliver: [${deliver}]`);
    await job.site.configure(fixed('app-000001*'));
    const alone = await job.site.run(['once']);
    expect(alone.code, alone.err).toBe(0);
    const served = plainShelf(client(1), job.site.path('plain'), 'app.json').read;
    const before = await served();
    expect(job.issuer.accepts(client(1), before?.value ?? '')).toBe(true);
    await job.site.configure(fixed('app-*'));
    const both = await job.site.run(['once']);
    expect(both.code).toBe(1);
    for (const n of [1, 2]) expect(both.out).toMatch(new RegExp(`data8/${client(n)} +blocked +destination-shared`));
    expect(job.ours().length).toBe(1);
    expect(await served()).toEqual(before);
  });

  it('once exits 1 where a credential is failing, and says which and why', async () => {
    job.issuer.faults({ rules: [{ kind: 'forbidden', operations: ['createSecret'] }] });
    const ran = await job.site.run(['once']);
    expect(ran.code).toBe(1);
    expect(ran.out).toMatch(new RegExp(`data8/${client(1)} +failing +issuer-forbidden`));
    expect(job.ours()).toEqual([]);
    job.issuer.faults({ rules: [{ kind: 'unavailable', operations: ['listCredentials'] }] });
    const silent = await job.site.run(['once']);
    expect(silent.code).toBe(1);
    expect(silent.err).toContain('503');
  });

  it('init writes a configuration for what it found, that works', async () => {
    const written = job.site.path('written.yaml');
    const init = await job.site.run(['init', '-o', written]);
    expect(init.code, init.err).toBe(0);
    expect((await job.site.run(['init', '-o', written])).code).toBe(1);
    const other = await Site.open(job.issuer.env, await readFile(written, 'utf8'));
    try {
      const check = await other.run(['check']);
      expect(check.code, check.out + check.err).toBe(0);
      const plan = await other.run(['plan', '--exit-code'], { REKEYD_MODE: 'active' });
      expect(plan.code, plan.out + plan.err).toBe(3);
      expect(plan.out).toContain(client(1));
      // as it is written it changes nothing
      expect((await other.run(['once'])).err).not.toContain('secret-created');
      expect(job.changes()).toEqual([]);
    } finally {
      await other.close();
    }
  });
});
