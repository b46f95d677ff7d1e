import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Ledger } from '../../src/ledger/contract.ts';
import { NOW } from '../unit/ledger/sample-records.ts';
import { collect } from './ledger-reading.ts';
import { describeCommits } from './ledger-suite-commits.ts';
import { describeCredentials } from './ledger-suite-credentials.ts';
import { describeRotations } from './ledger-suite-rotations.ts';
import type { LedgerUnderTest } from './ledger-under-test.ts';

/** What every ledger must do. A new one calls this in a test file of its own. */
export function describeLedger(name: string, make: () => Promise<LedgerUnderTest>): void {
  describe(`ledger ${name}`, () => {
    let under: LedgerUnderTest;
    let ledger: Ledger;

    beforeEach(async () => {
      under = await make();
      ledger = under.ledger;
    });
    afterEach(() => under.dispose());

    describeCommits(() => under);
    describeCredentials(() => under);
    describeRotations(() => under);

    it('starts empty', async () => {
      expect(ledger.setAside).toBeNull();
      expect(await ledger.credential({ issuer: 'data8', clientId: 'client-a' })).toBeNull();
      expect(await ledger.rotation('none')).toBeNull();
      expect(await ledger.note('none')).toBeNull();
      expect(await collect(ledger.headers('data8'))).toEqual([]);
      expect(await ledger.credentials({}, 10, null)).toEqual({ items: [], nextCursor: null });
      expect(await ledger.rotations({}, 10, null)).toEqual({ items: [], nextCursor: null });
      expect(await ledger.countsByState()).toEqual([]);
      expect(await ledger.inFlight()).toEqual([]);
      expect(await ledger.relevantRotations({ issuer: 'data8', clientId: 'client-a' }, 0)).toEqual([]);
      expect(await ledger.startedSince(0)).toBe(0);
      expect(await ledger.prune(NOW)).toBe(0);
    });

    it('check passes, again and again, and leaves no record behind', async () => {
      for (let round = 0; round < 3; round += 1) await ledger.check();
      expect(await ledger.credentials({}, 10, null)).toEqual({ items: [], nextCursor: null });
      expect(await ledger.rotations({}, 10, null)).toEqual({ items: [], nextCursor: null });
    });

    it('can be closed twice', async () => {
      await ledger.close();
      await ledger.close();
    });
  });
}
