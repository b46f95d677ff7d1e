import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CursorError, decodeCursor, encodeCursor } from '../../../src/ledger/store/cursor.ts';
import { compareKeys, compareNewestFirst, compareText } from '../../../src/ledger/store/order.ts';

const text = fc.string({ unit: 'binary' });

describe('the order of texts', () => {
  it('is that of their UTF-8 bytes', () => {
    fc.assert(
      fc.property(text, text, (a, b) => {
        expect(Math.sign(compareText(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
      }),
    );
    expect(compareText('\ufffd', '🔑')).toBeLessThan(0);
  });

  it('compares credentials by issuer, then clientId; rotations newest first, then by id', () => {
    expect(compareKeys({ issuer: 'a', clientId: 'z' }, { issuer: 'b', clientId: 'a' })).toBeLessThan(0);
    expect(compareKeys({ issuer: 'a', clientId: 'z' }, { issuer: 'a', clientId: 'y' })).toBeGreaterThan(0);
    expect(compareNewestFirst({ startedAt: 2, id: 'a' }, { startedAt: 1, id: 'b' })).toBeLessThan(0);
    expect(compareNewestFirst({ startedAt: 1, id: 'a' }, { startedAt: 1, id: 'b' })).toBeGreaterThan(0);
  });
});

describe('cursors', () => {
  it('give back the key that they were made of', () => {
    fc.assert(
      fc.property(text, text, fc.double({ noNaN: true, noDefaultInfinity: true }), (listing, id, at) => {
        const key = decodeCursor(encodeCursor(['rotations', listing], [at, id]), ['rotations', listing], [0, '']);
        expect(key).toEqual([at === 0 ? 0 : at, id]);
      }),
    );
  });

  it('refuse any other text', () => {
    fc.assert(
      fc.property(text, (cursor) => {
        expect(() => decodeCursor(cursor, ['rotations'], [0, ''])).toThrow(CursorError);
      }),
    );
  });

  it.each([
    ['another listing', encodeCursor(['credentials'], [1, 'a'])],
    ['a part too many', encodeCursor(['rotations'], [1, 'a', 'b'])],
    ['a part too few', encodeCursor(['rotations'], [1])],
    ['a part of another type', encodeCursor(['rotations'], ['1', 'a'])],
    ['padding', `${encodeCursor(['rotations'], [1, 'a'])}=`],
  ])('refuse one with %s', (_, cursor) => {
    expect(() => decodeCursor(cursor, ['rotations'], [0, ''])).toThrow(CursorError);
  });
});
