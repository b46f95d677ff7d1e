import { describe, expect, it } from 'vitest';
import { BASE, load, problemsOf } from './loading.ts';

/** Whole files, and all that is said of them. */
const files: readonly [what: string, text: string | Uint8Array, ...problems: string[]][] = [
  ['S6: __proto__', `${BASE}__proto__: { mode: observe }\n`, ':6:1: __proto__: this key is not allowed anywhere'],
  [
    'S6: __proto__ further down',
    `${BASE}policies: { default: { __proto__: { grace: 1s } } }\n`,
    ':6:24: policies.default.__proto__: this key is not allowed anywhere',
  ],
  [
    'S6: __proto__ written with an escape',
    `${BASE}"__pr\\u006fto__": 1\n`,
    ':6:1: __proto__: this key is not allowed anywhere',
  ],
  [
    'S6: constructor and prototype in a list',
    `${BASE}x: [{ constructor: 1 }, { prototype: 1 }]\n`,
    ':6:7: x[0].constructor: this key is not allowed anywhere',
    ':6:27: x[1].prototype: this key is not allowed anywhere',
  ],
  [
    'S6: __proto__ inside an anchor',
    `x: &a { __proto__: 1 }\ny: *a\n`,
    ':1:9: x.__proto__: this key is not allowed anywhere',
  ],
  ['a key twice', 'a: 1\nb: 2\na: 3\nb: 4\n', ':3:1: a: this key is there twice', ':4:1: b: this key is there twice'],
  ['a key twice in a map in braces', 'a: { b: 1, b: 2 }\n', ':1:12: a.b: this key is there twice'],
  ['a key twice in a list', 'a:\n  - b: 1\n  - b: 1\n    b: 2\n', ':4:5: a[1].b: this key is there twice'],
  ['a number as key', 'a: { 1: x }\n', ':1:6: a: this key is not text: put it in quotes'],
  ['a boolean as key', 'true: x\n', ':1:1: this key is not text: put it in quotes'],
  ['nothing as key', '? \n: x\n', ':1:3: this key is not text: put it in quotes'],
  ['a list as key', '? [a, b]\n: x\n', ':1:3: this key is not text: put it in quotes'],
  [
    'a merge key',
    'a: &a { b: 1 }\nc: { <<: *a }\n',
    ':2:6: c["<<"]: merge keys (<<) are off: repeat the keys, or use several files',
  ],
  ['a tag', 'a: !secret x\n', ':1:4: tags such as !name are not supported'],
  ['a tag of YAML 1.1', 'a: !!binary aGk=\n', ':1:4: tags such as !name are not supported'],
  ['an alias without anchor', 'a: *b\n', ':1:4: a: there is no anchor &b before this alias'],
  ['an alias inside its anchor', 'a: &a [1, *a]\n', ':1:11: a[1]: the alias *a stands inside what it stands for'],
  ['two documents', 'a: 1\n---\nb: 2\n', ':2:1: only one YAML document a file (remove the --- line)'],
  ['a tab', 'a:\n\tb: 1\n', ':2:1: is indented with a tab: YAML wants spaces'],
  ['an open quote', 'a: "b\nc: d\n', ':3:1: a closing quote, a comma, a colon or a space is missing here'],
  [
    'an unquoted reference in braces',
    'a: { b: ${C} }\n',
    ':1:10: is not valid YAML (UNEXPECTED_TOKEN); inside { } and [ ] a text with ${…} goes in quotes',
  ],
  ['a list as the whole', '- a\n', ':1:1: the file must hold a map: keys and values'],
  ['text as the whole', 'hello\n', ':1:1: the file must hold a map: keys and values'],
  ['not UTF-8', Uint8Array.from([0x61, 0x3a, 0x20, 0xff]), ': is not UTF-8 text'],
  ['more than 4 MiB', `# ${'x'.repeat(4 * 1024 * 1024)}\n`, ': is larger than 4 MiB'],
  ['deep', `a: ${'['.repeat(70)}${']'.repeat(70)}\n`, `:1:68: a${'[0]'.repeat(64)}: is nested too deeply`],
];

describe('a YAML file that cannot be used', () => {
  it.each(files)('%s', async (_what, text, ...problems) => {
    expect(await problemsOf(text)).toEqual(problems.map((problem) => `a.yaml${problem}`));
  });

  it('is told quickly where it is very deep', async () => {
    expect(await problemsOf(`a: ${'['.repeat(100_000)}`)).toEqual([expect.stringContaining('is nested too deeply')]);
  });

  it('is told quickly where its aliases stand for billions', async () => {
    const lines = Array.from({ length: 12 }, (_, level) => {
      const items = Array.from({ length: 10 }, () => (level === 0 ? 'lol' : `*x${level - 1}`));
      return `x${level}: &x${level} [${items.join(', ')}]`;
    });
    expect(await problemsOf(lines.join('\n'))).toEqual([
      'a.yaml:6:9: x5: its aliases stand for more than 200,000 values',
    ]);
  });

  it('S1: no message quotes the file', async () => {
    for (const text of [
      'a: hunter2: x',
      'a: "\\qhunter2"',
      'a: [hunter2',
      'a: {b: hunter2} hunter2',
      '- hunter2\nhunter2',
      'a: >x hunter2\n',
    ]) {
      const problems = await problemsOf(text);
      expect(problems.length).toBeGreaterThan(0);
      expect(problems.join()).not.toContain('hunter2');
    }
  });
});

describe('a YAML file that can be used', () => {
  it('may have anchors and aliases, a BOM, comments, and words of YAML 1.1 as text', async () => {
    const settings = await load(
      `\uFEFF# a comment\n${BASE}policies:
  default: { provisional: off, verify: &v { timeout: 5m } }
  other: { verify: *v }
credentials:
  - { issuer: data8, match: { clientId: [yes, no] }, policy: other, suspend: true }
`,
    );
    expect(settings.rules[0]).toMatchObject({
      match: { clientId: ['yes', 'no'] },
      policy: { name: 'other', provisional: null, verify: { timeout: 300_000 } },
    });
  });

  it('tells a problem inside an anchor once', async () => {
    expect(await problemsOf(`${BASE}policies:\n  a: { verify: &v { timeout: x } }\n  b: { verify: *v }\n`)).toEqual([
      'a.yaml:7:30: policies.a.verify.timeout: must be a duration such as 45s, 15m, 36h or 90d',
    ]);
  });
});
