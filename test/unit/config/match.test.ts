import { describe, expect, it } from 'vitest';
import { createMatcher, termsDigest } from '../../../src/config/match.ts';
import type { Installed } from '../../../src/config/match.ts';
import { MODES } from '../../../src/config/settings.ts';
import type { Settings } from '../../../src/config/settings.ts';
import type { ManagedTerms, Terms } from '../../../src/config/terms.ts';
import { BASE, fakeBackends, load } from './loading.ts';

async function settingsOf(rules: string): Promise<Settings> {
  return load(`${BASE}  k8s: { type: spaces }\npolicies: { slow: { lifetime: 200d } }\ncredentials:\n${rules}`);
}

async function termsOf(rules: string, clientId: string, description = ''): Promise<Terms> {
  return createMatcher(await settingsOf(rules), fakeBackends.vaults)('data8', { clientId, description });
}

async function managed(rules: string, clientId: string, description = ''): Promise<ManagedTerms> {
  const terms = await termsOf(rules, clientId, description);
  if (terms.kind !== 'managed') throw new Error(terms.kind);
  return terms;
}

const TO = 'deliver: [{ vault: local, name: "x/{clientId}" }]';

describe('createMatcher', () => {
  it.each([
    ['legacy-1', 'Old (prod)', 'ignored'],
    ['a-1', 'Old (prod)', 'first'],
    ['b-1', 'Old (prod)', 'second'],
    ['b-1', 'Old', 'unmanaged'],
    ['c', 'Old', 'third'],
    ['d', 'Old', 'third'],
    ['e', 'Old', 'unmanaged'],
  ])('the first rule that matches has %s, %s: %s', async (clientId, description, expected) => {
    const rules = `  - { issuer: data8, match: { clientId: legacy-* }, ignore: true }
  - { issuer: data8, match: { clientId: a-*, description: "* (prod)" }, name: first, ${TO} }
  - { issuer: data8, match: { description: "* (prod)" }, name: second, ${TO} }
  - { issuer: data8, match: { clientId: [c, d] }, name: third, ${TO} }
`;
    const terms = await termsOf(rules, clientId, description);
    expect(terms.kind === 'managed' ? terms.name : terms.kind).toBe(expected);
  });

  it('keeps issuers apart', async () => {
    const settings = await settingsOf(`  - { issuer: data8, match: { clientId: "*" }, ${TO} }\n`);
    const matcher = createMatcher(settings, fakeBackends.vaults);
    expect(matcher('elsewhere', { clientId: 'a', description: '' })).toEqual({ kind: 'unmanaged' });
  });

  it('resolves names, options and placeholders', async () => {
    const terms = await managed(
      `  - issuer: data8
    match: { clientId: "{team}-*", description: "{app} ({env})" }
    name: "{env}-{app}-{team}"
    policy: slow
    suspend: true
    deliver:
      - { vault: local, name: "{instance}/{issuer}/{name}", format: value, labels: { who: "{clientId}" } }
      - { vault: k8s, namespace: "{env}", name: "{app}", fields: { id: "{clientId}", key: "{clientSecret}" } }
`,
      'red-17',
      'Shop (prod)',
    );
    expect(terms).toMatchObject({ suspended: true, name: 'prod-Shop-red', problems: [], policy: { name: 'slow' } });
    expect(terms.names).toEqual({
      clientId: 'red-17',
      description: 'Shop (prod)',
      name: 'prod-Shop-red',
      issuer: 'data8',
      instance: 'prod',
      tokenUrl: 'https://auth.example/connect/token',
      team: 'red',
      app: 'Shop',
      env: 'prod',
    });
    expect(terms.destinations).toEqual([
      {
        vault: 'local',
        entry: 'prod/data8/prod-shop-red',
        options: { labels: { who: 'red-17' } },
        format: { kind: 'value' },
      },
      {
        vault: 'k8s',
        entry: 'prod/Shop',
        options: { namespace: 'prod' },
        format: { kind: 'fields', fields: { id: '{clientId}', key: '{clientSecret}' } },
      },
    ]);
  });

  it('takes {tokenUrl} from where it is told', async () => {
    const settings = await settingsOf(`  - { issuer: data8, match: { clientId: "*" }, ${TO} }\n`);
    const matcher = createMatcher(settings, fakeBackends.vaults, {
      tokenUrlOf: (issuer) => `https://${issuer}.example`,
    });
    const terms = matcher('data8', { clientId: 'a', description: '' });
    expect(terms).toMatchObject({ names: { tokenUrl: 'https://data8.example' } });
  });

  it.each([
    ['Billing (prod)', 'billing-prod'],
    ['Büro 7 — Café', 'buro-7-cafe'],
    ['  --- ', 'id-1'],
    ['', 'id-1'],
    ['日本', 'id-1'],
  ])('calls %j by default %s', async (description, expected) => {
    const terms = await managed(`  - { issuer: data8, match: { clientId: "*" }, ${TO} }\n`, 'id-1', description);
    expect(terms.name).toBe(expected);
  });

  it('does not look again at what it put in', async () => {
    const terms = await managed(
      `  - { issuer: data8, match: { clientId: "*" }, name: "{description}", deliver: [{ vault: k8s, namespace: n, name: "{name}" }] }\n`,
      'id',
      '{clientId}{clientSecret}',
    );
    expect(terms.name).toBe('{clientId}{clientSecret}');
    expect(terms.destinations[0]?.entry).toBe('n/{clientId}{clientSecret}');
  });

  it.each([
    [
      'S5: a way out of the folder',
      'a/../../etc',
      "vault local cannot hold an entry named \"x/a/../../etc\": a part of it is '.' or '..'",
    ],
    ['S5: with backslashes', '..\\x', "a part of it is '.' or '..'"],
    ['S5: encoded', 'a%2e%2e', 'an encoded separator'],
    ['S7: control characters', 'a\u001b[31m', 'named "x/a\\u001b[31m": it has control characters'],
    ['V10: what its vault refuses', 'a b', "'x/a b' has characters that it lacks"],
    ['longer than any vault takes', 'a'.repeat(1100), 'it has more than 1024 characters'],
  ])('tells of a name that cannot be used: %s', async (_what, description, problem) => {
    const terms = await managed(
      '  - { issuer: data8, match: { clientId: "*" }, deliver: [{ vault: local, name: "x/{description}" }, { vault: local, name: "y/{clientId}" }] }\n',
      'id',
      description,
    );
    expect(terms.problems).toEqual([expect.stringContaining(problem)]);
    expect(terms.destinations.map((destination) => destination.entry)).toEqual(['y/id']);
  });

  it('V10: tells of two names that are one entry', async () => {
    const terms = await managed(
      '  - { issuer: data8, match: { clientId: "*" }, deliver: [{ vault: local, name: "{clientId}" }, { vault: local, name: "{description}" }] }\n',
      'Same',
      'sAME',
    );
    expect(terms.problems).toEqual(['vault local: two destinations are one entry, "same"']);
    expect(terms.destinations).toHaveLength(1);
  });

  it('refuses patterns that no loader has seen', async () => {
    const settings = await settingsOf(`  - { issuer: data8, match: { clientId: "*" }, ${TO} }\n`);
    const rule = { ...settings.rules[0]!, match: { clientId: ['{a}{b}'], description: null } };
    expect(() => createMatcher({ ...settings, rules: [rule] }, fakeBackends.vaults)).toThrow('nothing stands between');
  });
});

describe('termsDigest', () => {
  const rule = (
    extra: string,
    deliver = '{ vault: local, name: "{clientId}", fields: { a: "{clientSecret}" } }',
  ): string => `  - { issuer: data8, match: { clientId: "*" }, name: n, ${extra} deliver: [${deliver}] }\n`;
  const vaults = new Map([['local', { identity: 'file:/here' }]]);
  const digestOf = async (rules: string, description = 'd', installed: Partial<Installed> = {}) =>
    termsDigest(await termsOf(rules, 'id', description), { instance: 'prod', mode: 'active', vaults, ...installed });

  it('is the same for the same terms, and short', async () => {
    const digest = await digestOf(rule(''));
    expect(digest).toMatch(/^[0-9a-f]{16}$/);
    expect(await digestOf(rule(''))).toBe(digest);
    expect(await digestOf(rule('policy: default,'))).toBe(digest);
    expect(await digestOf(rule(''), 'another description that nothing uses')).toBe(digest);
    const two = '{ vault: local, name: x-{clientId}, labels: { a: "1", b: "2" } }'.replace(
      'x-{clientId}',
      '"x-{clientId}"',
    );
    expect(await digestOf(rule('', two))).toBe(
      await digestOf(rule('', two.replace('a: "1", b: "2"', 'b: "2", a: "1"'))),
    );
  });

  it.each([
    ['suspension', rule('suspend: true,')],
    ['another policy', rule('policy: slow,')],
    ['a policy inline', rule('policy: { grace: 1d },')],
    ['another way to verify', rule('policy: { verify: { settle: 1m } },')],
    ['another name', rule('').replace('name: n,', 'name: m,')],
    ['another entry', rule('', '{ vault: local, name: "x-{clientId}", fields: { a: "{clientSecret}" } }')],
    ['another field', rule('', '{ vault: local, name: "{clientId}", fields: { b: "{clientSecret}" } }')],
    ['another format', rule('', '{ vault: local, name: "{clientId}", format: value }')],
    ['another option', rule('', '{ vault: local, name: "{clientId}", mode: "1", fields: { a: "{clientSecret}" } }')],
    ['one destination less', rule('suspend: true,', '')],
  ])('changes with %s', async (_what, rules) => {
    expect(await digestOf(rules)).not.toBe(await digestOf(rule('')));
  });

  it('changes with the mode: what was held back by it is to be looked at', async () => {
    const digests = await Promise.all(MODES.map((mode) => digestOf(rule(''), 'd', { mode })));
    expect(new Set(digests).size).toBe(3);
  });

  it('changes with the instance: whose marks are ours', async () => {
    expect(await digestOf(rule(''), 'd', { instance: 'other' })).not.toBe(await digestOf(rule('')));
  });

  it('changes with the store that a vault of the same name is: nothing was delivered to that one', async () => {
    const elsewhere = { vaults: new Map([['local', { identity: 'file:/elsewhere' }]]) };
    expect(await digestOf(rule(''), 'd', elsewhere)).not.toBe(await digestOf(rule('')));
  });

  it('changes with a description that the payload shows', async () => {
    const rules = rule('', '{ vault: local, name: "{clientId}", fields: { a: "{clientSecret}", b: "{description}" } }');
    expect(await digestOf(rules, 'one')).not.toBe(await digestOf(rules, 'two'));
  });

  it('is a word for what is not managed', () => {
    expect(termsDigest({ kind: 'ignored' }, { instance: 'prod', mode: 'observe', vaults })).toBe('ignored');
    expect(termsDigest({ kind: 'unmanaged' }, { instance: 'prod', mode: 'observe', vaults })).toBe('unmanaged');
  });
});
