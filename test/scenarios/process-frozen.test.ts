import { describe, expect, it } from 'vitest';
import { HOUR, MINUTE, SECOND } from '../../src/domain/time.ts';
import type { Duration } from '../../src/domain/time.ts';
import { Life } from './mortal.ts';
import { beforeRenewal, MANY_CREATIONS, passServed, SHORT } from './short-lives.ts';
import type { Stage } from './stage.ts';

const METHODS = ['token', 'none'] as const;
const VERIFY = { timeout: MINUTE, settle: 10 * SECOND };

describe('one daemon, frozen', () => {
  it('P7: at any call of a retirement, while the old value is put back by hand: it is not deleted on the old proof', async () => {
    const calls = (await frozenRetirement(null)).calls;
    expect(calls).toBeGreaterThan(15);
    let kept = 0;
    for (let at = 0; at < calls; at += 1) {
      const { stage, life, old, where } = await frozenRetirement(at);
      if (stage.issuer.secrets('shop').some((each) => each.secretId === old)) {
        kept += 1;
        stage.vault('a').rollBack('shop');
        await passServed(stage, 'shop', 30 * MINUTE, where);
        life.thaw();
        await passServed(stage, 'shop', MINUTE, where);
        expect(
          stage.issuer.secrets('shop').map((each) => each.secretId),
          where,
        ).toContain(old);
      }
      await passServed(stage, 'shop', 30 * MINUTE, where);
      life.end();
    }
    expect(kept).toBeGreaterThan(5);
  });

  it('P7: at any call of a retirement: what was not sent is not taken for a deletion that failed', async () => {
    const { calls } = await frozenRetirement(null);
    for (let at = 0; at < calls; at += 1) {
      const { stage, life, old, where } = await frozenRetirement(at);
      await stage.pass(30 * MINUTE);
      life.thaw();
      await stage.pass(5 * MINUTE, MINUTE);
      expect(
        stage.issuer.secrets('shop').map((each) => each.secretId),
        where,
      ).not.toContain(old);
      const failed = stage.events('credential-state').filter(({ fields }) => fields['state'] === 'failing');
      expect(failed, where).toEqual([]);
      life.end();
    }
  });

  it.each(METHODS)(
    'P7: at any call of a renewal, while the new secret is deleted by hand, verified by %s: it is not written over a living one',
    async (method) => {
      const { calls } = await frozenRenewal(null, method);
      expect(calls).toBeGreaterThan(15);
      let gone = 0;
      for (let at = 0; at < calls; at += 1) {
        const { stage, life, where } = await frozenRenewal(at, method);
        await passServed(stage, 'shop', 15 * MINUTE, where);
        const [, fresh] = stage.issuer.secrets('shop').map((each) => each.secretId);
        const holders = (): string[] =>
          ['a', 'b'].filter((vault) => stage.vault(vault).peek('shop')?.mark?.secretId === fresh);
        if (fresh !== undefined && holders().length === 0) {
          gone += 1;
          stage.issuer.removeSecret('shop', fresh);
          await passServed(stage, 'shop', 15 * MINUTE, where);
          life.thaw();
          await passServed(stage, 'shop', HOUR, where, SECOND);
        } else life.thaw();
        await passServed(stage, 'shop', 3 * HOUR, where);
        expect(stage.issuer.secrets('shop'), `${where}: no orphan stays`).toHaveLength(1);
        life.end();
      }
      expect(gone).toBeGreaterThan(5);
    },
  );

  it('P7: at any call of a repair, while the secret is deleted by hand: its value is not copied to where it lacks', async () => {
    const { calls, fresh: copied, stage: repaired } = await frozenRepair(null);
    expect(repaired.vault('b').peek('shop')?.mark?.secretId).toBe(copied);
    let gone = 0;
    for (let at = 0; at < calls; at += 1) {
      const { stage, life, fresh, where } = await frozenRepair(at);
      if (stage.vault('b').peek('shop')?.mark?.secretId !== fresh) {
        gone += 1;
        stage.issuer.removeSecret('shop', fresh);
        await stage.pass(30 * MINUTE);
        const written = stage.vault('b').history('shop').length;
        life.thaw();
        await stage.pass(4 * HOUR, 10 * MINUTE);
        const since = stage.vault('b').history('shop').slice(written);
        expect(
          since.map(({ mark }) => mark?.secretId),
          where,
        ).not.toContain(fresh);
        expect(await stage.allServedAlive('shop'), where).toBe(true);
      }
      life.end();
    }
    expect(gone).toBeGreaterThan(5);
  });
});

/** A daemon that is frozen at a call after its start, when the grace of the old secret is just over. */
async function frozenRetirement(at: number | null) {
  const stage = await beforeRenewal(MANY_CREATIONS);
  await stage.start();
  await stage.pass(HOUR - MINUTE, 10 * MINUTE);
  stage.crash();
  await stage.pass(10 * MINUTE);
  const [old] = stage.issuer.secrets('shop').map((each) => each.secretId);
  return { ...(await startFrozen(stage, at, 0)), old };
}

/** A daemon that is frozen at a call after its start, when one of two places was rolled back to a secret in its grace. */
async function frozenRepair(at: number | null) {
  const stage = await beforeRenewal(MANY_CREATIONS);
  await stage.start();
  await stage.pass(HOUR - MINUTE, 10 * MINUTE);
  stage.crash();
  stage.vault('b').rollBack('shop');
  await stage.pass(10 * MINUTE);
  const fresh = stage.vault('a').peek('shop')?.mark?.secretId ?? '';
  return { ...(await startFrozen(stage, at, 5 * MINUTE)), fresh };
}

/** A daemon that is frozen at a call after its start, when a renewal is due. */
async function frozenRenewal(at: number | null, method: (typeof METHODS)[number]) {
  const policy = { ...SHORT, verify: { ...VERIFY, method } };
  return startFrozen(await beforeRenewal({ ...MANY_CREATIONS, policy }), at, 5 * MINUTE);
}

async function startFrozen(stage: Stage, at: number | null, within: Duration) {
  const life = new Life();
  let name = 'nothing happened';
  life.onCall = (call, called) => {
    if (call !== at) return;
    name = called;
    life.freeze();
  };
  const started = stage.open(stage.ledger, life).start();
  await stage.clock.settle(8);
  if (at === null) await started;
  await stage.pass(within, SECOND);
  return { stage, life, calls: life.calls, where: `frozen at call ${at}, ${name}` };
}
