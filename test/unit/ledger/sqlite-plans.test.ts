import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { migrate } from '../../../src/ledger/sqlite/schema.ts';
import * as sql from '../../../src/ledger/sqlite/statements.ts';

const database = new DatabaseSync(':memory:');
migrate(database, ':memory:');

/** How SQLite would run a statement, in its own words. */
function planOf(text: string): string {
  const steps = database
    .prepare(`EXPLAIN QUERY PLAN ${text}`)
    .all(...Array.from({ length: text.split('?').length - 1 }, () => null));
  return steps.map((step) => String(step['detail'])).join('; ');
}

describe('how the sqlite ledger reads', () => {
  it.each([
    ['headers', sql.HEADERS],
    ['headers after one', sql.HEADERS_AFTER],
    ['counts by state', sql.COUNTS],
  ])('%s: from an index alone, never the documents', (_, text) => {
    expect(planOf(text)).toMatch(/USING COVERING INDEX credential_header/);
  });

  it.each([
    ['relevant rotations', sql.RELEVANT_ROTATIONS, 'rotation_of_credential'],
    ['in flight', sql.IN_FLIGHT, 'rotation_in_flight'],
    ['started since', sql.STARTED_SINCE, 'rotation_newest'],
    ['outdated', sql.OUTDATED_ROTATIONS, 'rotation_finished'],
    ['rotations, newest first', sql.rotationsPage({}, [1, 'a'], 5).text, 'rotation_newest'],
    [
      'rotations of a credential',
      sql.rotationsPage({ issuer: 'a', clientId: 'b' }, [1, 'a'], 5).text,
      'rotation_of_credential',
    ],
  ])('%s: by its index, in its order', (_, text, index) => {
    expect(planOf(text)).toContain(index);
    expect(planOf(text)).not.toContain('TEMP B-TREE');
  });

  it('a page of credentials: in the order of its key', () => {
    const plan = planOf(sql.credentialsPage({ issuer: 'a' }, ['a', 'b'], 5).text);
    expect(plan).toMatch(/^SEARCH credential/);
    expect(plan).not.toContain('TEMP B-TREE');
  });

  it.each([
    ['all', sql.credentialsPage({ state: 'failing' }, null, 5).text],
    ["an issuer's, after one", sql.credentialsPage({ issuer: 'a', state: 'failing' }, ['a', 'b'], 5).text],
  ])('a page of credentials by state, %s: by the index that knows the state, in its order', (_, text) => {
    expect(planOf(text)).toContain('INDEX credential_header');
    expect(planOf(text)).not.toContain('TEMP B-TREE');
  });
});
