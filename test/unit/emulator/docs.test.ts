import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { FAULT_KINDS, faultSettings, OPERATIONS } from '../../../src/emulator/faults.ts';

const page = readFileSync(new URL('../../../docs/emulator.md', import.meta.url), 'utf8');

/** The first cells of the table that follows `heading` in the page. */
function firstCells(heading: string): string[] {
  const table = page.split(heading)[1]?.split('\n\n')[0] ?? '';
  return [...table.matchAll(/^\| `([^`]+)`/gm)].map(([, cell = '']) => cell);
}

describe('docs/emulator.md', () => {
  it('explains every kind of fault, and no other', () => {
    expect(firstCells('| kind ').sort()).toEqual([...FAULT_KINDS].sort());
  });

  it('explains every switch with its default, and no other', () => {
    expect(firstCells('| switch ').sort()).toEqual(Object.keys(faultSettings.shape).sort());
    for (const [name, value] of Object.entries(faultSettings.parse({}))) {
      const shown = name === 'rules' ? '`[]`' : JSON.stringify(value);
      expect(page).toMatch(new RegExp(`^\\| \`${name}\` +\\| ${shown.replace(/[[\]]/g, '\\$&')} +\\|`, 'm'));
    }
  });

  it('names every operation', () => {
    for (const operation of OPERATIONS) expect(page).toContain(`\`${operation}\``);
  });

  it('shows switches that work', () => {
    const [, json = ''] = /```json\n([^`]+)```/.exec(page) ?? [];
    expect(faultSettings.safeParse(JSON.parse(json)).success).toBe(true);
  });
});
