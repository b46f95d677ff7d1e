import { describe, expect, it } from 'vitest';
import { MINUTE, SECOND } from '../../../src/domain/time.ts';
import { readRetryAfter } from '../../../src/issuers/data8/retry-after.ts';

const now = Date.UTC(2030, 0, 1, 12);

describe('Retry-After', () => {
  it.each([
    ['seconds', '7', 7 * SECOND],
    ['seconds with space', ' 7 ', 7 * SECOND],
    ['a date', 'Tue, 01 Jan 2030 12:00:30 GMT', 30 * SECOND],
    ['0', '0', SECOND],
    ['the past', 'Tue, 01 Jan 2030 11:00:00 GMT', SECOND],
    ['garbage', 'in a while', SECOND],
    ['nothing behind the name', '', SECOND],
    ['below 0', '-5', SECOND],
    ['hex', '0x10', SECOND],
    ['no date', 'Tue, 99 Jan 2030 12:00:30 GMT', SECOND],
    ['more than the cap', '86400', 15 * MINUTE],
    ['a date past the cap', 'Wed, 02 Jan 2030 12:00:00 GMT', 15 * MINUTE],
    ['more than a number holds', '9'.repeat(400), 15 * MINUTE],
    ['a part of a second', '0.2', SECOND],
    ['no header', null, null],
  ])('I3: %s', (_name, header, expected) => {
    expect(readRetryAfter(header, now, 15 * MINUTE)).toBe(expected);
  });
});
