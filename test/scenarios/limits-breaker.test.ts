import { describe, expect, it } from 'vitest';
import { DAY, HOUR, MINUTE } from '../../src/domain/time.ts';
import { created, SHORT } from './short-lives.ts';
import { Stage } from './stage.ts';

const LONG = { ...SHORT, lifetime: 90 * DAY, renewBefore: 30 * DAY, grace: 14 * DAY, provisional: DAY };

describe('the breaker', () => {
  it('opens after so many different credentials in a row, is told, and lets one try after the cooldown', async () => {
    const stage = new Stage({
      policy: LONG,
      limits: { breaker: { failures: 3, cooldown: 30 * MINUTE }, concurrency: 1 },
      resync: 10 * DAY,
    });
    for (let each = 0; each < 12; each += 1) stage.issuer.addCredential(`client-${each}`);
    stage.issuer.fault('createSecret', 429, { times: Number.POSITIVE_INFINITY });
    await stage.start();
    await stage.pass(20 * MINUTE, MINUTE);
    expect(stage.events('breaker-opened')).toHaveLength(1);
    expect(stage.issuer.count('createSecret')).toBe(3);
    expect((await stage.daemon.status()).breakers).toMatchObject([{ issuer: 'data8', open: true }]);
    expect([(await stage.view('client-9')).state, (await stage.view('client-9')).reason]).toEqual([
      'due',
      'breaker-open',
    ]);
    await stage.pass(25 * MINUTE, MINUTE);
    // half open: one more failure opens it again
    expect(stage.issuer.count('createSecret')).toBe(4);
    expect(stage.events('breaker-opened')).toHaveLength(2);
    stage.issuer.heal();
    await stage.pass(2 * HOUR, MINUTE);
    expect(stage.events('breaker-closed')).toHaveLength(1);
    for (let each = 0; each < 12; each += 1) expect(await stage.allServedAlive(`client-${each}`)).toBe(true);
  });

  it('half open: one tries, the others wait until it is known how that went', async () => {
    const stage = new Stage({
      policy: LONG,
      limits: { breaker: { failures: 3, cooldown: 30 * MINUTE } },
      resync: 10 * DAY,
    });
    for (let each = 0; each < 20; each += 1) stage.issuer.addCredential(`client-${each}`);
    stage.issuer.behaviour.acceptDelay = 10 * DAY;
    await stage.start();
    await stage.pass(10 * MINUTE, MINUTE);
    const before = stage.issuer.count('createSecret');
    expect(stage.events('breaker-opened').length).toBeGreaterThan(0);
    await stage.pass(40 * MINUTE, MINUTE);
    expect(stage.issuer.count('createSecret')).toBe(before + 1);
    stage.issuer.behaviour.acceptDelay = 0;
    await stage.pass(3 * HOUR, MINUTE);
    for (let each = 0; each < 20; each += 1) expect(await stage.allServedAlive(`client-${each}`)).toBe(true);
  });

  it('I20: an extension that never takes is a failure of the issuer too: it opens, and the harm stays bounded', async () => {
    const stage = new Stage({
      policy: { ...LONG, provisional: HOUR },
      limits: { breaker: { failures: 3, cooldown: 12 * HOUR }, concurrency: 2 },
    });
    for (let each = 0; each < 40; each += 1) stage.issuer.addCredential(`client-${each}`);
    stage.issuer.behaviour.put = 'ignore';
    await stage.start();
    await stage.pass(10 * HOUR, 10 * MINUTE);
    expect(stage.events('breaker-opened').length).toBeGreaterThan(0);
    const before = stage.issuer.count('createSecret');
    await stage.pass(HOUR, 10 * MINUTE);
    expect(stage.issuer.count('createSecret')).toBe(before);
  });

  it('one credential that fails again and again does not open it; a vault that fails does not either', async () => {
    const stage = new Stage({ policy: LONG, limits: { breaker: { failures: 2, cooldown: HOUR } } });
    for (const clientId of ['one', 'two', 'three', 'four']) stage.issuer.addCredential(clientId);
    stage.issuer.fault('createSecret', 403, { times: Number.POSITIVE_INFINITY, clientId: 'one' });
    stage.vault('a').fail({ fault: 'unavailable', operations: ['deliver'] });
    await stage.start();
    await stage.pass(6 * HOUR);
    expect(stage.issuer.count('createSecret', 'one')).toBeGreaterThan(3);
    expect(stage.events('breaker-opened')).toEqual([]);
  });

  it('does not stop what is urgent, nor what a person asks for', async () => {
    const stage = new Stage({
      policy: LONG,
      limits: { breaker: { failures: 2, cooldown: 12 * HOUR }, concurrency: 1 },
    });
    for (const clientId of ['one', 'two']) stage.issuer.addCredential(clientId);
    await stage.start();
    await stage.pass(HOUR);
    for (const clientId of ['x', 'y', 'z']) stage.issuer.addCredential(clientId);
    stage.issuer.fault('createSecret', 429, { times: 2 });
    await stage.pass(HOUR);
    expect((await stage.daemon.status()).breakers[0]?.open).toBe(true);
    for (const { secretId } of stage.issuer.secrets('one')) stage.issuer.removeSecret('one', secretId);
    const asked = await stage.daemon.rotate(
      { issuer: 'data8', clientId: 'two' },
      { note: null, grace: null, actor: 'me' },
    );
    await stage.pass(10 * MINUTE, MINUTE);
    expect((await stage.daemon.rotation(asked.rotationId))?.state).toBe('grace');
    await stage.pass(80 * MINUTE, MINUTE);
    expect(await stage.allServedAlive('one')).toBe(true);
  });
});

describe('requests under a permanent fault', () => {
  const faults: [string, (stage: Stage) => void][] = [
    [
      'I6: 403 to every creation',
      (stage) => {
        stage.issuer.fault('createSecret', 403, { times: Number.POSITIVE_INFINITY });
      },
    ],
    [
      'I4: 503 to every creation',
      (stage) => {
        stage.issuer.fault('createSecret', 503, { times: Number.POSITIVE_INFINITY });
      },
    ],
    [
      'I3: 429 to every list of secrets',
      (stage) => {
        stage.issuer.fault('listSecrets', 429, { times: Number.POSITIVE_INFINITY });
      },
    ],
    [
      'I4: 503 to every list of credentials',
      (stage) => {
        stage.issuer.fault('listCredentials', 503, { times: Number.POSITIVE_INFINITY });
      },
    ],
    [
      'I14: a token endpoint that is silent',
      (stage) => {
        stage.issuer.fault('verify', 503, { times: Number.POSITIVE_INFINITY });
      },
    ],
    [
      'I20: PUT is ignored',
      (stage) => {
        stage.issuer.behaviour.put = 'ignore';
      },
    ],
    [
      'I4: 503 to every deletion',
      (stage) => {
        stage.issuer.fault('deleteSecret', 503, { times: Number.POSITIVE_INFINITY });
        stage.issuer.behaviour.acceptDelay = 10 * DAY;
      },
    ],
    [
      'V15: a vault that denies everything',
      (stage) => {
        stage.vault('a').deny();
      },
    ],
    [
      'V1: a vault that takes no delivery',
      (stage) => {
        stage.vault('a').fail({ fault: 'unavailable', operations: ['deliver'] });
      },
    ],
  ];
  for (const [name, break_] of faults) {
    it(`${name}: no tight loop`, async () => {
      const stage = new Stage({ policy: LONG });
      stage.issuer.addCredential('shop');
      stage.issuer.addSecret('shop', { expires: null }, DAY);
      break_(stage);
      await stage.start();
      await stage.pass(12 * HOUR);
      const calls = stage.issuer.calls.length + stage.vault('a').calls.length;
      await stage.pass(6 * HOUR);
      const perHour = (stage.issuer.calls.length + stage.vault('a').calls.length - calls) / 6;
      expect(perHour).toBeLessThan(100);
      expect(created(stage, DAY)).toBeLessThanOrEqual(name.includes('403') ? 40 : 4);
      expect((await stage.ledger.credential({ issuer: 'data8', clientId: 'shop' }))?.state ?? 'unknown').not.toBe('ok');
    });
  }
});
