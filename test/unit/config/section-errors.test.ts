import { describe, expect, it } from 'vitest';
import { backends } from '../../../src/compose/backends.ts';
import { BASE, problemsOf } from './loading.ts';

/** Sections in place of BASE's, and all that is said of them. */
const sections: readonly [what: string, text: string, ...problems: string[]][] = [
  ['issuer without its type', 'issuers: { a: { baseUrl: x } }', '2:12: issuers.a.type: is required'],
  [
    'issuer of an unknown type',
    'issuers: { a: { type: data9 } }',
    '2:23: issuers.a.type: unknown type "data9"; did you mean data8? (known: data8)',
  ],
  [
    'issuer without what its type asks for',
    'issuers: { a: { type: data8, clientId: "", clientSecret: x } }',
    '2:12: issuers.a.baseUrl: is required',
    '2:40: issuers.a.clientId: must not be empty',
  ],
  [
    'a mistyped option',
    'issuers: { a: { type: data8, baseUrl: "https://a", clientId: a, clientSecret: b, timout: 5s } }',
    '2:82: issuers.a.timout: unknown key; did you mean timeout?',
  ],
  [
    'a URL without https, told once',
    'issuers: { a: { type: data8, baseUrl: "http://a.example", clientId: a, clientSecret: b } }',
    '2:39: issuers.a.baseUrl: must start with https:// (http:// is for this machine itself: localhost, 127.0.0.1, [::1])',
  ],
  [
    'a URL that its schema does not look at',
    'issuers: { a: { type: data8, baseUrl: "https://a", tokenUrl: "ftp://a", clientId: a, clientSecret: b } }',
    '2:62: issuers.a.tokenUrl: must start with https:// (http:// is for this machine itself: localhost, 127.0.0.1, [::1])',
  ],
  [
    'a URL with a password',
    'issuers: { a: { type: data8, baseUrl: "https://a:b@c", clientId: a, clientSecret: b } }',
    '2:39: issuers.a.baseUrl: must not hold a user name or password',
  ],
  ['an issuer that is no map', 'issuers: { a: 5 }', '2:15: issuers.a: must be a map: keys and values'],
  [
    'a name that cannot be one',
    'issuers: { "a b": { type: data8, baseUrl: "https://a", clientId: a, clientSecret: b } }',
    '2:12: issuers["a b"]: the name must be 1 to 63 letters, digits, dots, dashes or underscores, and start with a letter or digit',
  ],
];

describe('problems of issuers', () => {
  it.each(sections)('%s', async (_what, text, ...problems) => {
    expect(await problemsOf(`instance: prod\n${text}\n`)).toEqual(problems.map((problem) => `a.yaml:${problem}`));
  });

  it.each([
    'http://localhost:1/x',
    'http://127.0.0.1',
    'http://127.8.9.1:80',
    'http://[::1]:8080',
    'https://a.example/b',
  ])('takes %s', async (url) => {
    expect(await problemsOf(BASE.replace('https://api.example', url))).toEqual([]);
  });

  it.each(['http://127.0.0.1.example', 'http://localhost.example', 'http://0.0.0.0', 'https//x', 'file:///etc'])(
    'refuses %s',
    async (url) => {
      expect(await problemsOf(BASE.replace('https://api.example', url))).toHaveLength(1);
    },
  );
});

const vaults: readonly [what: string, text: string, ...problems: string[]][] = [
  [
    'unknown type',
    '{ type: foldr, path: x }',
    '5:18: vaults.local.type: unknown type "foldr"; did you mean folder? (known: folder, spaces)',
  ],
  [
    'a mistyped common key',
    '{ type: folder, path: x, readback: 5s }',
    '5:35: vaults.local.readback: unknown key; did you mean readBack?',
  ],
  [
    'a mistyped option',
    '{ type: folder, pth: x }',
    '5:3: vaults.local.path: is required',
    '5:26: vaults.local.pth: unknown key; did you mean path?',
  ],
  [
    'a bad common key',
    '{ type: folder, path: x, requestsPerSecond: 0 }',
    '5:54: vaults.local.requestsPerSecond: must be above 0',
  ],
  [
    'a URL',
    '{ type: folder, path: x, apiUrl: "http://10.0.0.1" }',
    '5:43: vaults.local.apiUrl: must start with https:// (http:// is for this machine itself: localhost, 127.0.0.1, [::1])',
  ],
  [
    'a key that a lenient schema would drop',
    '{ type: spaces, pickt: 1 }',
    '5:26: vaults.local.pickt: unknown key; did you mean picky?',
  ],
];

describe('problems of vaults', () => {
  it.each(vaults)('%s', async (_what, text, ...problems) => {
    const config = BASE.replace('{ type: folder, path: ./vault }', text);
    expect(await problemsOf(config)).toEqual(problems.map((problem) => `a.yaml:${problem}`));
  });

  it.each([
    ['the options of a module', '{ type: module, module: ./mine.mjs, options: { redisUrl: "redis://10.0.0.1" } }'],
    ['tags', '{ type: aws-secrets-manager, region: eu-west-2, tags: { repoUrl: "ssh://git.example/x" } }'],
  ])('a URL in what is only handed on is not ours to judge: %s', async (_what, text) => {
    const config = BASE.replace('{ type: folder, path: ./vault }', text);
    expect(await problemsOf(config, { backends })).toEqual([]);
  });
});
