import { describe, expect, it } from 'vitest';
import { DAY, HOUR } from '../../src/domain/time.ts';
import { reconfigure, renew, servingStage, SHOP } from './scene.ts';
import { SHORT } from './short-lives.ts';
import { scraped } from './scraped.ts';
import { DEFAULT_POLICY, ruleFor, Stage } from './stage.ts';

const RULED = ['in-grace', 'paused', 'asleep', 'ignored'];

describe('I18: a credential that was deleted at the issuer', () => {
  it('costs a look or two a resync, not one a scan, whatever its rule says', async () => {
    const stage = await ofEveryKind();
    for (const clientId of [...RULED, 'stranger']) stage.issuer.removeCredential(clientId);
    await stage.pass(DAY, HOUR);
    const before = await versions(stage);
    await stage.pass(3 * DAY, HOUR);
    const after = await versions(stage);
    for (const clientId of after.keys()) {
      const looks = (after.get(clientId) ?? 0) - (before.get(clientId) ?? 0);
      expect(looks, clientId).toBeGreaterThan(0);
      expect(looks, clientId).toBeLessThanOrEqual(7);
    }
    expect((await stage.view('in-grace')).reason).toBe('credential-gone');
  });

  it('has no expiry, renewal or destination in the metrics, and raises no alert on them; it is counted as blocked', async () => {
    const stage = await servingStage();
    await renew(stage);
    expect((await scraped(stage)).filter((line) => line.includes('credential="shop"'))).not.toEqual([]);
    stage.issuer.removeCredential('shop');
    await stage.pass(100 * DAY, DAY);
    const lines = await scraped(stage);
    expect(lines.filter((line) => line.includes('credential="shop"'))).toEqual([]);
    expect(lines).toContain('rekeyd_credentials{issuer="data8",state="blocked"} 1');
    expect(lines).toContain('rekeyd_retirements_blocked{issuer="data8"} 0');
  });

  it.each([
    ['no rule names it any more', [], 'unmanaged'],
    ['a rule says ignore', [ruleFor(DEFAULT_POLICY, ['a'], 'shop', { ignore: true })], 'ignored'],
  ] as const)('makes no job fail once %s', async (_name, rules, state) => {
    const stage = await servingStage();
    stage.issuer.removeCredential('shop');
    await stage.pass(HOUR);
    const unwell = async () => (await stage.clock.until(stage.open().once({ limit: null, only: null }))).unwell;
    expect(await unwell()).toMatchObject([{ clientId: 'shop', reason: 'credential-gone' }]);
    await reconfigure(stage, { rules });
    await stage.pass(HOUR);
    expect((await stage.view('shop')).state).toBe(state);
    expect(await unwell()).toEqual([]);
  });

  it('is served again within two scans where the list has it again, long before its full look', async () => {
    const stage = await servingStage({ resync: 10 * DAY });
    const truly = stage.issuer.listCredentials.bind(stage.issuer);
    stage.issuer.listCredentials = async () => (await truly()).slice(1);
    await stage.pass(HOUR);
    expect((await stage.view('shop')).reason).toBe('credential-gone');
    stage.issuer.listCredentials = truly;
    await stage.pass(HOUR / 2);
    expect(await stage.view('shop')).toMatchObject({ state: 'ok', current: { secretId: '1' } });
  });
});

describe('an issuer that the configuration does not name any more', () => {
  it('is in no metric, and makes no job fail', async () => {
    const stage = await servingStage();
    const served = await stage.ledger.credential(SHOP);
    if (served === null) throw new Error('nothing is stored');
    const old = { ...served, version: 0, issuer: 'old', state: 'blocked', reason: 'entry-foreign' } as const;
    await stage.ledger.commit({ credentials: [old, { ...old, clientId: 'failing', state: 'failing' }] });
    await stage.pass(DAY, HOUR);
    expect((await scraped(stage)).filter((line) => line.includes('old'))).toEqual([]);
    await stage.stop();
    const { unwell } = await stage.clock.until(stage.open().once({ limit: null, only: null }));
    expect(unwell).toEqual([]);
    // it is remembered, should its name come back
    expect((await stage.ledger.credential(old))?.destinations).toHaveLength(2);
  });
});

/** One of each kind that is looked at in its own way, each with a secret; full looks are half a day apart. */
async function ofEveryKind(): Promise<Stage> {
  const stage = new Stage({
    policy: { ...SHORT, lifetime: 90 * DAY, renewBefore: 30 * DAY },
    resync: 12 * HOUR,
    rules: (policy) => [
      ruleFor(policy, ['a'], 'ignored', { ignore: true }),
      ruleFor(policy, ['a'], 'asleep', { suspend: true }),
      ...['in-grace', 'paused'].map((clientId) => ruleFor(policy, ['a'], clientId)),
    ],
  });
  for (const clientId of [...RULED, 'stranger']) {
    stage.issuer.addCredential(clientId);
    stage.issuer.addSecret(clientId, { expires: stage.clock.now() + 40 * DAY }, DAY);
  }
  await stage.start();
  await stage.pass(HOUR);
  await stage.daemon.pause(key('paused'), { until: null, note: null, actor: 'test' });
  await stage.daemon.rotate(key('in-grace'), { note: null, grace: null, actor: 'test' });
  await stage.pass(HOUR / 2);
  expect((await stage.view('in-grace')).state).toBe('grace');
  return stage;
}

function key(clientId: string) {
  return { issuer: 'data8', clientId };
}

/** How often each record was stored. */
async function versions(stage: Stage): Promise<Map<string, number>> {
  const { items } = await stage.ledger.credentials({}, 100, null);
  return new Map(items.map(({ clientId, version }) => [clientId, version]));
}
