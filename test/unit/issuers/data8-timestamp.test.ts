import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readTimestamp, writeTimestamp } from '../../../src/issuers/data8/timestamp.ts';

const at = (text: string): unknown => ({ kind: 'instant', at: Date.parse(text) });
const never = { kind: 'never' };
const malformed = { kind: 'malformed' };

describe('timestamps of Data8', () => {
  it.each([
    ['null', null, never],
    ['missing', undefined, never],
    ['the smallest date of .NET', '0001-01-01T00:00:00', never],
    ['the same with a zone', '0001-01-01T00:00:00.0000000Z', never],
    ['the largest date of .NET', '9999-12-31T23:59:59.9999999', never],
    ['the largest date, cut', '9999-12-31T00:00:00Z', never],
    ['no zone: UTC', '2030-05-06T07:08:09', at('2030-05-06T07:08:09Z')],
    ['no fraction', '2030-05-06T07:08:09Z', at('2030-05-06T07:08:09Z')],
    ['1 digit', '2030-05-06T07:08:09.1Z', at('2030-05-06T07:08:09.100Z')],
    ['2 digits', '2030-05-06T07:08:09.12Z', at('2030-05-06T07:08:09.120Z')],
    ['3 digits', '2030-05-06T07:08:09.123Z', at('2030-05-06T07:08:09.123Z')],
    ['4 digits', '2030-05-06T07:08:09.1239Z', at('2030-05-06T07:08:09.123Z')],
    ['7 digits', '2030-05-06T07:08:09.1239999Z', at('2030-05-06T07:08:09.123Z')],
    ['9 digits, no zone', '2030-05-06T07:08:09.123999999', at('2030-05-06T07:08:09.123Z')],
    ['an offset', '2030-05-06T07:08:09.5+02:00', at('2030-05-06T05:08:09.500Z')],
    ['a negative offset', '2030-05-06T23:08:09-0330', at('2030-05-07T02:38:09Z')],
    ['1970, where it is said', '1970-01-01T00:00:00.0000000Z', { kind: 'instant', at: 0 }],
    ['a leap day', '2028-02-29T00:00:00Z', at('2028-02-29T00:00:00Z')],
    ['no leap day', '2030-02-29T00:00:00Z', malformed],
    ['no such month', '2030-13-01T00:00:00Z', malformed],
    ['no such hour', '2030-01-01T24:00:00Z', malformed],
    ['no such zone', '2030-01-01T00:00:00+25:00', malformed],
    ['a date alone', '2030-01-01', malformed],
    ['a number', 1893456000, malformed],
    ['nothing', '', malformed],
    ['words', 'next week', malformed],
    ['more behind it', '2030-01-01T00:00:00Z or so', malformed],
    ['a dot and no digits', '2030-01-01T00:00:00.Z', malformed],
    ['a year that .NET does not make', '0042-01-01T00:00:00Z', malformed],
  ])('I12: %s', (_name, text, expected) => {
    expect(readTimestamp(text)).toEqual(expected);
  });

  it('I12: writes 7 digits and Z, and null for never', () => {
    expect(writeTimestamp(Date.UTC(2030, 4, 6, 7, 8, 9, 10))).toBe('2030-05-06T07:08:09.0100000Z');
    expect(writeTimestamp(null)).toBeNull();
    expect(writeTimestamp(Date.UTC(9999, 11, 31))).toBeNull();
  });

  it('I12: reads back to the millisecond what it wrote, whatever part of the zeros is trimmed', () => {
    fc.assert(
      fc.property(fc.integer({ min: -30_000_000_000_000, max: Date.UTC(9999, 11, 30) }), (instant) => {
        fc.pre(instant >= Date.UTC(1000, 0, 1));
        const text = writeTimestamp(instant)!;
        const trimmed = text.replace(/\.?0*Z$/, '');
        expect(readTimestamp(text)).toEqual({ kind: 'instant', at: instant });
        expect(readTimestamp(trimmed)).toEqual({ kind: 'instant', at: instant });
      }),
    );
  });

  it('I12: throws for no text at all', () => {
    fc.assert(fc.property(fc.anything(), (value) => void readTimestamp(value)));
  });
});
