import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Connection } from '../../../src/ledger/sqlite/connection.ts';
import { SharedCommit } from '../../../src/ledger/sqlite/shared-commit.ts';
import { sampleCredential, sampleRotation } from './sample-records.ts';
import { SqliteFixture } from './sqlite-fixture.ts';

describe('commits of one turn of the event loop', () => {
  let connection: Connection;
  let commits: SharedCommit;
  beforeEach(() => {
    const database = new DatabaseSync(':memory:');
    database.exec('CREATE TABLE kept (name TEXT PRIMARY KEY) STRICT');
    connection = new Connection(database, ':memory:');
    commits = new SharedCommit(connection);
  });
  afterEach(() => connection.close());

  const insert = (name: string, keep = true) =>
    commits.write(() => connection.run('INSERT INTO kept VALUES (?)', name) === 1 && keep);
  const kept = () => connection.all('SELECT name FROM kept ORDER BY name').map((row) => row['name']);

  it('are one transaction; the next turn has its own', async () => {
    const write = vi.spyOn(connection, 'write');
    expect(await Promise.all([insert('a'), insert('b')])).toEqual([true, true]);
    expect(write).toHaveBeenCalledTimes(1);
    expect(await insert('c')).toBe(true);
    expect(write).toHaveBeenCalledTimes(2);
    expect(kept()).toEqual(['a', 'b', 'c']);
  });

  it('are kept or undone each by its own word', async () => {
    expect(await Promise.all([insert('a'), insert('b', false), insert('c')])).toEqual([true, false, true]);
    expect(kept()).toEqual(['a', 'c']);
    expect(await Promise.all([insert('d', false), insert('e', false)])).toEqual([false, false]);
    expect(kept()).toEqual(['a', 'c']);
  });

  it('are none of them kept where one throws, and each is told', async () => {
    const results = await Promise.allSettled([insert('a'), insert('a'), insert('b')]);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    expect(kept()).toEqual([]);
    expect(await insert('a')).toBe(true);
  });
});

describe('a sqlite ledger with several commits in one turn', () => {
  const fixture = new SqliteFixture();
  afterEach(() => fixture.dispose());

  it('takes the first of two that follow on the same version, keeps nothing of the other, and loses none by closing', async () => {
    const ledger = await fixture.open();
    const [first, second, third] = [
      ledger.commit({ credentials: [sampleCredential({ name: 'first' })] }),
      ledger.commit({
        rotations: [sampleRotation({ id: 'lost' })],
        credentials: [sampleCredential({ name: 'second' })],
      }),
      ledger.commit({ rotations: [sampleRotation({ id: 'kept' })] }),
    ];
    await ledger.close();
    expect(await Promise.all([first, second, third])).toEqual([true, false, true]);
    const again = await fixture.open();
    expect(await again.credential(sampleCredential())).toMatchObject({ version: 1, name: 'first' });
    expect(await again.rotation('lost')).toBeNull();
    expect(await again.rotation('kept')).toMatchObject({ version: 1 });
  });
});
