import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Ledger } from '../../../src/ledger/contract.ts';
import { sampleCredential } from './sample-records.ts';
import { SqliteFixture } from './sqlite-fixture.ts';

let fixture: SqliteFixture;
beforeEach(() => {
  fixture = new SqliteFixture();
});
afterEach(() => fixture.dispose());

const countOf = async (ledger: Ledger, state: string): Promise<number> =>
  (await ledger.countsByState()).find((each) => each.state === state)?.count ?? 0;

describe('counts by state, which are kept', () => {
  it('follow what this process writes, and what it failed to write', async () => {
    const ledger = await fixture.open();
    expect(await ledger.countsByState()).toEqual([]);
    await ledger.commit({ credentials: [sampleCredential()] });
    expect(await countOf(ledger, 'ok')).toBe(1);
    await ledger.commit({ credentials: [sampleCredential({ version: 1, state: 'failing' })] });
    expect([await countOf(ledger, 'ok'), await countOf(ledger, 'failing')]).toEqual([0, 1]);
    // the second of two does not fit: neither is stored
    const two = [sampleCredential({ version: 2 }), sampleCredential({ clientId: 'other', version: 7 })];
    expect(await ledger.commit({ credentials: two })).toBe(false);
    expect([await countOf(ledger, 'ok'), await countOf(ledger, 'failing')]).toEqual([0, 1]);
    await ledger.check();
    expect(await countOf(ledger, 'failing')).toBe(1);
  });

  it('follow what another process writes', async () => {
    const ledger = await fixture.open();
    const other = await fixture.open();
    await ledger.commit({ credentials: [sampleCredential()] });
    expect([await countOf(ledger, 'ok'), await countOf(other, 'ok')]).toEqual([1, 1]);
    await other.commit({ credentials: [sampleCredential({ clientId: 'b' }), sampleCredential({ clientId: 'c' })] });
    expect([await countOf(ledger, 'ok'), await countOf(other, 'ok')]).toEqual([3, 3]);
  });
});
