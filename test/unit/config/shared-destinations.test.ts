import { describe, expect, it } from 'vitest';
import { BASE, problemsOf } from './loading.ts';

const VAULTS = `  same: { type: folder, path: /etc/rekeyd/vault }
  other: { type: folder, path: ./other }
  k8s: { type: spaces }
  k8s2: { type: spaces }
`;

/** Rules from line 10 on: what identifies the credential, and where it goes. */
function rulesOf(...rules: (readonly [match: string, ...deliver: string[]])[]): string {
  const lines = rules.map(
    ([match, ...deliver]) =>
      `  - { issuer: data8, match: ${match}, deliver: [${deliver.map((to) => `{ ${to} }`).join(', ')}] }\n`,
  );
  return `${BASE}${VAULTS}credentials:\n${lines.join('')}`;
}

const ONE = '{ clientId: a }';
const TWO = '{ clientId: b }';
const X = 'vault: local, name: x';
const NAMED = 'vault: local, name: "{name}"';
const TAKEN = 'credentials[0] delivers to this entry already: an entry holds the secret of one credential';
const AGAIN = 'this rule delivers there already';

describe('C4: a destination that the rules prove to be shared', () => {
  it.each([
    [
      'two rules, one entry',
      [
        [ONE, X],
        [TWO, X],
      ],
      [TAKEN],
    ],
    [
      'two rules, entries that are one to the vault',
      [
        [ONE, X],
        [TWO, 'vault: local, name: X'],
      ],
      [TAKEN],
    ],
    [
      'two rules, one store under two names',
      [
        [ONE, X],
        [TWO, 'vault: same, name: x'],
      ],
      [TAKEN],
    ],
    [
      'two rules, one entry by placeholders that are fixed',
      [
        [ONE, 'vault: local, name: "prod/data8"'],
        [TWO, 'vault: local, name: "{instance}/{issuer}"'],
      ],
      [TAKEN],
    ],
    [
      'two rules, one name in one namespace',
      [
        [ONE, 'vault: k8s, name: x, namespace: n'],
        [TWO, 'vault: k8s, name: x, namespace: n'],
      ],
      [TAKEN],
    ],
    [
      'two rules with globs, one entry',
      [
        ['{ clientId: "a*" }', X],
        ['{ clientId: "b*" }', X],
      ],
      [TAKEN],
    ],
    [
      'two rules, one entry by the one name that both give',
      [
        ['{ clientId: a }, name: one', 'vault: local, name: "data8/{name}"'],
        ['{ clientId: b }, name: one', 'vault: local, name: "data8/{name}"'],
      ],
      [TAKEN],
    ],
    [
      'two rules, one entry by a name that is made of the clientId',
      [
        ['{ clientId: a }, name: "{instance}-{clientId}"', NAMED],
        ['{ clientId: b }', 'vault: local, name: prod-a'],
      ],
      [TAKEN],
    ],
    [
      'two rules, one entry by a clientId that is one text',
      [
        [ONE, 'vault: local, name: "{clientId}"'],
        [TWO, 'vault: local, name: a'],
      ],
      [TAKEN],
    ],
    [
      'two rules, one entry by a description that is one text',
      [
        ['{ description: Billing }', 'vault: local, name: "{description}"'],
        [TWO, 'vault: local, name: billing'],
      ],
      [TAKEN],
    ],
    [
      'two rules, one entry by the name that a description comes to',
      [
        ['{ description: Old Till }', NAMED],
        ['{ clientId: b, description: Old-till }', NAMED],
      ],
      [TAKEN],
    ],
    [
      'two rules, one entry, though the first one takes part of what the second one matches',
      [
        [ONE, X],
        ['{ clientId: [a, b] }', X],
      ],
      [TAKEN],
    ],
    ['one rule, twice the same entry', [[ONE, X, X]], [AGAIN]],
    ['one rule with a glob, twice the same entry', [['{ clientId: "a*" }', X, 'vault: local, name: X']], [AGAIN]],
    [
      'one rule, the same entry once by placeholder',
      [[ONE, 'vault: local, name: "{clientId}"', 'vault: same, name: A']],
      [AGAIN],
    ],
    [
      'one rule, twice the same by placeholder',
      [['{ clientId: "a*" }', 'vault: local, name: "{clientId}"', 'vault: same, name: "{clientId}"']],
      [AGAIN],
    ],
  ] as const)('%s', async (_what, rules, messages) => {
    const problems = await problemsOf(rulesOf(...rules));
    expect(problems.map((problem) => problem.replace(/^.*?\.name: /, ''))).toEqual(messages);
    expect(problems[0]).toMatch(/^a\.yaml:1[12]:\d+: credentials\[[01]\]\.deliver\[[01]\]\.name: /);
  });

  it.each([
    [
      'another entry',
      [
        [ONE, X],
        [TWO, 'vault: local, name: y'],
      ],
    ],
    [
      'another vault',
      [
        [ONE, X],
        [TWO, 'vault: other, name: x'],
      ],
    ],
    [
      'another namespace',
      [
        [ONE, 'vault: k8s, name: x, namespace: n'],
        [TWO, 'vault: k8s, name: x, namespace: m'],
      ],
    ],
    [
      'vaults with nothing written that would tell them apart',
      [
        [ONE, 'vault: k8s, name: x, namespace: n'],
        [TWO, 'vault: k8s2, name: x, namespace: n'],
      ],
    ],
    [
      'names that depend on the credential',
      [
        ['{ clientId: "a*" }', 'vault: local, name: "{clientId}"'],
        ['{ clientId: "b*" }', 'vault: local, name: "{clientId}"'],
      ],
    ],
    [
      'a namespace that depends on the credential',
      [['{ clientId: "{n}-x" }', 'vault: k8s, name: x, namespace: "{n}"']],
    ],
    ['a glob, which may match one only', [['{ clientId: "a*" }', X]]],
    ['a list, of which one only may be there', [['{ clientId: [a, b] }', X]]],
    ['a capture, one entry', [['{ description: "{app}" }', X]]],
    ['one description', [['{ description: Billing }', X]]],
    [
      'one name in rules whose clientIds are open',
      [
        ['{ clientId: "a*" }, name: "{clientId}"', NAMED],
        ['{ clientId: "b*" }, name: "{clientId}"', NAMED],
      ],
    ],
    [
      'the name that two descriptions come to is not the same',
      [
        ['{ description: Old Till }', NAMED],
        ['{ description: New Till }', NAMED],
      ],
    ],
    [
      'a rule that never wins, for the same credential',
      [
        [ONE, X],
        ['{ clientId: a, description: "b*" }', X],
      ],
    ],
    [
      'a rule that never wins, behind two that take what it matches',
      [
        [ONE, X],
        [TWO, 'vault: local, name: y'],
        ['{ clientId: [b, a] }', X],
      ],
    ],
    [
      'a rule that never wins, behind one for all',
      [
        ['{ clientId: "*" }', X],
        ['{ clientId: "b*" }', X],
      ],
    ],
    [
      'one credential, by what it is described as',
      [
        ['{ clientId: a, description: "*(prod)" }', X],
        ['{ clientId: a, description: "*(test)" }', X],
      ],
    ],
    ['one clientId beside an open description', [['{ clientId: a, description: "*" }', X]]],
  ] as const)('not: %s', async (_what, rules) => {
    expect(await problemsOf(rulesOf(...rules))).toEqual([]);
  });

  it('ignored rules claim nothing', async () => {
    const text = rulesOf([ONE, X], [TWO, X]).replace('match: { clientId: a }', 'ignore: true, match: { clientId: a }');
    expect(await problemsOf(text)).toEqual([]);
  });
});

describe('V10: told when the configuration is loaded', () => {
  it.each([
    [
      'a name that the vault lacks characters for',
      [ONE, 'vault: local, name: "a b"'],
      `vault local cannot hold an entry named "a b": 'a b' has characters that it lacks`,
    ],
    [
      'S5: a way out of the folder',
      [ONE, 'vault: local, name: a/../../b'],
      `vault local cannot hold an entry named "a/../../b": a part of it is '.' or '..'`,
    ],
    [
      'S5: an encoded separator',
      [ONE, 'vault: k8s, namespace: n, name: "a%2Fb"'],
      'vault k8s cannot hold an entry named "a%2Fb": it has an encoded separator',
    ],
    [
      'S5: nothing but spaces',
      [ONE, 'vault: k8s, namespace: n, name: "  "'],
      'vault k8s cannot hold an entry named "  ": it is empty',
    ],
    [
      'S7: a control character',
      [ONE, 'vault: k8s, namespace: n, name: "a\\tb"'],
      'vault k8s cannot hold an entry named "a\\tb": it has control characters',
    ],
  ] as const)('%s', async (_what, rule, message) => {
    const problems = await problemsOf(rulesOf(rule));
    expect(problems.map((problem) => problem.replace(/^.*?\.name: /, ''))).toEqual([message]);
  });

  it('a template that is larger than the vault takes', async () => {
    const template = `${'x'.repeat(201)}{clientSecret}`;
    const text = (vault: string) => rulesOf([ONE, `vault: ${vault}, name: x, format: text, template: "${template}"`]);
    expect(await problemsOf(text('local'))).toEqual([
      expect.stringMatching(
        /^a\.yaml:11:\d+: .*template: has 201 bytes before anything is filled in; this vault takes 200$/,
      ),
    ]);
    expect(await problemsOf(text('k8s, namespace: n'))).toEqual([]);
  });
});
