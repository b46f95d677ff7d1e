import { describe, expect, it } from 'vitest';
import type { CredentialState } from '../../src/domain/credential-state.ts';
import { DAY, HOUR, MINUTE, SECOND } from '../../src/domain/time.ts';
import { pause, settled, untilState } from './pause-scene.ts';
import { scraped } from './scraped.ts';
import { ruleFor } from './stage.ts';
import type { Stage } from './stage.ts';

const OTHERS = ['one', 'three', 'two'];

/** `ignored` is left alone, `stray` has no rule; the rest is served. No look comes by itself. */
async function still(): Promise<Stage> {
  const rules = (policy: Parameters<typeof ruleFor>[0]) => [
    ruleFor(policy, [], 'ignored', { ignore: true }),
    ...['shop', ...OTHERS].map((each) => ruleFor(policy, ['a', 'b'], each)),
  ];
  const stage = await settled([...OTHERS, 'ignored', 'stray'], { rules, resync: DAY, schedule: '*/60 * * * *' });
  await stage.pass(HOUR);
  return stage;
}

type Page = Awaited<ReturnType<Stage['daemon']['credentials']>>;
const names = ({ items }: Page): string[] => items.map((each) => each.clientId);

/** By state, over all pages of two after a cursor. */
async function rest(stage: Stage, state: CredentialState, after: string | null): Promise<string[]> {
  const found: string[] = [];
  for (let cursor = after; cursor !== null;) {
    const page = await stage.clock.until(stage.daemon.credentials({ state }, 2, cursor));
    found.push(...names(page));
    cursor = page.nextCursor;
  }
  return found;
}

async function listed(stage: Stage, state: CredentialState): Promise<string[]> {
  const page = await stage.clock.until(stage.daemon.credentials({ state }, 2, null));
  for (const item of page.items) expect(item.state).toBe(state);
  expect(page.items.length, 'an empty page is the last one').toBeGreaterThan(page.nextCursor === null ? -1 : 0);
  return [...names(page), ...(await rest(stage, state, page.nextCursor))];
}

describe('a pause of everything', () => {
  it('shows at once: in lists by state, in the counts, and in single views', async () => {
    const stage = await still();
    expect(await listed(stage, 'ok')).toEqual(['one', 'shop', 'three', 'two']);
    await stage.daemon.pause(null, pause());
    expect(await listed(stage, 'paused')).toEqual(['one', 'shop', 'three', 'two']);
    expect(await listed(stage, 'ok')).toEqual([]);
    expect(await listed(stage, 'ignored')).toEqual(['ignored']);
    expect(await listed(stage, 'unmanaged')).toEqual(['stray']);
    expect((await stage.daemon.credentials({}, 100, null)).items).toHaveLength(6);
    const { credentials } = await stage.daemon.status();
    expect(credentials).toMatchObject({ ok: 0, paused: 4, ignored: 1, unmanaged: 1 });
    expect(await stage.view('shop')).toMatchObject({ state: 'paused', reason: 'paused' });

    await stage.daemon.resume(null, 'test');
    expect(await listed(stage, 'ok')).toEqual(['one', 'shop', 'three', 'two']);
    expect((await stage.daemon.status()).credentials).toMatchObject({ ok: 4, paused: 0 });
  });

  it('puts off the date of a deletion that is shown, once it is over, and the deletion is not told as late', async () => {
    const stage = await settled();
    await untilState(stage, 'grace');
    const [old] = (await stage.view('shop')).secrets;
    const stored = Date.parse(old?.deleteAfter ?? '');
    await stage.daemon.pause(null, pause());
    await stage.pass(2 * HOUR);
    await stage.daemon.resume(null, 'test');
    const shown = (await stage.view('shop')).secrets.find(({ secretId }) => secretId === old?.secretId);
    expect(Date.parse(shown?.deleteAfter ?? '') - stored).toBe(2 * HOUR);
    expect(stage.clock.now()).toBeGreaterThan(stored);
    expect((await stage.rotations('shop'))[0]?.deleteAfter).toBe(shown?.deleteAfter);
    expect(await scraped(stage)).toContain('rekeyd_retirements_blocked{issuer="data8"} 0');
    const { items } = await stage.daemon.forecast(1, 100);
    expect(items.find(({ secretId }) => secretId === old?.secretId)?.at).toBe(shown?.deleteAfter);
    const plan = await stage.daemon.plan();
    expect(plan.items.find(({ secretIds }) => secretIds.includes(old?.secretId ?? ''))?.reason).toBe('grace-running');
  });

  it.each([
    ['is given an earlier end', 20 * HOUR],
    ['is given an end', null],
  ])('ends for those that were looked at in it, too, where it %s', async (_what, length) => {
    const stage = await settled(['other'], { resync: DAY });
    await stage.daemon.pause(null, pause({ until: length === null ? null : stage.clock.now() + length }));
    stage.vault('a').remove('shop');
    for (const clientId of ['shop', 'other']) await stage.daemon.resume({ issuer: 'data8', clientId }, 'test');
    await stage.pass(SECOND, SECOND);
    expect((await stage.ledger.countsByState()).map(({ state, count }) => [state, count])).toEqual([['paused', 2]]);
    await stage.daemon.pause(null, pause({ until: stage.clock.now() + 3 * SECOND }));
    stage.issuer.fault('listCredentials', 503);
    await stage.pass(15 * MINUTE);
    expect(stage.events('scan-failed')).toHaveLength(1);
    await stage.pass(15 * MINUTE);
    expect((await stage.daemon.status()).credentials).toMatchObject({ paused: 0, ok: 2 });
    expect(await stage.servedValue('a', 'shop')).toBe(await stage.servedValue('b', 'shop'));
    // once is enough
    const looked = stage.issuer.count('listSecrets');
    await stage.daemon.pause({ issuer: 'data8', clientId: 'other' }, pause());
    await stage.pass(SECOND, SECOND);
    const visits = stage.issuer.count('listSecrets') - looked;
    await stage.pass(HOUR);
    expect(stage.issuer.count('listSecrets') - looked).toBe(visits);
  });

  it('counts in the metrics at once', async () => {
    const stage = await still();
    await stage.daemon.pause(null, pause());
    const lines = await scraped(stage);
    expect(lines).toContain('rekeyd_credentials{issuer="data8",state="paused"} 4');
    expect(lines).toContain('rekeyd_credentials{issuer="data8",state="ok"} 0');
    expect(lines).toContain('rekeyd_credentials{issuer="data8",state="unmanaged"} 1');
  });

  it('breaks no listing by state that was begun before it, or within it', async () => {
    const stage = await still();
    const first = await stage.daemon.credentials({ state: 'ok' }, 2, null);
    await stage.daemon.pause(null, pause());
    expect([...names(first), ...(await rest(stage, 'ok', first.nextCursor))]).toEqual(['one', 'shop', 'three', 'two']);
    const within = await stage.daemon.credentials({ state: 'paused' }, 2, null);
    await stage.daemon.resume(null, 'test');
    const others = await rest(stage, 'paused', within.nextCursor);
    expect([...names(within), ...others]).toEqual(['one', 'shop', 'three', 'two']);
    await expect(stage.daemon.credentials({ state: 'paused' }, 2, 'p.nonsense')).rejects.toThrow(/cursor/i);
  });
});
