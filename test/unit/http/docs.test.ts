import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { PROBLEMS } from '../../../src/http/problem.ts';
import { allRoutes } from './all-routes.ts';

const page = await readFile(new URL('../../../docs/http.md', import.meta.url), 'utf8');

describe('docs/http.md', () => {
  it('lists every route with its role, and no other', () => {
    const rows = [...page.matchAll(/^\| `(GET|POST|PUT) (\/[^`]*)` +\| (-|viewer|operator) +\|/gm)];
    const documented = rows.map(([, method = '', path = '', role = '']) => [
      `${method} ${path.replace(/\{(\w+)\}/g, ':$1')}`,
      role === '-' ? 'public' : role,
    ]);
    const actual = allRoutes().map(({ name, access }) => [name, access]);
    expect(documented.map(String).sort()).toEqual(actual.map(String).sort());
  });

  it('lists every problem with its status, and no other', () => {
    const documented = [...page.matchAll(/^\| `([\w-]+)` +\| (\d{3}) +\|/gm)].map(([, name = '', status = '']) => [
      name,
      Number(status),
    ]);
    expect(documented).toEqual(Object.entries(PROBLEMS).map(([name, { status }]) => [name, status]));
  });
});

describe('every route', () => {
  it('has a schema for what it answers, errors included, so that nothing unlisted gets out', () => {
    for (const { name, statuses } of allRoutes()) {
      expect(statuses, name).toEqual(expect.arrayContaining(['4xx', '5xx']));
      expect(
        statuses.filter((status) => status.startsWith('2')),
        name,
      ).toHaveLength(1);
    }
  });
});
