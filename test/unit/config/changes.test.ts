import { describe, expect, it } from 'vitest';
import { changedKeys, isSame, NEEDS_RESTART } from '../../../src/config/changes.ts';
import { SecretValue } from '../../../src/domain/secret-value.ts';
import { BASE, load, withRules } from './loading.ts';

const RULE = '  - { issuer: data8, match: { clientId: "*" }, deliver: [{ vault: local, name: "{clientId}" }] }\n';

describe('what two configurations differ in', () => {
  it.each([
    ['nothing', BASE, BASE, []],
    ['a comment and the order of keys', BASE, `# other words\n${BASE}mode: active\n`, ['mode']],
    ['a schedule', BASE, `${BASE}schedule: "0 * * * *"\n`, ['schedule']],
    ['a default that is written out', BASE, `${BASE}schedule: "*/15 * * * *"\n`, []],
    ['a rule', BASE, withRules(RULE), ['credentials']],
    [
      'a policy that a rule names',
      withRules(RULE),
      `${withRules(RULE)}policies: { default: { grace: 13d } }\n`,
      ['credentials'],
    ],
    [
      'the same maintenance windows, read twice',
      `${withRules(RULE)}policies: { default: { windows: [{ start: "0 2 * * *", duration: 4h }] } }\n`,
      `${withRules(RULE)}policies: { default: { windows: [{ start: "0 2 * * *", duration: 4h }] } }\n`,
      [],
    ],
    [
      'other maintenance windows',
      `${withRules(RULE)}policies: { default: { windows: [{ start: "0 2 * * *", duration: 4h }] } }\n`,
      `${withRules(RULE)}policies: { default: { windows: [{ start: "0 3 * * *", duration: 4h }] } }\n`,
      ['credentials'],
    ],
    ['a policy that nothing names', withRules(RULE), `${withRules(RULE)}policies: { other: { grace: 13d } }\n`, []],
    ['a secret', BASE, BASE.replace('hush-hush', 'hush-hush-hush'), ['issuers']],
    ['an option of a vault', BASE, BASE.replace('./vault', './vault2'), ['vaults']],
    ['an instance', BASE, BASE.replace('instance: prod', 'instance: test'), ['instance']],
    ['a ledger', BASE, `${BASE}ledger: { type: memory }\n`, ['ledger']],
    [
      'a token',
      BASE,
      `${BASE}http: { tokens: [{ name: ci, role: viewer, token: "0123456789abcdef" }] }\n`,
      ['http.tokens'],
    ],
    [
      'a port and a limit',
      BASE,
      `${BASE}http: { port: 1, requestsPerSecond: 3 }\n`,
      ['http.port', 'http.requestsPerSecond'],
    ],
    [
      'a webhook',
      BASE,
      `${BASE}webhookHosts: [a.example]\nwebhooks: [{ name: a, url: "https://a.example", events: ["*"] }]\n`,
      ['webhooks'],
    ],
  ])('%s', async (_what, before, after, keys) => {
    const one = await load(before);
    const other = await load(after);
    const expected = _what.startsWith('a comment') && one.mode === 'active' ? [] : keys;
    expect(changedKeys(one, other)).toEqual(expected);
    expect(changedKeys(other, one)).toEqual(expected);
  });

  it('names each key of the settings, so that none changes unseen', async () => {
    const settings = await load(BASE);
    for (const key of Object.keys(settings)) {
      if (key === 'http') continue;
      expect(changedKeys(settings, { ...settings, [key]: 'something else' }), key).toHaveLength(1);
    }
    for (const key of Object.keys(settings.http)) {
      const http = { ...settings.http, [key]: 'something else' };
      expect(changedKeys(settings, { ...settings, http }), key).toEqual([`http.${key}`]);
    }
  });

  it('asks for a restart only for keys that there are', async () => {
    const settings = await load(BASE);
    const keys = [...Object.keys(settings), ...Object.keys(settings.http).map((key) => `http.${key}`)];
    expect([...NEEDS_RESTART].filter((key) => !keys.includes(key))).toEqual([]);
  });
});

describe('parts of settings', () => {
  it('are compared down to the secrets in them', () => {
    const part = (secret: string) => new Map([['a', { list: [1, { secret: SecretValue.of(secret) }], none: null }]]);
    expect(isSame(part('x'), part('x'))).toBe(true);
    expect(isSame(part('x'), part('y'))).toBe(false);
    expect(isSame(SecretValue.of('x'), 'x')).toBe(false);
    expect(isSame({ a: undefined }, {})).toBe(true);
    expect(isSame([1, 2], [1])).toBe(false);
    expect(isSame({}, [])).toBe(false);
    expect(isSame(null, {})).toBe(false);
    expect(
      isSame(
        () => 1,
        () => 1,
      ),
    ).toBe(false);
  });
});
