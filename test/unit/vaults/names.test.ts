import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeEntryName, entryNameProblem } from '../../../src/vaults/entry-name.ts';
import { markFromFields, markToFields } from '../../../src/vaults/mark-fields.ts';

describe('entry names', () => {
  it.each([
    ['prod/data8/orders', 'prod%2fdata8%2forders'],
    ['orders.env', 'orders.env'],
    ['.hidden', '%2ehidden'],
    ['Orders', '%4frders'],
    ['a%b', 'a%25b'],
    ['ä', '%c3%a4'],
  ])('%s is the file name %s', (name, file) => {
    expect(encodeEntryName(name)).toBe(file);
  });

  it('V10: no two names are one file name, on a file system that does not tell case either', () => {
    const names = fc.string({ unit: 'grapheme', minLength: 1 });
    fc.assert(
      fc.property(names, names, (a, b) => {
        const [left, right] = [encodeEntryName(a), encodeEntryName(b)];
        expect(decodeURIComponent(left)).toBe(a);
        expect(left.toLowerCase()).toBe(left);
        expect(left === right).toBe(a === b);
      }),
    );
  });

  it('S5: no encoded name leaves its folder or hides in it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1 }), (name) => {
        expect(encodeEntryName(name)).toMatch(/^[a-z0-9_%-][a-z0-9_.%-]*$/);
      }),
    );
  });

  it.each([
    ['/etc/passwd', /begin or end/],
    ['a//b', /begin or end/],
    ['a/', /begin or end/],
    [' a', /white space/],
    ['a\\b', /backslash/],
    ['a%252fb', /percent-encoding/],
    ['a\u2028b', /control character/],
    ['a\u009bb', /control character/],
    ['a\ud800', /Unicode/],
  ])('S5: refuses %j and says why', (name, why) => {
    expect(entryNameProblem(name)).toMatch(why);
  });

  it.each(['a', 'prod/data8/orders.env', 'a b', 'ä/é', '100%', 'a..b', '...'])('takes %s', (name) => {
    expect(entryNameProblem(name)).toBeNull();
  });
});

describe('a mark as flat texts', () => {
  const marks = fc.record({
    instance: fc.string(),
    issuer: fc.string(),
    credential: fc.string({ unit: 'binary' }),
    generation: fc.nat({ max: 999_999_999_999_999 }),
    secretId: fc.string(),
    deliveredAt: fc.nat({ max: 4_102_444_800_000 }),
  });

  it('comes back whole', () => {
    fc.assert(
      fc.property(marks, (mark) => {
        expect(markFromFields(markToFields(mark))).toEqual(mark);
      }),
    );
  });

  it('is no mark where any part is gone or cannot be read', () => {
    fc.assert(
      fc.property(marks, (mark) => {
        const fields = markToFields(mark);
        for (const field of Object.keys(fields)) {
          const rest = Object.fromEntries(Object.entries(fields).filter(([key]) => key !== field));
          expect(markFromFields(rest)).toBeNull();
        }
      }),
      { numRuns: 20 },
    );
    const fields = markToFields({
      instance: 'i',
      issuer: 's',
      credential: 'c',
      generation: 1,
      secretId: '1',
      deliveredAt: 0,
    });
    expect(markFromFields({ ...fields, generation: '1.5' })).toBeNull();
    expect(markFromFields({ ...fields, generation: '-1' })).toBeNull();
    expect(markFromFields({ ...fields, 'delivered-at': 'yesterday' })).toBeNull();
    expect(markFromFields({ ...fields, 'managed-by': 'someone' })).toBeNull();
    expect(markFromFields(Object.create(fields) as Record<string, unknown>)).toBeNull();
  });
});
