import { afterEach, expect, it } from 'vitest';
import { LedgerError } from '../../src/domain/errors.ts';
import { HOUR, MINUTE } from '../../src/domain/time.ts';
import { Stage } from './stage.ts';

const unhandled: unknown[] = [];
const note = (error: unknown) => void unhandled.push(error);
afterEach(() => void process.off('unhandledRejection', note));

it('P3: a ledger that cannot be read when something is due between two scans ends nothing', async () => {
  process.on('unhandledRejection', note);
  // looks fail, so that the next one is due minutes later, before the next scan
  const stage = new Stage({ schedule: '*/59 * * * *' });
  stage.issuer.addCredential('shop');
  stage.issuer.fault('listSecrets', 500, { times: 100 });
  await stage.start();
  expect((await stage.view('shop')).state).toBe('failing');
  stage.ledger.faults.beforeCommit = () => {
    throw new LedgerError('disk full');
  };
  const read = stage.ledger.credential.bind(stage.ledger);
  stage.ledger.credential = () => Promise.reject(new LedgerError('disk full'));
  await stage.pass(10 * MINUTE, MINUTE);
  expect(stage.events('visit-failed').length).toBeGreaterThan(0);
  stage.ledger.credential = read;
  delete stage.ledger.faults.beforeCommit;
  stage.issuer.heal();
  await stage.pass(3 * HOUR, 10 * MINUTE);
  expect(await stage.allServedAlive('shop')).toBe(true);
  expect(unhandled).toEqual([]);
  await stage.stop();
});
