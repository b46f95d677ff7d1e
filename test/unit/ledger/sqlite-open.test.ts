import {
  chmodSync,
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LedgerError } from '../../../src/domain/errors.ts';
import { sampleCredential, sampleRotation } from './sample-records.ts';
import { SqliteFixture } from './sqlite-fixture.ts';

const files = (path: string): string[] => readdirSync(dirname(path)).sort();

describe('opening a sqlite ledger', () => {
  let fixture: SqliteFixture;
  let path: string;
  beforeEach(() => {
    fixture = new SqliteFixture();
    path = fixture.path;
  });
  afterEach(() => fixture.dispose());

  /** A ledger with some pages of records, closed. */
  async function written(): Promise<void> {
    const ledger = await fixture.open();
    const ids = Array.from({ length: 300 }, (_, at) => `client-${at}`);
    await ledger.commit({
      credentials: ids.map((clientId) => sampleCredential({ clientId })),
      rotations: ids.map((id) => sampleRotation({ id, clientId: id })),
    });
    await ledger.close();
  }

  async function countOf(ledger: Awaited<ReturnType<SqliteFixture['open']>>): Promise<number> {
    return (await ledger.credentials({}, 1_000, null)).items.length;
  }

  it('S8: makes the file for its owner only, its -wal and -shm too, and the folders on the way', async () => {
    const ledger = await fixture.open();
    await ledger.commit({ credentials: [sampleCredential()] });
    expect(files(path)).toEqual(['rekeyd.db', 'rekeyd.db-shm', 'rekeyd.db-wal']);
    for (const file of files(path)) expect(statSync(join(dirname(path), file)).mode & 0o777).toBe(0o600);
    expect(statSync(dirname(path)).mode & 0o777).toBe(0o700);
    expect(fixture.told).toEqual([]);
  });

  it('S8: closes a file that others could read, and tells; a folder that all may write is told', async () => {
    await written();
    chmodSync(path, 0o644);
    chmodSync(dirname(path), 0o777);
    await fixture.open();
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(fixture.told).toEqual([
      { event: 'ledger-file-open', fields: { path, mode: '0644' } },
      { event: 'ledger-folder-open', fields: { path: dirname(path) } },
    ]);
  });

  it('keeps what was stored over a restart', async () => {
    await written();
    const ledger = await fixture.open();
    expect(ledger.setAside).toBeNull();
    expect(await countOf(ledger)).toBe(300);
    expect(fixture.told).toEqual([]);
  });

  it.each<[string, (path: string) => void]>([
    ['garbage', (file) => writeFileSync(file, 'not a database, whatever its name says '.repeat(500))],
    ['a text of a few bytes', (file) => writeFileSync(file, 'oops')],
    ['cut off in the middle', (file) => truncateSync(file, Math.floor(statSync(file).size / 2))],
    ['cut off at a page', (file) => truncateSync(file, 4_096 * 3)],
    ['its first page is zeros', (file) => overwrite(file, 0, Buffer.alloc(4_096))],
    ['pages in the middle are zeros', (file) => overwrite(file, 4_096 * 4, Buffer.alloc(4_096 * 8))],
    ['pages in the middle are garbage', (file) => overwrite(file, 4_096 * 4, Buffer.alloc(4_096 * 8, 'garbage'))],
  ])('P4: sets a corrupt file aside and makes a new one: %s', async (_, damage) => {
    await written();
    damage(path);
    writeFileSync(`${path}-wal`, 'a log');
    writeFileSync(`${path}-shm`, 'an index');
    const bytes = readFileSync(path);

    const ledger = await fixture.open();
    const aside = `${path}.corrupt-20300101T000000000Z`;
    expect(ledger.setAside).toBe(aside);
    expect(fixture.told).toEqual([
      { event: 'ledger-set-aside', fields: { path, setAside: aside, problem: expect.any(String) as string } },
    ]);
    expect(readFileSync(aside).equals(bytes)).toBe(true);
    // the new one works at once, and knows nothing
    expect(await countOf(ledger)).toBe(0);
    expect(await ledger.commit({ credentials: [sampleCredential()] })).toBe(true);
    await ledger.close();
    expect((await fixture.open()).setAside).toBeNull();
  });

  it('P4: takes -wal and -shm along, so that no record of the old file gets into the new one', async () => {
    await written();
    const ledger = await fixture.open();
    await ledger.commit({ credentials: [sampleCredential()] });
    // as a killed process leaves them
    const left = join(fixture.folder, 'left');
    mkdirSync(left);
    for (const part of ['', '-wal', '-shm']) copyFileSync(path + part, join(left, `rekeyd.db${part}`));
    const leftPath = join(left, 'rekeyd.db');
    overwrite(leftPath, 4_096 * 4, Buffer.alloc(4_096 * 8, 'garbage'));

    const rebuilt = await fixture.open(false, leftPath);
    expect(await countOf(rebuilt)).toBe(0);
    await rebuilt.close();
    const aside = 'rekeyd.db.corrupt-20300101T000000000Z';
    expect(rebuilt.setAside).toBe(join(left, aside));
    expect(files(leftPath)).toEqual(['rekeyd.db', aside, `${aside}-shm`, `${aside}-wal`]);
  });

  it('P4: another process that still has the corrupt file open does no harm to the new one', async () => {
    await written();
    const holder = new DatabaseSync(path);
    holder.exec("INSERT INTO note (key, version, doc) VALUES ('a', 1, '1')");
    overwrite(path, 4_096 * 4, Buffer.alloc(4_096 * 8, 'garbage'));
    const rebuilt = await fixture.open();
    expect(rebuilt.setAside).not.toBeNull();
    await rebuilt.commit({ credentials: [sampleCredential()] });
    holder.close();
    expect(files(path)).toContain('rekeyd.db-wal');
    await rebuilt.commit({ credentials: [sampleCredential({ clientId: 'client-b' })] });
    expect(await countOf(await fixture.open(true))).toBe(2);
  });

  it('P4: never writes over what was set aside before', async () => {
    for (const word of ['first', 'second', 'third']) {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, `${word} garbage`);
      await (await fixture.open()).close();
    }
    const aside = files(path).filter((file) => file.includes('corrupt'));
    expect(aside.map((file) => readFileSync(join(dirname(path), file), 'utf8').split(' ')[0]).sort()).toEqual([
      'first',
      'second',
      'third',
    ]);
  });

  it('P5: opens without its -wal: what it held is lost, nothing else', async () => {
    await written();
    const ledger = await fixture.open();
    await ledger.commit({ credentials: [sampleCredential({ clientId: 'only in the log' })] });
    const copy = join(fixture.folder, 'copy.db');
    copyFileSync(path, copy);
    const older = await fixture.open(false, copy);
    expect(older.setAside).toBeNull();
    expect(await countOf(older)).toBe(300);
    expect(await countOf(ledger)).toBe(301);
  });

  it('refuses the ledger of a newer rekeyd, and leaves it as it is', async () => {
    await written();
    const database = new DatabaseSync(path);
    database.exec('PRAGMA user_version = 1000');
    database.close();
    const bytes = readFileSync(path);
    await expect(fixture.open()).rejects.toThrow(/written by a newer rekeyd: run that version or a later one/);
    await expect(fixture.open(true)).rejects.toThrow(LedgerError);
    expect(files(path)).toEqual(['rekeyd.db']);
    expect(readFileSync(path).equals(bytes)).toBe(true);
  });

  it('P4: does not set the ledger of a newer rekeyd aside, even where it looks corrupt to this one', async () => {
    await written();
    const database = new DatabaseSync(path);
    database.exec('PRAGMA user_version = 1000');
    database.close();
    overwrite(path, 4_096 * 4, Buffer.alloc(4_096 * 8, 'garbage'));
    await expect(fixture.open()).rejects.toThrow(/written by a newer rekeyd/);
    expect(files(path)).toEqual(['rekeyd.db']);
  });

  it("refuses another program's database, and leaves it as it is", async () => {
    mkdirSync(dirname(path), { recursive: true });
    const database = new DatabaseSync(path);
    database.exec('CREATE TABLE bookmarks (url TEXT)');
    database.close();
    const bytes = readFileSync(path);
    await expect(fixture.open()).rejects.toThrow(/is a database of another program/);
    await expect(fixture.open(true)).rejects.toThrow(/is a database of another program/);
    expect(files(path)).toEqual(['rekeyd.db']);
    expect(readFileSync(path).equals(bytes)).toBe(true);
  });

  it('tells what to do where the path cannot be a file', async () => {
    chmodSync(fixture.folder, 0o755);
    await expect(fixture.open(false, fixture.folder)).rejects.toThrow(/is not a file: ledger\.path must name one/);
    expect(statSync(fixture.folder).isDirectory() && statSync(fixture.folder).mode & 0o777).toBe(0o755);
    writeFileSync(join(fixture.folder, 'file'), '');
    await expect(fixture.open(false, join(fixture.folder, 'file', 'rekeyd.db'))).rejects.toThrow(LedgerError);
  });

  it('is closed for good', async () => {
    const ledger = await fixture.open();
    await ledger.close();
    await expect(ledger.commit({ credentials: [sampleCredential()] })).rejects.toThrow(/is closed/);
    await expect(ledger.credential(sampleCredential())).rejects.toThrow(LedgerError);
  });

  describe('for reading only', () => {
    it('reads as empty where nothing is, and makes nothing', async () => {
      const ledger = await fixture.open(true);
      expect(await countOf(ledger)).toBe(0);
      expect(await ledger.inFlight()).toEqual([]);
      await expect(ledger.commit({ credentials: [sampleCredential()] })).rejects.toThrow(/for reading only/);
      expect(existsSync(dirname(path))).toBe(false);
    });

    it('reads as empty what was made and never used', async () => {
      mkdirSync(dirname(path));
      writeFileSync(path, '');
      expect(await countOf(await fixture.open(true))).toBe(0);
      expect(statSync(path).size).toBe(0);
    });

    it('reads what is there, changes nothing, and leaves no file behind', async () => {
      await written();
      const bytes = readFileSync(path);
      const ledger = await fixture.open(true);
      expect(await countOf(ledger)).toBe(300);
      for (const write of [
        () => ledger.commit({ credentials: [sampleCredential()] }),
        () => ledger.putNote('pause', { version: 0, value: 1 }),
        () => ledger.prune(Number.MAX_SAFE_INTEGER),
        () => ledger.check(),
      ]) {
        await expect(write()).rejects.toThrow(/was opened for reading only/);
      }
      await ledger.close();
      expect(files(path)).toEqual(['rekeyd.db']);
      expect(readFileSync(path).equals(bytes)).toBe(true);
    });

    it('sees what a running daemon stores', async () => {
      const daemon = await fixture.open();
      const ledger = await fixture.open(true);
      await daemon.commit({ credentials: [sampleCredential()] });
      expect(await countOf(ledger)).toBe(1);
    });

    it('P4: does not move a corrupt file, but says what will', async () => {
      mkdirSync(dirname(path));
      writeFileSync(path, 'garbage '.repeat(1_000));
      await expect(fixture.open(true)).rejects.toThrow(/is corrupt: restart the daemon/);
      expect(files(path)).toEqual(['rekeyd.db']);
    });
  });
});

function overwrite(path: string, at: number, bytes: Buffer): void {
  const file = openSync(path, 'r+');
  writeSync(file, bytes, 0, bytes.length, at);
  closeSync(file);
}
