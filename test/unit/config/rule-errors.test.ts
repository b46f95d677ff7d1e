import { describe, expect, it } from 'vitest';
import { problemsOf, withRules } from './loading.ts';

const TO = 'deliver: [{ vault: local, name: "{clientId}" }]';

/** One rule on line 7 (its keys on lines 7 ff.), and all that is said of it. */
const rules: readonly [what: string, text: string, ...problems: string[]][] = [
  [
    'an unknown issuer',
    `- issuer: data9\n    match: { clientId: "*" }\n    ${TO}`,
    '7:13: credentials[0].issuer: there is no issuer "data9"; did you mean data8?',
  ],
  ['no issuer', `- match: { clientId: "*" }\n    ${TO}`, '7:5: credentials[0].issuer: is required'],
  ['no match', `- issuer: data8\n    ${TO}`, '7:5: credentials[0].match: is required'],
  [
    'an empty match',
    `- issuer: data8\n    match: {}\n    ${TO}`,
    '8:12: credentials[0].match: clientId, description or both are required ("*" matches all)',
  ],
  [
    'an empty list',
    `- issuer: data8\n    match: { clientId: [] }\n    ${TO}`,
    '8:24: credentials[0].match.clientId: must not be empty',
  ],
  [
    'a number as pattern',
    `- issuer: data8\n    match: { clientId: 5 }\n    ${TO}`,
    '8:24: credentials[0].match.clientId: must be text (put it in quotes) or a list',
  ],
  [
    'a mistyped key in match',
    `- issuer: data8\n    match: { clientID: a }\n    ${TO}`,
    '8:14: credentials[0].match.clientID: unknown key; did you mean clientId?',
  ],
  [
    'gaps side by side',
    `- issuer: data8\n    match: { clientId: ["{a}{b}"] }\n    ${TO}`,
    '8:25: credentials[0].match.clientId[0]: nothing stands between {b} and what is before it, so that it is unclear what each takes',
  ],
  [
    'a capture twice',
    `- issuer: data8\n    match: { clientId: "{a}-{a}" }\n    ${TO}`,
    '8:24: credentials[0].match.clientId: {a} is there twice',
  ],
  [
    'a capture in both',
    `- issuer: data8\n    match: { clientId: "x{a}", description: "y{a}" }\n    ${TO}`,
    '8:45: credentials[0].match.description: {a} is captured from the clientId already',
  ],
  [
    'a capture with a name that is taken',
    `- issuer: data8\n    match: { clientId: "x{clientSecret}" }\n    ${TO}`,
    '8:24: credentials[0].match.clientId: {clientSecret} has a meaning of its own and cannot be captured',
  ],
  [
    'an unknown policy',
    `- issuer: data8\n    match: { clientId: "*" }\n    policy: fast\n    ${TO}`,
    '9:13: credentials[0].policy: there is no policy "fast"',
  ],
  [
    'a bad policy inline',
    `- issuer: data8\n    match: { clientId: "*" }\n    policy: { grace: 40d }\n    ${TO}`,
    '9:22: credentials[0].policy.grace: grace must be below renewBefore (not set here; it has 30d by default)',
  ],
  [
    'a mistyped policy inline',
    `- issuer: data8\n    match: { clientId: "*" }\n    policy: { grce: 4d }\n    ${TO}`,
    '9:15: credentials[0].policy.grce: unknown key; did you mean grace?',
  ],
  [
    'no destination',
    `- issuer: data8\n    match: { clientId: "*" }`,
    '7:5: credentials[0].deliver: at least one destination is required (or ignore: true, or suspend: true)',
  ],
  [
    'an empty list of destinations',
    `- issuer: data8\n    match: { clientId: "*" }\n    deliver: []`,
    '9:14: credentials[0].deliver: at least one destination is required (or ignore: true, or suspend: true)',
  ],
  ['a rule that is no map', '- data8', '7:5: credentials[0]: must be a map: issuer, match, …'],
  [
    'a name made of itself',
    `- issuer: data8\n    match: { clientId: "*" }\n    name: "{name}-x"\n    ${TO}`,
    '9:11: credentials[0].name: {name} cannot be made of itself',
  ],
  [
    'a name made of the secret',
    `- issuer: data8\n    match: { clientId: "*" }\n    name: "{clientSecret}"\n    ${TO}`,
    '9:11: credentials[0].name: {clientSecret} cannot be part of a name',
  ],
  [
    'a name with an unknown placeholder',
    `- issuer: data8\n    match: { clientId: "*" }\n    name: "{clientID}"\n    ${TO}`,
    '9:11: credentials[0].name: unknown placeholder {clientID}; did you mean clientId?',
  ],
  [
    'a capture of some patterns only',
    `- issuer: data8\n    match: { clientId: ["{app}-x", "y"] }\n    name: "{app}"\n    ${TO}`,
    "9:11: credentials[0].name: {app} is captured by some of the rule's patterns, not by all",
  ],
  [
    'a destination that is no map',
    '- issuer: data8\n    match: { clientId: "*" }\n    deliver: [local]',
    '9:15: credentials[0].deliver[0]: must be a map: vault, name, …',
  ],
];

describe('problems of rules', () => {
  it.each(rules)('%s', async (_what, text, ...problems) => {
    expect(await problemsOf(withRules(`  ${text}\n`))).toEqual(problems.map((problem) => `a.yaml:${problem}`));
  });

  it('tells everything at once', async () => {
    const text = withRules(`  - issuer: data9
    match: { clientId: "{a}{b}" }
    policy: none
    deliver:
      - { vault: nowhere, name: "{x}" }
      - { vault: local, name: "{y}", format: text }
  - {}
`);
    expect((await problemsOf(text)).map((problem) => problem.split(': ')[1])).toEqual([
      'credentials[0].issuer',
      'credentials[0].match.clientId',
      'credentials[0].policy',
      'credentials[0].deliver[0].vault',
      'credentials[0].deliver[0].name',
      'credentials[0].deliver[1].name',
      'credentials[0].deliver[1].format',
      'credentials[1].issuer',
      'credentials[1].match',
      'credentials[1].deliver',
    ]);
  });
});
