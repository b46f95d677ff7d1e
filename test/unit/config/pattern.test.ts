import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compilePattern } from '../../../src/config/pattern.ts';
import type { Pattern } from '../../../src/config/pattern.ts';

function compiled(source: string): Pattern {
  const pattern = compilePattern(source);
  if ('problem' in pattern) throw new Error(pattern.problem);
  return pattern;
}

describe('compilePattern', () => {
  it.each([
    ['abc', 'abc', {}],
    ['abc', 'abcd', null],
    ['abc', 'ab', null],
    ['abc', 'ABC', null],
    ['', '', {}],
    ['*', '', {}],
    ['*', 'anything\nat all', {}],
    ['legacy-*', 'legacy-', {}],
    ['legacy-*', 'legacy-x', {}],
    ['legacy-*', 'a-legacy-x', null],
    ['*-x', '-x', {}],
    ['a**b', 'ab', {}],
    ['a*b*c', 'a--b--c', {}],
    ['a*b*c', 'acb', null],
    ['ab*ba', 'aba', null],
    ['a?c', 'abc', {}],
    ['a?c', 'ac', null],
    ['?', '😀', {}],
    ['a.c', 'abc', null],
    ['a+(b)[c]^$|\\', 'a+(b)[c]^$|\\', {}],
    ['{app} ({env})', 'Billing (prod)', { app: 'Billing', env: 'prod' }],
    ['{app} ({env})', 'Billing (old) (prod)', { app: 'Billing', env: 'old) (prod' }],
    ['{app} ({env})', ' (prod)', null],
    ['{app} ({env})', 'Billing ()', null],
    ['{app} ({env})', 'Billing', null],
    ['{app}-{env}', 'a-b-c', { app: 'a', env: 'b-c' }],
    ['{app}-{env}', '-b-c', { app: '-b', env: 'c' }],
    ['{x}?', 'ab', { x: 'a' }],
    ['{x}?', 'a', null],
    ['*/{x}', 'a/b/c', { x: 'b/c' }],
    ['{x}', '', null],
    ['{x}', 'é😀', { x: 'é😀' }],
    ['{}', '{}', {}],
    ['{1a}', '{1a}', {}],
    ['{a b}', '{a b}', {}],
    ['a{', 'a{', {}],
  ])('%j on %j gives %j', (pattern, text, expected) => {
    expect(compiled(pattern).match(text)).toEqual(expected);
  });

  it.each([
    ['{a}{b}', 'nothing stands between {b}'],
    ['{a}*', 'nothing stands between *'],
    ['*{a}', 'nothing stands between {a}'],
    ['{a}-{a}', '{a} is there twice'],
    ['x'.repeat(513), 'may have 512 characters'],
  ])('%s cannot be used', (source, problem) => {
    expect(compilePattern(source)).toEqual({ problem: expect.stringContaining(problem) as string });
  });

  it('says whether it is a literal, and what it captures', () => {
    expect(compiled('abc')).toMatchObject({ isLiteral: true, captures: [] });
    expect(compiled('a*')).toMatchObject({ isLiteral: false });
    expect(compiled('a?')).toMatchObject({ isLiteral: false });
    expect(compiled('{a}-{b}')).toMatchObject({ isLiteral: false, captures: ['a', 'b'] });
  });

  it('agrees with the regular expression that it stands for', () => {
    const literal = fc.constantFrom('a', 'b', '-', '.', '😀');
    const part = fc.oneof(literal, fc.constantFrom('*', '?', '{x}', '{y}'));
    fc.assert(
      fc.property(
        fc.array(part, { maxLength: 8 }),
        fc.array(literal, { maxLength: 12 }).map((characters) => characters.join('')),
        (parts, text) => {
          const pattern = compilePattern(parts.join(''));
          fc.pre(!('problem' in pattern));
          const expression = parts
            .map((token) => {
              if (token === '*') return '.*?';
              if (token === '?') return '.';
              if (token.startsWith('{')) return `(?<${token.slice(1, -1)}>.+?)`;
              return token.replace('.', '\\.');
            })
            .join('');
          const expected = new RegExp(`^${expression}$`, 'su').exec(text);
          expect(pattern.match(text)).toEqual(expected === null ? null : { ...expected.groups });
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it('takes no longer for patterns that would keep a regular expression busy for years', () => {
    const pattern = compiled('*a'.repeat(200));
    expect(pattern.match(`${'a'.repeat(20_000)}b`)).toBeNull();
    expect(compiled(`*${'a'.repeat(200)}b`).match('a'.repeat(20_000))).toBeNull();
  });
});
