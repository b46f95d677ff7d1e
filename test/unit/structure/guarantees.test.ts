import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { vaultTypes } from '../../../src/vaults/registry.ts';
import { ROOT } from './source.ts';

const page = readFileSync(join(ROOT, 'docs/vaults/README.md'), 'utf8').split('\n## Guarantees\n')[1] ?? '';
const [section = ''] = page.split('\n## ');
const tables = section.split('\n\n').filter((part) => part.startsWith('|') || part.startsWith('\n|'));
const [promised = [], held = []] = tables.map((table) =>
  table
    .trim()
    .split('\n')
    .slice(2)
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    ),
);
const GUARANTEES = ['compare-and-set', 'idempotent repeat', 'metadata without value', 'roll-back seen'];

describe('docs/vaults/README.md, guarantees', () => {
  it('has a line for each type of vault', () => {
    expect(promised.map(([type = '']) => type.replaceAll('`', ''))).toEqual([...vaultTypes.keys()].sort());
    expect(held.length).toBeGreaterThan(GUARANTEES.length);
  });

  it.each(held)('%s, %s: %s has the case: %s', (type, guarantee, path, title) => {
    expect(GUARANTEES).toContain(guarantee);
    if (!type.startsWith('all')) expect([...vaultTypes.keys()]).toContain(type.replaceAll('`', ''));
    const text = readFileSync(join(ROOT, path.replaceAll('`', '')), 'utf8');
    expect(["'", '"', '`'].some((quote) => text.includes(`${quote}${title}`))).toBe(true);
  });

  it('names a case that every type passes for each guarantee', () => {
    const shared = held.filter(([type]) => type === 'all').map(([, guarantee]) => guarantee);
    expect([...new Set(shared)]).toEqual(GUARANTEES);
  });
});
