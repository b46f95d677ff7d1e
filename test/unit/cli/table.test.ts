import { describe, expect, it } from 'vitest';
import { table } from '../../../src/cli/table.ts';
import { relative, relativeTo } from '../../../src/cli/when.ts';
import { DAY, HOUR, MINUTE, SECOND } from '../../../src/domain/time.ts';

describe('table', () => {
  it('aligns columns by what is seen, without trailing blanks', () => {
    expect(
      table(
        ['A', 'B', 'C'],
        [
          ['long cell', '', 'x'],
          ['é', 'two', ''],
        ],
      ),
    ).toBe(['A          B    C', 'long cell  -    x', 'é          two  -', ''].join('\n'));
  });

  it('S7: control characters and line breaks in a cell cannot act or fake a row', () => {
    const text = table(['A'], [['x\n\u001b[2Jy\u202e']]);
    expect(text.split('\n')).toHaveLength(3);
    expect(text).not.toMatch(/[\u001b\u202e]/);
  });
});

describe('relative times', () => {
  it.each([
    [29 * DAY + HOUR, 'in 29d'],
    [DAY + 4 * HOUR, 'in 1d 4h'],
    [2 * HOUR, 'in 2h'],
    [-90 * MINUTE, '1h 30m ago'],
    [-45 * SECOND, '45s ago'],
    [200, 'now'],
  ])('%d ms is %s', (distance, text) => {
    expect(relative(1e12 + distance, 1e12)).toBe(text);
  });

  it('null is never, or what the caller says', () => {
    expect(relativeTo(0, null)).toBe('never');
    expect(relativeTo(0, null, '')).toBe('');
  });
});
