import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Mark } from '../../../src/domain/mark.ts';
import { HOUR } from '../../../src/domain/time.ts';
import {
  fieldTags,
  readFields,
  readVersion,
  roomProblem,
  staleKeys,
  versionTags,
} from '../../../src/vaults/aws-secrets-manager/mark-tags.ts';
import {
  countTags,
  decodeTagText,
  encodeTagText,
  fromTags,
  tagProblem,
  toTags,
} from '../../../src/vaults/aws-secrets-manager/tag-text.ts';
import type { Tag } from '../../../src/vaults/aws-secrets-manager/tag-text.ts';

const asMap = (tags: readonly Tag[]): Map<string, string> => new Map(tags.map(({ Key, Value }) => [Key, Value]));
const id = (number: number): string => `00000000-0000-8000-8000-${String(number).padStart(12, '0')}`;
const NOW = Date.UTC(2030, 0, 1);

function markOf(changes: Partial<Mark> = {}): Mark {
  const mark = { instance: 'prod', issuer: 'data8', credential: '3f0c', generation: 7, secretId: '1007' };
  return { ...mark, deliveredAt: NOW, ...changes };
}

describe("a text in a tag's characters", () => {
  const texts = fc.string({ unit: 'binary', maxLength: 1_000 });

  it.each([
    ['2030-01-01T12:30:00.123Z', '2030-01-01T12:30:00.123Z'],
    ['a b/c=d', 'a=20b=2Fc=3Dd'],
    ['ä\u{1f511}', '=C3=A4=F0=9F=94=91'],
    ['aws:x', '=61ws:x'],
    ['', ''],
  ])('%j is %s', (text, encoded) => {
    expect(encodeTagText(text)).toBe(encoded);
    expect(decodeTagText(encoded)).toBe(text);
  });

  it('comes back whole, over as many tags as it takes, each of them one that AWS allows', () => {
    fc.assert(
      fc.property(texts, (text) => {
        const tags = toTags('team', encodeTagText(text));
        for (const { Key, Value } of tags) expect(tagProblem(Key, Value)).toBeNull();
        expect(decodeTagText(fromTags(asMap(tags), 'team') ?? 'missing')).toBe(text);
        // where a part is missing, all is
        for (const { Key } of tags) expect(fromTags(asMap(tags.filter((tag) => tag.Key !== Key)), 'team')).toBeNull();
      }),
    );
  });

  it('is not read from what somebody edited', () => {
    for (const edited of ['=', 'a=2', '=zz', '=C3', '=c3=a4']) expect(decodeTagText(edited)).toBeNull();
  });

  it('V10: tags of the configuration that AWS would refuse are told', () => {
    expect(tagProblem('a', 'b & c')).toMatch(/may hold/);
    expect(tagProblem('', 'b')).toMatch(/1 to 128/);
    expect(tagProblem('a', 'b'.repeat(257))).toMatch(/256/);
    expect(tagProblem('AWS:a', 'b')).toMatch(/AWS's own/);
    expect(tagProblem('rekeyd:a', 'b')).toMatch(/rekeyd's own/);
    expect(tagProblem('Kostenstelle für alle', '4711 / x')).toBeNull();
  });
});

describe('marks in tags', () => {
  const marks = fc.record({
    instance: fc.string(),
    issuer: fc.string(),
    credential: fc.string({ unit: 'binary', maxLength: 300 }),
    generation: fc.nat({ max: 999_999_999_999_999 }),
    secretId: fc.string(),
    deliveredAt: fc.nat({ max: 4_102_444_800_000 }),
  });

  it('come back whole, of a version and by their fields', () => {
    fc.assert(
      fc.property(marks, fc.constantFrom('fields' as const, 'opaque' as const), (mark, form) => {
        const tags = asMap([...versionTags(id(1), { mark, form }), ...fieldTags(mark)]);
        expect(readVersion(tags, id(1))).toEqual({ mark, form });
        expect(readVersion(tags, id(2))).toBeNull();
        expect(readFields(tags)).toEqual(mark);
        for (const [key, value] of tags) {
          expect(key).toMatch(/^rekeyd:/);
          expect(tagProblem('x', value)).toBeNull();
        }
      }),
    );
  });

  it('take one tag a version, as a person can read it', () => {
    expect(versionTags(id(1), { mark: markOf(), form: 'fields' })).toEqual([
      { Key: `rekeyd:version:${id(1)}`, Value: 'rekeyd/prod/data8/3f0c/7/1007/2030-01-01T00:00:00.000Z/fields' },
    ]);
  });

  it('keep apart versions with ids of any kind', () => {
    const odd = ['a b c d e f g h i j k l m n o p q r', 'ä'.repeat(64), id(1)];
    const tags = asMap(
      odd.flatMap((each, generation) => versionTags(each, { mark: markOf({ generation }), form: 'opaque' })),
    );
    for (const { Key } of odd.flatMap((each) => versionTags(each, { mark: markOf(), form: 'opaque' }))) {
      expect(tagProblem(Key.slice('rekeyd:'.length), '')).toBeNull();
      expect(Key.length).toBeLessThanOrEqual(128);
    }
    expect(odd.map((each) => readVersion(tags, each)?.mark.generation)).toEqual([0, 1, 2]);
  });

  it('are stale an hour after, or when there are too many, but never those that are needed', () => {
    const old = versionTags(id(1), {
      mark: markOf({ deliveredAt: NOW - HOUR - 1, credential: 'ä'.repeat(100) }),
      form: 'fields',
    });
    expect(old.length).toBeGreaterThan(1);
    const needed = versionTags(id(2), { mark: markOf({ deliveredAt: 0 }), form: 'fields' });
    const young = Array.from({ length: 12 }, (_, index) =>
      versionTags(id(10 + index), { mark: markOf({ deliveredAt: NOW - 12 + index }), form: 'fields' }),
    ).flat();
    const broken = { Key: `rekeyd:version:${id(99)}`, Value: 'edited' };
    const others = [{ Key: 'team', Value: 'payments' }, ...fieldTags(markOf())];
    const stale = staleKeys(asMap([...others, ...old, ...needed, ...young, broken]), [id(2)], NOW);
    const keys = (tags: readonly Tag[]) => tags.map(({ Key }) => Key);
    expect(stale.sort()).toEqual(keys([...old, ...young.slice(0, 2), broken]).sort());
  });

  it("V10: there is room beside 40 tags of others, and AWS's own do not count", () => {
    const others = (count: number): Map<string, string> =>
      new Map(Array.from({ length: count }, (_, index) => [`team-${index}`, '']));
    expect(roomProblem(others(40))).toBeNull();
    expect(roomProblem(others(41))).toMatch(/41 tags of others/);
    expect(roomProblem(new Map([...others(40), ['aws:cloudformation:stack-name', 'x'], ['rekeyd:x', '']]))).toBeNull();
    expect(countTags(['a', 'aws:b'], ['a', 'c'])).toBe(2);
  });
});
