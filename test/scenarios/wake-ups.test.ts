import { expect, it } from 'vitest';
import type { Policy } from '../../src/config/settings.ts';
import { IssuerError, LedgerError } from '../../src/domain/errors.ts';
import { DAY, HOUR, MINUTE, SECOND } from '../../src/domain/time.ts';
import type { Duration } from '../../src/domain/time.ts';
import { Stage } from './stage.ts';

const KEY = { issuer: 'data8', clientId: 'shop' };
const PERIOD = 59 * MINUTE;

it('P3: what the ledger cut off in mid-rotation is begun again soon, not with the next scan', async () => {
  const stage = await cutOffStage();
  const scans = stage.events('scan-finished').length;
  await stage.pass(10 * MINUTE, SECOND);
  expect(stage.events('rotation-settled')).toHaveLength(1);
  expect(stage.issuer.count('createSecret')).toBe(2);
  expect(stage.issuer.secrets('shop')).toHaveLength(1);
  expect(stage.events('scan-finished'), 'no scan came by').toHaveLength(scans);
  await stage.stop();
});

it('P3: while nothing can be kept, issuer and vaults are left alone between two scans, and it is told ever less', async () => {
  const stage = await cutOffStage();
  stage.ledger.faults.beforeCheck = () => {
    throw new LedgerError('the disk is full');
  };
  const calls = stage.issuer.calls.length;
  await stage.pass(20 * MINUTE, MINUTE);
  expect(stage.issuer.calls.length).toBe(calls);
  const failed = stage.events('visit-failed').length;
  expect(failed).toBeGreaterThan(5);
  expect(failed).toBeLessThan(12);
  delete stage.ledger.faults.beforeCheck;
  await stage.pass(HOUR, MINUTE);
  expect(stage.events('rotation-settled')).toHaveLength(1);
  await stage.stop();
});

it('a date that lay behind the next scan is kept after it, and after a start', async () => {
  const stage = stageOf();
  await stage.start();
  await stage.pass(HOUR, MINUTE);
  await stage.daemon.rotate(KEY, { note: null, grace: null, actor: 'test' });
  await stage.pass(5 * MINUTE, MINUTE);
  expect(stage.events('rotation-settled')).toHaveLength(2);
  const due = (await stage.ledger.credential(KEY))?.dueAt ?? 0;
  expect(due - stage.ports.clock.now()).toBeGreaterThan(2 * HOUR);
  await stage.pass(HOUR, MINUTE);
  // timers are lost with the process, dates are not
  await stage.stop();
  await stage.start();
  await stage.pass(due - stage.ports.clock.now() - SECOND, MINUTE);
  expect(stage.events('secret-retired')).toHaveLength(0);
  await stage.pass(MINUTE, SECOND);
  expect(stage.events('secret-retired')).toHaveLength(1);
  await stage.stop();
});

it('a date is kept while the scans that were to find it cannot list', async () => {
  const stage = stageOf();
  await stage.start();
  await stage.pass(HOUR, MINUTE);
  await stage.daemon.rotate(KEY, { note: null, grace: null, actor: 'test' });
  await stage.pass(5 * MINUTE, MINUTE);
  const due = (await stage.ledger.credential(KEY))?.dueAt ?? 0;
  expect(due - stage.ports.clock.now()).toBeGreaterThan(2 * HOUR);
  stage.issuer.listCredentials = () =>
    Promise.reject(new IssuerError('unavailable', '503', { issuer: 'data8', operation: 'list-credentials' }));
  await stage.pass(due - stage.ports.clock.now() + MINUTE, MINUTE);
  expect(stage.events('scan-failed').length).toBeGreaterThan(1);
  expect(stage.events('secret-retired')).toHaveLength(1);
  await stage.stop();
});

it('a date is kept that passes while the list of the scan that was to find it fails slowly', async () => {
  const stage = await rotatedBeforeScan(PERIOD + MINUTE);
  const { clock } = stage.ports;
  const due = (await stage.ledger.credential(KEY))?.dueAt ?? 0;
  expect(due % PERIOD, 'soon after a scan begins').toBeLessThan(MINUTE);
  await stage.pass(MINUTE, SECOND);
  stage.issuer.listCredentials = async () => {
    await clock.sleep(2 * MINUTE);
    throw new IssuerError('unavailable', '503', { issuer: 'data8', operation: 'list-credentials' });
  };
  await stage.pass(due - clock.now() + 3 * MINUTE, SECOND);
  expect(stage.events('scan-failed')).toHaveLength(1);
  expect(stage.events('secret-retired')).toHaveLength(1);
  await stage.stop();
});

it('P10: a date is kept that was left to a scan which is skipped', async () => {
  const stage = await rotatedBeforeScan(40 * MINUTE);
  const { clock } = stage.ports;
  const list = stage.issuer.listSecrets.bind(stage.issuer);
  stage.issuer.listSecrets = async (clientId) => {
    if (clientId === 'slow') await clock.sleep(MINUTE);
    return list(clientId);
  };
  stage.issuer.addCredential('slow');
  stage.daemon.scan();
  await stage.pass(MINUTE, SECOND);
  expect(stage.events('scan-skipped')).toHaveLength(1);
  const scans = stage.events('scan-finished').length;
  await stage.pass(41 * MINUTE, MINUTE);
  expect(stage.events('secret-retired')).toHaveLength(1);
  expect(stage.events('scan-finished').length, 'but for the one that was running').toBeLessThanOrEqual(scans + 1);
  await stage.stop();
});

/** What a rotation replaced is in its grace, and the next scan begins within half a minute. */
async function rotatedBeforeScan(grace: Duration): Promise<Stage> {
  const stage = stageOf({ grace });
  await stage.start();
  await stage.pass(2 * PERIOD - (stage.ports.clock.now() % PERIOD) - 30 * SECOND, MINUTE);
  await stage.daemon.rotate(KEY, { note: null, grace: null, actor: 'test' });
  await stage.pass(15 * SECOND, SECOND);
  expect(stage.events('rotation-settled')).toHaveLength(2);
  return stage;
}

/** One credential that is served in one place, by a daemon that scans hardly more than once an hour. */
function stageOf(policy: Partial<Policy> = {}): Stage {
  const stage = new Stage({
    schedule: '*/59 * * * *',
    vaults: ['a'],
    policy: {
      lifetime: 8 * DAY,
      renewBefore: DAY,
      grace: 2 * HOUR + 20 * MINUTE,
      verify: { method: 'token', timeout: HOUR, settle: 0 },
      ...policy,
    },
  });
  stage.issuer.addCredential('shop');
  return stage;
}

/** Its first secret is made and not accepted yet, and just then the ledger fails once. */
async function cutOffStage(): Promise<Stage> {
  const stage = stageOf();
  stage.issuer.behaviour.acceptDelay = 2 * MINUTE;
  await stage.start();
  expect(stage.events('secret-created')).toHaveLength(1);
  stage.ledger.failNextCommit();
  for (let left = 60; left > 0 && stage.events('visit-failed').length === 0; left -= 1)
    await stage.pass(SECOND, SECOND);
  expect(stage.events('visit-failed')).toHaveLength(1);
  return stage;
}
