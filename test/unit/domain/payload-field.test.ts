import { describe, expect, it } from 'vitest';
import { readField } from '../../../src/domain/payload-reading.ts';
import { SecretValue } from '../../../src/domain/secret-value.ts';

const read = (text: string, field = 'clientSecret') =>
  readField(field, { form: 'opaque', content: SecretValue.of(text) })?.reveal() ?? null;

describe('a field of an entry', () => {
  it.each([
    ['a field of JSON', '{"clientId":"me","clientSecret":"hush"}', 'hush'],
    ['all of what is no JSON', 'hush', 'hush'],
    ['all of it, less the line feed of an editor', 'hush\r\n', 'hush'],
    ['no more than one line feed', 'hush\n\n', 'hush\n'],
    ['JSON that is no object is text', '"hush"', '"hush"'],
    ['a field that is not there', '{"secret":"hush"}', null],
    ['a field that is no text', '{"clientSecret":5}', null],
    ['an empty field', '{"clientSecret":""}', null],
    ['nothing', '\n', null],
    ['what every object has', '{}', null],
  ])('%s', (_what, text, wanted) => {
    expect(read(text)).toBe(wanted);
    expect(read('{}', 'constructor')).toBeNull();
  });
});
