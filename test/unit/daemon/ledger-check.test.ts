import { describe, expect, it } from 'vitest';
import { LEDGER_CHECK_PERIOD, LedgerCheck } from '../../../src/daemon/ledger-check.ts';
import { LedgerError } from '../../../src/domain/errors.ts';
import { SECOND } from '../../../src/domain/time.ts';
import type { Duration } from '../../../src/domain/time.ts';
import { createManualPorts } from '../../fakes/manual-ports.ts';

const FULL = 'the disk is full';

/** A ledger whose write takes `takes` and fails while `isFull`, and the check over it. */
function setUp(takes: Duration = 0) {
  const { clock } = createManualPorts();
  const disk = { isFull: false, takes, writes: 0, underWay: 0, mostUnderWay: 0 };
  const check = async (): Promise<void> => {
    disk.writes += 1;
    disk.underWay += 1;
    disk.mostUnderWay = Math.max(disk.mostUnderWay, disk.underWay);
    if (disk.takes > 0) await clock.sleep(disk.takes);
    disk.underWay -= 1;
    if (disk.isFull) throw new LedgerError(FULL);
  };
  return { clock, disk, ledger: new LedgerCheck({ check }, clock) };
}

describe('S4: the write check of a ledger', () => {
  it('S4: answers all who ask at the same time by one write', async () => {
    const { clock, disk, ledger } = setUp(SECOND);
    const first = Array.from({ length: 500 }, () => ledger.problem());
    await clock.advance(SECOND / 2);
    const more = Array.from({ length: 500 }, () => ledger.problem());
    expect(new Set(await clock.until(Promise.all([...first, ...more])))).toEqual(new Set([null]));
    expect(disk.writes).toBe(1);
  });

  it.each([false, true])(
    'S4: writes no more than once a period, however often it is asked; disk full: %s',
    async (is) => {
      const { clock, disk, ledger } = setUp();
      disk.isFull = is;
      for (let asked = 0; asked < 10 * 100; asked += 1) {
        expect(await ledger.problem()).toBe(is ? FULL : null);
        await clock.advance(LEDGER_CHECK_PERIOD / 100);
      }
      expect(disk.writes).toBe(10);
    },
  );

  it('sees that the disk is full, and that it is not any more, within a period', async () => {
    const { clock, disk, ledger } = setUp();
    for (const isFull of [true, false, true, false]) {
      expect(await ledger.problem()).toBe(isFull ? null : FULL);
      disk.isFull = isFull;
      await clock.advance(LEDGER_CHECK_PERIOD - 1);
      expect(await ledger.problem(), 'known until then').toBe(isFull ? null : FULL);
      await clock.advance(1);
      expect(await ledger.problem()).toBe(isFull ? FULL : null);
      await clock.advance(LEDGER_CHECK_PERIOD);
    }
  });

  it('S4: takes half of the time at most where the disk is slow, and only one write is under way', async () => {
    const { clock, disk, ledger } = setUp(5 * SECOND);
    for (let seconds = 0; seconds < 100; seconds += 1) {
      void ledger.problem();
      await clock.advance(SECOND);
    }
    expect(disk.writes).toBe(10);
    expect(disk.mostUnderWay).toBe(1);
  });
});
