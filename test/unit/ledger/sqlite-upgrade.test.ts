import { mkdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MIGRATIONS } from '../../../src/ledger/sqlite/schema.ts';
import { SqliteFixture } from './sqlite-fixture.ts';

describe('a ledger of rekeyd 0.1.0', () => {
  let fixture: SqliteFixture;
  beforeEach(() => {
    fixture = new SqliteFixture();
    mkdirSync(dirname(fixture.path), { mode: 0o700 });
    using database = new DatabaseSync(fixture.path);
    database.exec(readFileSync('test/fixtures/ledger-schema-1.sql', 'utf8'));
  });
  afterEach(() => fixture.dispose());

  const version = (): unknown => {
    using database = new DatabaseSync(fixture.path, { readOnly: true });
    return database.prepare('PRAGMA user_version').get()?.['user_version'];
  };

  it('is brought to the schema of today, and nothing in it is lost', async () => {
    expect(version()).toBe(1);
    const ledger = await fixture.open();
    expect(fixture.told.map(({ event }) => event)).not.toContain('ledger-set-aside');
    const { items } = await ledger.credentials({}, 10, null);
    const managed = items.filter((one) => one.description.startsWith('app-'));
    expect(managed.map((one) => one.description).sort()).toEqual(['app-000001 (prod)', 'app-000002 (prod)']);
    const rotations = await ledger.rotations({}, 10, null);
    expect(rotations.items.map(({ generation, state }) => ({ generation, state }))).toEqual([
      { generation: 1, state: 'done' },
      { generation: 1, state: 'done' },
    ]);
    // it can be written, too
    const [first] = managed;
    expect(first && (await ledger.commit({ credentials: [first], rotations: [] }))).toBe(true);
    await ledger.close();
    expect(version()).toBe(MIGRATIONS.length);
  });

  it('keeps the steps that were released: the first one still makes what the fixture has', () => {
    using made = new DatabaseSync(':memory:');
    made.exec(MIGRATIONS[0] ?? '');
    using kept = new DatabaseSync(fixture.path);
    const schema = (database: DatabaseSync): unknown[] =>
      database
        .prepare('SELECT type, name, sql FROM sqlite_schema ORDER BY name')
        .all()
        .map(({ type, name, sql }) => [type, name, typeof sql === 'string' ? sql.replace(/\s+/g, ' ') : sql]);
    expect(schema(made)).toEqual(schema(kept));
  });
});
