import { describe, expect, it } from 'vitest';
import { readPayload } from '../../../src/domain/payload-reading.ts';
import type { Format, Payload } from '../../../src/domain/payload.ts';
import { SecretValue } from '../../../src/domain/secret-value.ts';

const VALUE: Format = { kind: 'value' };
const TEXT: Format = { kind: 'text', template: 'ID={clientId}\nSECRET={clientSecret}\nSECRET_ID={secretId}' };
const NAMED: Format = {
  kind: 'fields',
  fields: { client: '{clientId}', secret: '{clientSecret}', id: '{secretId}', both: '{clientId}/{secretId}' },
};

function read(format: Format, form: Payload['form'], content: unknown) {
  const text = typeof content === 'string' ? content : JSON.stringify(content);
  const found = readPayload(format, { clientId: '17' }, { form, content: SecretValue.of(text) });
  return found === null ? null : [found.clientSecret.reveal(), found.secretId];
}

describe('reading a payload back', () => {
  it.each<[string, Format, Record<string, unknown>, unknown]>([
    ['a value', VALUE, { value: 'hush', note: 'of others' }, ['hush', null]],
    ['a value that is no text', VALUE, { value: 5, note: 'of others' }, null],
    ['an empty value', VALUE, { value: '', note: 'of others' }, null],
    ['no value', VALUE, { clientId: '17', clientSecret: 'hush' }, null],
    ['a text', TEXT, { value: 'ID=17\nSECRET=hush\nSECRET_ID=5', note: 'of others' }, ['hush', '5']],
    ['no text', TEXT, { clientId: '17', clientSecret: 'hush' }, null],
  ])('V4: of an entry with keys of others takes what lies under `value` alone: %s', (_what, format, keys, wanted) => {
    expect(read(format, 'fields', keys)).toEqual(wanted);
  });

  it('takes the whole of what has no keys', () => {
    expect(read(VALUE, 'opaque', '{"value":"hush"}')).toEqual(['{"value":"hush"}', null]);
    expect(read(TEXT, 'opaque', 'ID=17\nSECRET=hush\nSECRET_ID=5')).toEqual(['hush', '5']);
    expect(read(VALUE, 'fields', 'no JSON')).toBeNull();
    expect(read(VALUE, 'fields', '["value"]')).toBeNull();
  });

  it.each<[unknown, string | null]>([
    ['5', '5'],
    [2_147_483_647, '2147483647'],
    [0, '0'],
    [1.5, null],
    [2 ** 60, null],
    [true, null],
    [null, null],
    [{ id: 5 }, null],
  ])('V4: an entry that was made by hand may name its secret id as a number: %j', (id, wanted) => {
    expect(read(NAMED, 'fields', { secret: 'hush', id })).toEqual(['hush', wanted]);
  });

  it('takes no number for anything else', () => {
    expect(read(NAMED, 'fields', { secret: 5, id: '5' })).toBeNull();
    expect(read(NAMED, 'fields', { secret: 'hush', both: 5 })).toEqual(['hush', null]);
  });
});
