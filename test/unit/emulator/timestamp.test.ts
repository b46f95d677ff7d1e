import { describe, expect, it } from 'vitest';
import { parseTimestamp, timestampAt } from '../../../src/emulator/timestamp.ts';

describe('timestamps', () => {
  it.each([
    ['2030-01-02T03:04:05Z', '2030-01-02T03:04:05.0000000Z'],
    ['2030-01-02T03:04:05.1Z', '2030-01-02T03:04:05.1000000Z'],
    ['2030-01-02T03:04:05.1234567Z', '2030-01-02T03:04:05.1234567Z'],
    ['2030-01-02T03:04:05.123', '2030-01-02T03:04:05.1230000Z'],
    ['2030-01-02T03:04:05.5+02:00', '2030-01-02T01:04:05.5000000Z'],
    ['0001-01-01T00:00:00', '0001-01-01T00:00:00.0000000Z'],
    ['9999-12-31T23:59:59.9999999Z', '9999-12-31T23:59:59.9999999Z'],
  ])('reads %s as %s', (text, written) => {
    expect(parseTimestamp(text)?.text).toBe(written);
  });

  it('cuts digits below a millisecond off the instant, and keeps them in the text', () => {
    expect(parseTimestamp('1970-01-01T00:00:01.2349999Z')).toEqual({
      text: '1970-01-01T00:00:01.2349999Z',
      at: 1234,
    });
  });

  it.each([
    '',
    '5',
    '2030-01-02',
    '2030-02-31T00:00:00Z',
    '2030-13-01T00:00:00Z',
    '2030-01-02T03:04:05.12345678Z',
    'now',
  ])('refuses %j', (text) => {
    expect(parseTimestamp(text)).toBeNull();
  });

  it('writes seven digits and Z', () => {
    expect(timestampAt(1).text).toBe('1970-01-01T00:00:00.0010000Z');
  });
});
