import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JsonArrayItems } from '../../../src/issuers/data8/json-array.ts';
import { credentialsReader } from '../../../src/issuers/data8/wire.ts';

function cut(parts: readonly string[]): { items: string[]; isWhole: boolean } {
  const items: string[] = [];
  const array = new JsonArrayItems((item) => items.push(item));
  for (const part of parts) array.write(part);
  return { items, isWhole: array.isWhole };
}

/** `text` in pieces of `lengths`, and the rest. */
function pieces(text: string, lengths: readonly number[]): string[] {
  const parts: string[] = [];
  let at = 0;
  for (const length of lengths) {
    parts.push(text.slice(at, at + length));
    at += length;
  }
  return [...parts, text.slice(at)];
}

describe('a JSON array that comes in parts', () => {
  it('is cut into the items that JSON.parse finds, wherever the parts end', () => {
    fc.assert(
      fc.property(
        fc.array(fc.jsonValue()),
        fc.constantFrom(undefined, 1, '\t'),
        fc.array(fc.nat({ max: 12 })),
        (values, space, lengths) => {
          const { items, isWhole } = cut(pieces(`\n${JSON.stringify(values, null, space)} \n`, lengths));
          expect(isWhole).toBe(true);
          expect(items.map((item) => JSON.parse(item) as unknown)).toEqual(JSON.parse(JSON.stringify(values)));
        },
      ),
    );
  });

  it.each(['[]', ' [ ] ', '[\n]'])('%j holds nothing', (text) => {
    expect(cut([text])).toEqual({ items: [], isWhole: true });
  });

  it.each(['', ' ', '{}', '"[]"', '[', '[1', '[1,', '["a', '["a\\"]', '[{}', '[1]]', '[1] 2', '[][]', 'x[]'])(
    '%j is not whole',
    (text) => {
      expect(cut([text]).isWhole).toBe(false);
    },
  );

  it('gives what stands between two commas, whatever it is, to who parses it', () => {
    expect(cut(['[1,,{],]']).items).toEqual(['1', '', '{]', '']);
  });

  it('gives up an item that has no end', () => {
    const parts = [...Array.from({ length: 40 }, () => '[0'.repeat(16_384)), ']'.repeat(40 * 16_384)];
    expect(cut(parts)).toEqual({ isWhole: false, items: [] });
  });

  it('takes no time for a string that has no end', () => {
    expect(cut([`["${'a\\'.repeat(200_000)}`]).isWhole).toBe(false);
  });
});

describe('the list of credentials, read in parts', () => {
  const read = (text: string, lengths: readonly number[] = []) => {
    const list = credentialsReader();
    for (const part of pieces(text, lengths)) list.write(part);
    return list.result();
  };
  const one = '{"clientId":"a","description":"x","secrets":null}';

  it('is read', () => {
    expect(read(`[${one},{"clientId":"b","description":"\\"],["}]`, [3, 30, 30, 9])).toEqual([
      { clientId: 'a', description: 'x' },
      { clientId: 'b', description: '"],[' },
    ]);
  });

  it.each([
    ['cut off', `[${one},{"clientId":"b"`],
    ['an item is there twice', `[${one},${one}]`],
    ['an item is malformed', `[${one},{"clientId":7}]`],
    ['an item is no JSON', `[${one},{"clientId":b}]`],
    ['a comma is at its end', `[${one},]`],
    ['something comes after it', `[${one}]]`],
  ])('I11: is malformed as a whole where %s', (_why, text) => {
    expect(read(text)).toBeNull();
  });
});
