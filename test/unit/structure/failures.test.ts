import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { vaultTypes } from '../../../src/vaults/registry.ts';
import { ROOT } from './source.ts';

/** How many cases each section of the list of failures has. */
const CASES = { I: 21, V: 19, P: 12, C: 10, S: 10 } as const;

/** Cases of one backend each: they come with it. */
const LATER: Readonly<Record<string, string>> = {
  V5: 'azure-key-vault',
  V6: 'aws-secrets-manager',
  V7: 'aws-secrets-manager',
  V8: 'hashicorp-vault',
  V9: 'kubernetes',
};

const page = readFileSync(join(ROOT, 'docs/failures.md'), 'utf8');
const rows = [...page.matchAll(/^\| ([IVPCS]\d+) +\| (.+?) +\| (.+?) +\|$/gm)].map(([, id = '', , held = '']) => ({
  id,
  held,
  files: [...held.matchAll(/`(test\/[^`]+)`/g)].map(([, path = '']) => path),
}));

/** The numbers that stand at the beginning of a title in a file of tests: `it('I1: …')`, `describe('V3, V14: …')`. */
function numbersIn(path: string): Set<string> {
  const text = readFileSync(join(ROOT, path), 'utf8');
  const titles = text.matchAll(/['"`]((?:[IVPCS]\d+(?:, | and |\/)?)+)[:,] /g);
  return new Set([...titles].flatMap(([, numbers = '']) => numbers.match(/[IVPCS]\d+/g) ?? []));
}

describe('docs/failures.md', () => {
  it('has each case once, in order', () => {
    const all = Object.entries(CASES).flatMap(([letter, count]) =>
      Array.from({ length: count }, (_, index) => `${letter}${index + 1}`),
    );
    expect(rows.map((row) => row.id)).toEqual(all);
  });

  it.each(rows)('$id: is held by tests that carry its number, or comes with its vault', ({ id, held, files }) => {
    const vault = LATER[id];
    if (vault !== undefined && !vaultTypes.has(vault)) {
      expect(held).toContain(vault);
      return;
    }
    expect(files, 'a case without a test').not.toEqual([]);
    for (const path of files) {
      expect(existsSync(join(ROOT, path)), path).toBe(true);
      expect([...numbersIn(path)], path).toContain(id);
    }
  });
});

describe('C10: a pause over the API is lost with the ledger', () => {
  it.each(['docs/operations.md', 'docs/ledger.md', 'docs/http.md'])('%s names the durable way', (path) => {
    const text = readFileSync(join(ROOT, path), 'utf8').replaceAll(/\s+/g, ' ');
    expect(text).toMatch(/pause[^.]*ledger|Losing it.*pauses/i);
    expect(text).toContain('`suspend: true`');
  });
});
