import { describe, expect, it } from 'vitest';
import { LedgerError } from '../../src/domain/errors.ts';
import { DAY, HOUR, MINUTE, SECOND } from '../../src/domain/time.ts';
import { MemoryLedger } from '../../src/ledger/memory.ts';
import { beforeRenewal, created, passServed, SHORT } from './short-lives.ts';
import { Stage } from './stage.ts';

const KEY = { issuer: 'data8', clientId: 'shop' };

describe('a ledger that cannot keep anything', () => {
  it('P3: nothing is created while commits fail; it goes on by itself afterwards', async () => {
    const stage = await beforeRenewal();
    const made = stage.issuer.count('createSecret');
    const changed = countChanges(stage);
    stage.ledger.faults.beforeCommit = () => {
      throw new LedgerError('the disk is full');
    };
    await stage.start();
    await passServed(stage, 'shop', 2 * HOUR);
    expect(stage.issuer.count('createSecret')).toBe(made);
    expect(countChanges(stage)).toBe(changed);
    expect(stage.events('visit-failed').at(-1)?.fields).toMatchObject({ ...KEY, error: 'the disk is full' });
    delete stage.ledger.faults.beforeCommit;
    await passServed(stage, 'shop', 2 * HOUR + 30 * MINUTE);
    expect((await stage.view('shop')).state).toBe('ok');
    expect(stage.issuer.count('createSecret')).toBe(made + 1);
    expect(stage.issuer.secrets('shop')).toHaveLength(1);
  });

  it('P3: is found at start, before anything is asked of the issuer', async () => {
    const stage = new Stage();
    stage.issuer.addCredential('shop');
    stage.ledger.faults.beforeCheck = () => {
      throw new LedgerError('the ledger is read-only');
    };
    const daemon = stage.open();
    await expect(daemon.start()).rejects.toThrow('the ledger is read-only');
    expect(await daemon.unready()).not.toEqual([]);
    expect(stage.issuer.calls).toEqual([]);
  });

  it('S4: readiness that a flood asks for costs one write, and is told within the second', async () => {
    const stage = await beforeRenewal();
    const daemon = await stage.start();
    let checks = 0;
    let isFull = false;
    stage.ledger.faults.beforeCheck = () => {
      checks += 1;
      if (isFull) throw new LedgerError('the disk is full');
    };
    const flood = async () => new Set((await Promise.all(Array.from({ length: 1000 }, () => daemon.unready()))).flat());
    expect(await flood()).toEqual(new Set());
    expect(checks).toBe(1);
    isFull = true;
    await stage.pass(SECOND);
    checks = 0;
    expect(await flood()).toEqual(new Set(['the disk is full']));
    expect(checks).toBe(1);
    isFull = false;
    await stage.pass(SECOND);
    expect(await flood()).toEqual(new Set());
  });

  it(
    'P3: a commit that fails once, whichever it is, leaves no orphan and no second secret',
    {
      timeout: 30_000,
    },
    async () => {
      const commits = await commitsOf(null);
      expect(commits.count).toBeGreaterThan(6);
      for (let at = 0; at < commits.count; at += 1) {
        const { stage } = await commitsOf(at);
        const where = `commit ${at} failed`;
        await passServed(stage, 'shop', 2 * HOUR, where);
        expect((await stage.view('shop')).state, where).toBe('ok');
        expect(stage.issuer.secrets('shop'), where).toHaveLength(1);
        expect(stage.issuer.count('createSecret'), where).toBeLessThanOrEqual(3);
        stage.crash();
      }
    },
  );
});

describe('a ledger that is lost', () => {
  it('P5: at any time of a cycle: nothing served dies, nothing is made twice, nothing is deleted early', async () => {
    for (let minutes = 0; minutes <= 90; minutes += 5) {
      const where = `lost ${minutes} minutes into the renewal`;
      const stage = await beforeRenewal();
      await stage.start();
      await passServed(stage, 'shop', minutes * MINUTE, where, 5 * MINUTE);
      stage.crash();
      stage.ledger = new MemoryLedger();
      await stage.start();
      await passServed(stage, 'shop', 2 * HOUR, where, 5 * MINUTE);
      const [old, ...rest] = stage.issuer.everySecret('shop');
      // one that was lost before it was delivered ends by itself
      expect(rest.length, where).toBeLessThanOrEqual(minutes === 0 ? 2 : 1);
      expect((await stage.view('shop')).state, where).toBe('ok');
      expect((await stage.view('shop')).current?.generation, where).toBe(1 + rest.length);
      const delivered = stage.vault('b').peek('shop')?.mark?.deliveredAt ?? Number.NaN;
      expect(old?.deletedAt, where).toBeGreaterThanOrEqual(delivered + HOUR);
      stage.crash();
    }
  });

  it('P4: nothing is deleted on a rebuilt one until every destination was seen', async () => {
    const stage = await beforeRenewal();
    await stage.start();
    await passServed(stage, 'shop', 30 * MINUTE);
    stage.crash();
    expect(stage.issuer.secrets('shop')).toHaveLength(2);
    stage.ledger = new MemoryLedger();
    const lift = stage.vault('b').deny();
    await stage.start();
    await stage.pass(90 * MINUTE);
    expect(stage.issuer.secrets('shop')).toHaveLength(2);
    expect(stage.issuer.count('deleteSecret')).toBe(0);
    expect((await stage.view('shop')).state).toBe('failing');
    lift();
    await passServed(stage, 'shop', 2 * HOUR);
    expect(stage.issuer.secrets('shop')).toHaveLength(1);
    expect((await stage.view('shop')).state).toBe('ok');
  });

  it('P5: an old copy is restored: the higher generation in the vaults wins, and it is told', async () => {
    const stage = await beforeRenewal();
    const old = stage.ledger.snapshot();
    await stage.start();
    await passServed(stage, 'shop', 30 * MINUTE);
    const served = stage.vault('a').peek('shop')?.mark?.secretId;
    stage.crash();
    stage.ledger = MemoryLedger.from(old);
    await stage.start();
    await passServed(stage, 'shop', 20 * MINUTE);
    expect(stage.issuer.secrets('shop'), 'the grace runs on').toHaveLength(2);
    const view = await stage.view('shop');
    expect(view.current).toMatchObject({ secretId: served, generation: 2 });
    expect(stage.events('generation-unknown')).toHaveLength(1);
    await passServed(stage, 'shop', 2 * HOUR);
    expect(stage.issuer.secrets('shop').map((each) => each.secretId)).toEqual([served]);
    expect(stage.issuer.count('createSecret')).toBe(2);
    expect((await stage.view('shop')).state).toBe('ok');
  });

  it('P5: a copy that is older than the whole cycle, with rotations in flight in it, does no harm', async () => {
    const stage = await beforeRenewal();
    await stage.start();
    await stage.pass(5000, 5000);
    const inFlight = stage.ledger.snapshot();
    expect(inFlight.rotations.map((each) => each.state)).toContain('verified');
    await passServed(stage, 'shop', 3 * HOUR);
    expect(stage.issuer.secrets('shop')).toHaveLength(1);
    stage.crash();
    stage.ledger = MemoryLedger.from(inFlight);
    await stage.start();
    await passServed(stage, 'shop', 2 * HOUR);
    expect(stage.issuer.secrets('shop')).toHaveLength(1);
    expect(stage.issuer.count('createSecret')).toBe(2);
    expect((await stage.view('shop')).state).toBe('ok');
    expect((await stage.rotations('shop')).map((each) => each.state)).toEqual(['done', 'done']);
  });
});

describe('an endless crash loop that loses the ledger each time', () => {
  for (const provisional of [DAY, 30 * MINUTE]) {
    it(`P12: creations and live secrets stay bounded, provisional life ${provisional / HOUR} h`, async () => {
      const stage = new Stage({ policy: { ...SHORT, provisional, lifetime: 90 * DAY, renewBefore: 30 * DAY } });
      stage.issuer.addCredential('shop');
      await stage.start();
      await stage.pass(HOUR);
      stage.crash();
      await stage.pass(60 * DAY, 30 * DAY);
      stage.issuer.onApplied('createSecret', () => {
        stage.crash();
      });
      for (let loop = 0; loop < 3 * 24 * 4; loop += 1) {
        stage.ledger = new MemoryLedger();
        await stage.start();
        await stage.pass(15 * MINUTE);
        expect(created(stage, DAY), `loop ${loop}: creations of the last day`).toBeLessThanOrEqual(4);
        expect(alive(stage), `loop ${loop}: live secrets`).toBeLessThanOrEqual(5);
        stage.crash();
      }
      expect(created(stage, 3 * DAY)).toBeGreaterThan(3);
      expect(await stage.allServedAlive('shop')).toBe(true);
    });
  }

  it('P12: an urgent one may have one creation a day and one live secret more, and gets through in the end', async () => {
    const stage = new Stage({ policy: { ...SHORT, provisional: DAY, lifetime: 90 * DAY, renewBefore: 30 * DAY } });
    stage.issuer.addCredential('shop');
    await stage.start();
    await stage.pass(HOUR);
    stage.crash();
    let crashing = true;
    stage.issuer.onApplied('createSecret', () => {
      if (crashing) stage.crash();
    });
    await stage.pass(89.5 * DAY, DAY);
    for (let loop = 0; loop < 24 * 4; loop += 1) {
      stage.ledger = new MemoryLedger();
      await stage.start();
      await stage.pass(15 * MINUTE);
      expect(created(stage, DAY), `loop ${loop}`).toBeLessThanOrEqual(5);
      expect(alive(stage), `loop ${loop}`).toBeLessThanOrEqual(6);
      stage.crash();
    }
    crashing = false;
    await stage.start();
    await stage.pass(2 * DAY, HOUR);
    expect(await stage.allServedAlive('shop')).toBe(true);
    expect((await stage.view('shop')).state).toBe('ok');
    expect(stage.issuer.secrets('shop')).toHaveLength(1);
  });
});

/** Down, with a served secret of generation 1 that is to be renewed now. */

/** Through a renewal and a retirement, in which the n-th commit fails. */
async function commitsOf(failing: number | null) {
  const stage = await beforeRenewal();
  let count = 0;
  stage.ledger.faults.beforeCommit = () => {
    count += 1;
    if (failing === count - 1) throw new LedgerError('the disk is full');
  };
  await stage.start();
  await passServed(stage, 'shop', HOUR + 20 * MINUTE);
  return { stage, count };
}

function countChanges(stage: Stage): number {
  const changes = ['createSecret', 'updateSecret', 'deleteSecret'] as const;
  return changes.map((each) => stage.issuer.count(each)).reduce((total, each) => total + each, 0);
}

function alive(stage: Stage): number {
  return stage.issuer.secrets('shop').filter((each) => each.expires === null || each.expires > stage.clock.now())
    .length;
}
