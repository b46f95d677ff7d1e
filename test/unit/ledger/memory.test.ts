import { describe, expect, it } from 'vitest';
import { LedgerError } from '../../../src/domain/errors.ts';
import { MemoryLedger } from '../../../src/ledger/memory.ts';
import { sampleCredential, sampleRotation } from './sample-records.ts';

describe('what the memory ledger does for tests', () => {
  it('fails the next commit, stores nothing of it, and goes on', async () => {
    const ledger = new MemoryLedger();
    ledger.failNextCommit();
    await expect(ledger.commit({ credentials: [sampleCredential()] })).rejects.toThrow(LedgerError);
    expect(await ledger.credential(sampleCredential())).toBeNull();
    expect(await ledger.commit({ credentials: [sampleCredential()] })).toBe(true);
  });

  it('fails when it is told, before or after a commit is stored, and sees what was asked', async () => {
    const ledger = new MemoryLedger();
    const crash = new Error('crash');
    ledger.faults.beforeCommit = ({ rotations }) => {
      if (rotations?.[0]?.state === 'created') throw crash;
    };
    expect(await ledger.commit({ rotations: [sampleRotation()] })).toBe(true);
    await expect(ledger.commit({ rotations: [sampleRotation({ version: 1, state: 'created' })] })).rejects.toBe(crash);
    expect(await ledger.rotation(sampleRotation().id)).toMatchObject({ version: 1 });

    delete ledger.faults.beforeCommit;
    ledger.faults.afterCommit = () => {
      throw crash;
    };
    await expect(ledger.commit({ rotations: [sampleRotation({ version: 1, state: 'created' })] })).rejects.toBe(crash);
    expect(await ledger.rotation(sampleRotation().id)).toMatchObject({ version: 2, state: 'created' });
  });

  it('fails notes and checks when it is told', async () => {
    const ledger = new MemoryLedger();
    const full = new LedgerError('the disk is full');
    ledger.faults.beforeNote = ledger.faults.beforeCheck = () => {
      throw full;
    };
    await expect(ledger.check()).rejects.toBe(full);
    await expect(ledger.putNote('pause', { version: 0, value: 1 })).rejects.toBe(full);
    expect(await ledger.note('pause')).toBeNull();
  });
});
