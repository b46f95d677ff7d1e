import { describe, expect, it } from 'vitest';
import { HOUR, MINUTE } from '../../src/domain/time.ts';
import type { PlanItem, PlanView } from '../../src/daemon/api.ts';
import { CLIENTS, countChanges, eventful, oldestOf, writesOf } from './eventful.ts';
import { SHORT } from './short-lives.ts';
import { Stage } from './stage.ts';

describe('plan and explain', () => {
  it('change nothing anywhere: not the ledger, the issuer, the vaults, nor what happens afterwards', async () => {
    const plain = await outcome(() => Promise.resolve());
    const asked = await outcome(async (stage) => {
      for (const daemon of [stage.daemon, stage.open()]) {
        const before = { ledger: stage.ledger.snapshot(), changes: countChanges(stage) };
        await daemon.plan();
        for (const clientId of CLIENTS) await daemon.explain({ issuer: 'data8', clientId });
        expect(stage.ledger.snapshot()).toEqual(before.ledger);
        expect(countChanges(stage)).toEqual(before.changes);
      }
    });
    expect(asked).toEqual(plain);
  });

  it('do not even write a ledger that knows nothing yet', async () => {
    const stage = new Stage({ policy: SHORT });
    stage.issuer.addCredential('shop');
    const empty = stage.ledger.snapshot();
    const planned = await stage.open().plan();
    expect(actionsOf(planned.items)).toEqual({ shop: ['issue destination-empty'] });
    expect(stage.ledger.snapshot()).toEqual(empty);
    expect(countChanges(stage)).toEqual({ issuer: 0, vaults: 0 });
  });

  it('agree with each other, and with what the next scan then does', async () => {
    const stage = await eventful();
    const daemon = stage.open();
    const { items, totals } = await daemon.plan();
    expect(actionsOf(items)).toEqual({
      'blocked-one': ['none entry-foreign'],
      empty: ['issue destination-empty'],
      expiring: ['issue expiring'],
      'half-empty': ['deliver destination-empty'],
      'in-grace': ['retire grace-over'],
      stripped: ['restore destination-drifted'],
      well: ['none up-to-date'],
    });
    expect(totals).toMatchObject({ issue: 2, deliver: 1, retire: 1, restore: 1, none: 2 });
    for (const clientId of CLIENTS) {
      const { action, reason, checks } = await daemon.explain({ issuer: 'data8', clientId });
      expect([`${action} ${reason}`], clientId).toEqual(actionsOf(items)[clientId]);
      const decided = checks.filter((each) => !['passed on', 'not reached'].includes(each.decided));
      expect(
        decided.map((each) => each.decided),
        clientId,
      ).toEqual([`${action}: ${reason}`]);
    }
    const grace = items.find((each) => each.clientId === 'in-grace');
    expect(grace?.secretIds).toEqual([oldestOf(stage, 'in-grace')]);
    const calls = stage.issuer.calls.length;
    const writes = writesOf(stage).length;
    await stage.start();
    await stage.pass(10 * MINUTE, MINUTE);
    const since = stage.issuer.calls.slice(calls);
    const created = since.filter((each) => each.operation === 'createSecret').map((each) => String(each.clientId));
    const deleted = since.filter((each) => each.operation === 'deleteSecret').map((each) => String(each.secretId));
    expect(created.sort()).toEqual(['empty', 'expiring']);
    expect(deleted).toEqual(grace?.secretIds);
    // two deliveries to each of two vaults, one copy, one mark
    expect(writesOf(stage).length - writes).toBe(6);
    expect(stage.vault('b').peek('half-empty')?.mark?.generation).toBe(1);
    expect(stage.vault('a').peek('stripped')?.mark?.generation).toBe(1);
  });

  it('say what waits for the hour’s limit, as the scan will', async () => {
    const stage = new Stage({ policy: SHORT, limits: { rotationsPerHour: 2 } });
    for (let each = 0; each < 5; each += 1) stage.issuer.addCredential(`client-${each}`);
    expect(countOf(await stage.open().plan())).toEqual({ 'issue destination-empty': 2, 'none paced': 3 });
    await stage.start();
    await stage.pass(5 * MINUTE, MINUTE);
    expect(stage.issuer.count('createSecret')).toBe(2);
    // another process, which learns of the hour from the ledger alone
    const later = await stage.open().plan();
    expect(countOf(later)).toEqual({ 'none up-to-date': 2, 'none paced': 3 });
    const waiting = later.items.find((each) => each.reason === 'paced');
    const [, first] = (await stage.ledger.rotations({}, 5, null)).items;
    expect(Date.parse(String(waiting?.dueAt))).toBe(Number(first?.startedAt) + HOUR);
  });

  it('name a deletion that comes later with its date, and one that waits with its reason', async () => {
    const stage = new Stage({ policy: SHORT });
    stage.issuer.addCredential('shop');
    await stage.start();
    await stage.pass(9 * HOUR + 20 * MINUTE);
    const view = await stage.view('shop');
    expect(view).toMatchObject({ state: 'grace', reason: 'grace-running' });
    const [none, item] = (await stage.daemon.plan()).items;
    expect(none).toMatchObject({ action: 'none', reason: 'up-to-date', dueAt: view.renewAt });
    const [rotation] = await stage.rotations('shop');
    expect(item).toMatchObject({ action: 'retire', reason: 'grace-running', dueAt: rotation?.deleteAfter });
    expect(item?.secretIds).toEqual([oldestOf(stage, 'shop')]);
    expect(item?.destinations.map((each) => each.vault)).toEqual(['a', 'b']);
    const { checks } = await stage.daemon.explain({ issuer: 'data8', clientId: 'shop' });
    expect(checks.find((each) => each.check === 'retirements')?.saw).toBe(
      `nothing to delete; secret ${oldestOf(stage, 'shop')} at ${rotation?.deleteAfter}, grace-running`,
    );
    stage.vault('b').goDown();
    await stage.pass(2 * HOUR);
    const [waiting] = (await stage.daemon.plan()).items.filter((each) => each.action === 'retire');
    expect(waiting).toMatchObject({ reason: 'destination-unproven', dueAt: null });
  });

  it('explain what would unblock a credential, and what was not reached', async () => {
    const stage = await eventful();
    const { checks } = await stage.open().explain({ issuer: 'data8', clientId: 'blocked-one' });
    const at = checks.findIndex((each) => each.decided === 'none: entry-foreign');
    expect(checks[at]?.unblock).not.toBe('');
    expect(checks.slice(0, at).every((each) => each.decided === 'passed on')).toBe(true);
    expect(checks.slice(at + 1).every((each) => each.decided === 'not reached')).toBe(true);
    const nobody = { issuer: 'data8', clientId: 'nobody' };
    await expect(stage.open().explain(nobody)).rejects.toMatchObject({ kind: 'not-found' });
  });

  it('refuse to plan on an issuer that cannot be listed', async () => {
    const stage = await eventful();
    stage.issuer.fault('listCredentials', 503, { times: Number.POSITIVE_INFINITY });
    await expect(stage.open().plan()).rejects.toThrow('could not be listed');
  });
});

/** What is at the issuer some hours after `act`, and what calls that took. */
async function outcome(act: (stage: Stage) => Promise<void>): Promise<unknown> {
  const stage = await eventful();
  await stage.start();
  for (let quarter = 0; quarter < 12; quarter += 1) {
    await stage.pass(15 * MINUTE);
    await act(stage);
  }
  const secrets = CLIENTS.map((clientId) =>
    stage.issuer.secrets(clientId).map((each) => [each.secretId, Math.round(Number(each.expires) / MINUTE)]),
  );
  return { changes: countChanges(stage), secrets };
}

function actionsOf(items: readonly PlanItem[]): Record<string, string[]> {
  const actions: Record<string, string[]> = {};
  for (const { clientId, action, reason } of items) (actions[clientId] ??= []).push(`${action} ${reason}`);
  return actions;
}

function countOf({ items }: PlanView): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { action, reason } of items) {
    const what = `${action} ${reason}`;
    counts[what] = (counts[what] ?? 0) + 1;
  }
  return counts;
}
