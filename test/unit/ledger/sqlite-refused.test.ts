import { chmodSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LedgerError } from '../../../src/domain/errors.ts';
import type { Ledger } from '../../../src/ledger/contract.ts';
import { asAnotherUser } from './another-user.ts';
import { NOW, sampleCredential, sampleRotation } from './sample-records.ts';
import { SqliteFixture } from './sqlite-fixture.ts';

describe('a sqlite ledger that cannot be written', () => {
  let fixture: SqliteFixture;
  beforeEach(async () => {
    fixture = new SqliteFixture();
    const ledger = await fixture.open();
    const old = sampleRotation({ id: 'old', state: 'done', finishedAt: NOW - 1 });
    await ledger.commit({ credentials: [sampleCredential()], rotations: [old] });
    await ledger.close();
  });
  afterEach(() => fixture.dispose());

  /** Every way to write, each of which must fail alike. */
  const writes: Readonly<Record<string, (ledger: Ledger) => Promise<unknown>>> = {
    check: (ledger) => ledger.check(),
    commit: (ledger) =>
      ledger.commit({ credentials: [sampleCredential({ version: 1 })], rotations: [sampleRotation()] }),
    putNote: (ledger) => ledger.putNote('pause', { version: 0, value: 1 }),
    prune: (ledger) => ledger.prune(NOW),
  };

  it('P3: a read-only file is found by check, with what to do', async () => {
    chmodSync(fixture.path, 0o400);
    await asAnotherUser([fixture.path, dirname(fixture.path), fixture.folder], async () => {
      const ledger = await fixture.open();
      for (const write of Object.values(writes)) {
        await expect(write(ledger)).rejects.toThrow(LedgerError);
        await expect(write(ledger)).rejects.toThrow(/rekeyd\.db cannot be written: make the file, its -wal and -shm/);
      }
      // it can still be read
      expect(await ledger.credential(sampleCredential())).toMatchObject({ version: 1 });
      await ledger.close();
    });
  });

  it('P3: a folder that cannot be written is told at opening, with what to do', async () => {
    chmodSync(dirname(fixture.path), 0o500);
    await asAnotherUser([fixture.path, dirname(fixture.path), fixture.folder], async () => {
      await expect(fixture.open()).rejects.toThrow(/cannot be (opened|written)/);
    });
    chmodSync(dirname(fixture.path), 0o700);
  });

  it('P6: a file that another process keeps locked is told after the time-out, and works again afterwards', async () => {
    const ledger = await fixture.open();
    const other = new DatabaseSync(fixture.path);
    other.exec('BEGIN IMMEDIATE');
    try {
      await expect(ledger.check()).rejects.toThrow(/was locked by another process for longer than 5 s: see which one/);
      // reading does not wait for a writer
      expect(await ledger.credential(sampleCredential())).toMatchObject({ version: 1 });
    } finally {
      other.exec('ROLLBACK');
      other.close();
    }
    await ledger.check();
    expect(await writes['commit']?.(ledger)).toBe(true);
  });

  it('P4: a record that is garbled inside a sound file is told, not quoted', async () => {
    const other = new DatabaseSync(fixture.path);
    other.exec(`UPDATE credential SET doc = '{"issuer": CANARY'`);
    other.close();
    const ledger = await fixture.open();
    const told = await ledger.credential(sampleCredential()).catch((error: unknown) => error);
    expect(told).toBeInstanceOf(LedgerError);
    expect(String(told)).toMatch(/is garbled: stop rekeyd and move the file away/);
    expect(String(told)).not.toContain('CANARY');
  });
});
