import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseJson } from '../../../src/domain/json.ts';
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

const STRUCTURAL = ['{', '}', '[', ']', ',', ':', '"', '\\', '\u00a0', '\ufeff'];
const lengths = fc.array(fc.nat({ max: 12 }), { maxLength: 20 });
const place = fc.nat({ max: 9999 });

/** Of few characters, so that most of what befalls a list befalls it between its items. */
const small = fc.constantFrom<unknown>({}, [], 1, [{}], { a: [] }, { '}': ']' }, '{"');

/** Texts of lists in which one character was taken away, put in or replaced: of JSON's structure, or one that looks like space. */
function mutated(lists: fc.Arbitrary<readonly unknown[]>, space?: number): fc.Arbitrary<string> {
  const how = fc.constantFrom('delete', 'insert', 'replace');
  return fc.tuple(lists, how, place, fc.constantFrom(...STRUCTURAL)).map(([list, change, where, character]) => {
    const text = JSON.stringify(list, null, space);
    const places = [...text.matchAll(/[{}[\],:"\\]/g)].map(({ index }) => index);
    const at = change === 'insert' ? where % (text.length + 1) : places[where % places.length]!;
    return text.slice(0, at) + (change === 'delete' ? '' : character) + text.slice(change === 'insert' ? at : at + 1);
  });
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

  it.each([
    '',
    ' ',
    '{}',
    '"[]"',
    '[',
    '[1',
    '[1,',
    '["a',
    '["a\\"]',
    '[{}',
    '[1]]',
    '[1] 2',
    '[][]',
    'x[]',
    '[}',
    '[1}2]',
    '[{}}{}]',
    '\u00a0[]',
    '[]\ufeff',
  ])('%j is not whole', (text) => {
    expect(cut([text]).isWhole).toBe(false);
  });

  it('is whole, with items that parse, just where JSON.parse finds an array, whatever befalls its text', () => {
    let torn = 0;
    fc.assert(
      fc.property(mutated(fc.array(small, { maxLength: 4 }), 1), lengths, (text, cuts) => {
        const { items, isWhole } = cut(pieces(text, cuts));
        const found = items.map(parseJson);
        const expected = parseJson(text);
        if (!Array.isArray(expected)) torn += 1;
        const isRead = isWhole && !found.includes(undefined);
        expect(isRead ? found : undefined).toEqual(Array.isArray(expected) ? expected : undefined);
      }),
      { numRuns: 1000 },
    );
    expect(torn).toBeGreaterThan(200);
  });

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

  it('is what JSON.parse reads, or malformed, whatever befalls one character of it', () => {
    const credential = fc.record({
      clientId: fc.string({ minLength: 1 }),
      description: fc.string(),
      secrets: fc.constant(null),
    });
    const list = fc.uniqueArray(credential, { selector: ({ clientId }) => clientId, minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(mutated(list), lengths, (text, cuts) => {
        const result = read(text, cuts);
        if (result === null) return;
        const parsed = JSON.parse(text) as { clientId: string; description?: string }[];
        expect(result).toEqual(parsed.map(({ clientId, description = '' }) => ({ clientId, description })));
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    ['a brace stands for a comma', `[${one}}{"clientId":"b"}]`],
    ['a brace stands for its end', `[${one}}`],
    ['cut off', `[${one},{"clientId":"b"`],
    ['an item is there twice', `[${one},${one}]`],
    ['an item is malformed', `[${one},{"clientId":7}]`],
    ['an item is no JSON', `[${one},{"clientId":b}]`],
    ['it holds a space that JSON does not know', '[\u00a0]'],
    ['a comma is at its end', `[${one},]`],
    ['something comes after it', `[${one}]]`],
  ])('I11: is malformed as a whole where %s', (_why, text) => {
    expect(read(text)).toBeNull();
  });
});
