import { describe, expect, it } from 'vitest';
import { problemsOf, withRules } from './loading.ts';

/** One place of a rule, and all that is said of it. */
const deliveries: readonly [what: string, text: string, ...problems: string[]][] = [
  [
    'an unknown vault',
    '{ vault: locl, name: "{clientId}" }',
    '10:18: vault: there is no vault "locl"; did you mean local?',
  ],
  ['no name', '{ vault: local }', '10:9: name: is required'],
  [
    'a mistyped key',
    '{ vault: local, name: "{clientId}", fromat: json }',
    '10:45: fromat: unknown key; did you mean format?',
  ],
  [
    "a mistyped key of the vault's type",
    '{ vault: local, name: "{clientId}", lables: {} }',
    '10:45: lables: unknown key; did you mean labels?',
  ],
  ["a key that the vault's type asks for", '{ vault: k8s, name: "{clientId}" }', '10:9: namespace: is required'],
  [
    'an unknown format',
    '{ vault: local, name: "{clientId}", format: yaml }',
    '10:53: format: must be one of json, value, text',
  ],
  [
    'text without template',
    '{ vault: local, name: "{clientId}", format: text }',
    '10:53: format: format text needs a template',
  ],
  [
    'a template without text',
    '{ vault: local, name: "{clientId}", template: "{clientSecret}" }',
    '10:45: template: goes with format text, not json',
  ],
  [
    'fields without json',
    '{ vault: local, name: "{clientId}", format: value, fields: { a: "{clientSecret}" } }',
    '10:60: fields: goes with format json, not value',
  ],
  [
    'a payload without the secret',
    '{ vault: local, name: "{clientId}", fields: { a: "{clientId}" } }',
    '10:53: fields: does not hold {clientSecret}: such an entry could not be proven',
  ],
  [
    'a template without the secret',
    '{ vault: local, name: "{clientId}", format: text, template: x }',
    '10:69: template: does not hold {clientSecret}: such an entry could not be proven',
  ],
  [
    "fields that the vault's type cannot keep",
    '{ vault: local, name: "{clientId}", fields: { a: "{clientSecret}", b: x, c: x, d: x, e: x } }',
    '10:53: fields: are 5; 4 are the most',
  ],
  [
    'an unknown placeholder in a field',
    '{ vault: local, name: "{clientId}", fields: { a: "{clientSecret}{secretid}" } }',
    '10:58: fields.a: unknown placeholder {secretid}; did you mean secretId?',
  ],
  [
    'an unknown placeholder in a template',
    '{ vault: local, name: "{clientId}", format: text, template: "{clientSecret} {app}" }',
    '10:69: template: unknown placeholder {app}',
  ],
  ['an unknown placeholder in a name', '{ vault: local, name: "{ap}" }', '10:31: name: unknown placeholder {ap}'],
  ['the secret in a name', '{ vault: local, name: "{secretId}" }', '10:31: name: {secretId} cannot be part of a name'],
  [
    'an unknown placeholder in an option',
    '{ vault: local, name: "{clientId}", labels: { a: "{b}" } }',
    '10:58: labels.a: unknown placeholder {b}',
  ],
  [
    'a field that is no text',
    '{ vault: local, name: "{clientId}", fields: { a: 5 } }',
    '10:58: fields.a: must be text (put it in quotes)',
  ],
];

describe('problems of deliveries', () => {
  it.each(deliveries)('%s', async (_what, text, ...problems) => {
    const config = withRules(
      `  - issuer: data8\n    match: { clientId: "*" }\n    deliver:\n      - ${text}\n`,
    ).replace('credentials:', '  k8s: { type: spaces }\ncredentials:');
    expect(await problemsOf(config)).toEqual(
      problems.map(
        (problem) =>
          `a.yaml:${problem.replace(/^(\d+):(\d+): /, (_, line: string, column: string) => `${Number(line) + 1}:${column}: credentials[0].deliver[0].`)}`,
      ),
    );
  });

  it("options that the vault's type cannot give any entry, whatever its name", async () => {
    const deliver = '{ vault: local, name: "{clientId}", mode: "0777" }';
    expect(
      await problemsOf(withRules(`  - { issuer: data8, match: { clientId: "*" }, deliver: [${deliver}] }\n`)),
    ).toEqual(['a.yaml:7:58: credentials[0].deliver[0]: would be open to all at /etc/rekeyd/vault']);
  });
});
