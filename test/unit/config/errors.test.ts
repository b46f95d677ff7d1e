import { describe, expect, it } from 'vitest';
import { BASE, problemsOf } from './loading.ts';

/** What the configuration adds to BASE (line 6 is its first line), and all that is said of it. */
const bad: readonly [what: string, text: string, ...problems: string[]][] = [
  ['unknown key', 'scheduel: "* * * * *"', '6:1: scheduel: unknown key; did you mean schedule?'],
  ['unknown key, nothing near', 'zzz: 1', '6:1: zzz: unknown key'],
  [
    'unknown key further down',
    'limits: { breaker: { failure: 1 } }',
    '6:22: limits.breaker.failure: unknown key; did you mean failures?',
  ],
  ['number out of bounds', 'http: { port: 70000 }', '6:15: http.port: must be at most 65535'],
  ['number with a fraction', 'limits: { concurrency: 1.5 }', '6:24: limits.concurrency: must be a whole number'],
  ['not a number', 'http: { port: many }', '6:15: http.port: must be a number'],
  ['nothing where a number is wanted', 'http: { port: }', '6:15: http.port: is empty: it must be a number'],
  ['too few', 'limits: { createsPerDay: 0 }', '6:26: limits.createsPerDay: must be at least 1'],
  ['too long', 'limits: { manualCooldown: 400d }', '6:27: limits.manualCooldown: must not be above 365d'],
  ['not a duration', 'resync: 15', '6:9: resync: must be text (put it in quotes)'],
  ['not a duration either', 'resync: 15 min', '6:9: resync: must be a duration such as 45s, 15m, 36h or 90d'],
  ['a duration of nothing', 'resync: 0s', '6:9: resync: must be at least 1ms'],
  ['an endless duration', 'resync: 99999d', '6:9: resync: must not be above 36500d'],
  ['not a word of the list', 'mode: fast', '6:7: mode: must be one of active, no-delete, observe'],
  [
    'neither word nor boolean',
    'metrics: { perCredential: maybe }',
    '6:27: metrics.perCredential: must be auto or true or false',
  ],
  ['a list for a map', 'http: []', '6:7: http: must be a map: keys and values'],
  ['a map for a list', 'credentials: { a: 1 }', '6:14: credentials: must be a list'],
  [
    'text for a map',
    'vaults2: 1\nlimits: many',
    '6:1: vaults2: unknown key; did you mean vaults?',
    '7:9: limits: must be a map: keys and values',
  ],
  [
    'cron that never fires',
    'schedule: 0 0 30 2 *',
    '6:11: schedule: never fires: there is no such day (the day of the month and the day of the week must both hold)',
  ],
  [
    'cron that never fires, by weekday',
    'schedule: 0 0 1-7 * 1#5',
    '6:11: schedule: never fires: there is no such day (the day of the month and the day of the week must both hold)',
  ],
  [
    'cron with a field too few',
    'schedule: "* * * *"',
    '6:11: schedule: is not a cron expression: it has 4 fields and not 5, or 6 with seconds first',
  ],
  ['cron out of bounds', 'schedule: 0 25 * * *', '6:11: schedule: is not a cron expression: look at the hour'],
  ['unknown time zone', 'timezone: Mars/Base', '6:11: timezone: is not a time zone; write it as in Europe/London'],
  [
    'unknown type of ledger',
    'ledger: { type: sqlit }',
    '6:17: ledger.type: unknown type "sqlit"; did you mean sqlite? (known: sqlite, memory)',
  ],
  ['ledger with a key of another type', 'ledger: { type: memory, path: x }', '6:25: ledger.path: unknown key'],
  [
    'a socket by the word that once stood for false',
    'http: { socket: off }',
    '6:17: http.socket: is no path: null turns it off (a file of that name is ./off)',
  ],
  ['socket of the wrong kind', 'http: { socket: 5 }', '6:17: http.socket: must be text (put it in quotes)'],
  [
    'token without a character',
    'http: { tokens: [{ name: a, role: viewer, token: "" }] }',
    '6:50: http.tokens[0].token: must not be empty',
  ],
  [
    'no token',
    'http: { tokens: [{ name: a, role: viewer }] }',
    '6:18: http.tokens[0]: either token or sha256 is required',
  ],
  [
    'token and digest',
    `http: { tokens: [{ name: a, role: viewer, token: 0123456789abcdef, sha256: ${'a'.repeat(64)} }] }`,
    '6:68: http.tokens[0].sha256: token and sha256 exclude each other',
  ],
  [
    'a digest that is none',
    'http: { tokens: [{ name: a, role: viewer, sha256: xyz }] }',
    '6:51: http.tokens[0].sha256: must be 64 hex digits',
  ],
  [
    'tokens that are one',
    'http:\n  tokens:\n    - { name: a, role: viewer, token: 0123456789abcdef }\n    - { name: a, role: operator, token: 0123456789abcdef }\n    - { name: socket, role: viewer, token: fedcba9876543210 }',
    '9:7: http.tokens[1]: another entry has the same token',
    '9:24: http.tokens[1].role: another token named a has the role viewer',
    '10:15: http.tokens[2].name: the name socket is taken by rekeyd itself',
  ],
  [
    'a third token of one name, and a name that is taken',
    'http:\n  tokens:\n    - { name: a, role: viewer, token: 0123456789abcdef }\n    - { name: a, role: viewer, token: 1123456789abcdef }\n    - { name: a, role: viewer, token: 2123456789abcdef }\n    - { name: rekeyd, role: viewer, token: 3123456789abcdef }',
    '10:15: http.tokens[2].name: two other tokens have this name, which is the most',
    '11:15: http.tokens[3].name: the name rekeyd is taken by rekeyd itself',
  ],
  [
    'unknown role',
    'http: { tokens: [{ name: a, role: admin, token: 0123456789abcdef }] }',
    '6:35: http.tokens[0].role: must be one of viewer, operator',
  ],
];

describe('our own secret in a vault', () => {
  const own = (place: string) => BASE.replace('clientSecret: hush-hush', `clientSecret: ${place}`);

  it('is a vault that is there, and an entry that it can have', async () => {
    expect(await problemsOf(own('{ vault: local, entry: prod/rekeyd }'))).toEqual([]);
    expect(await problemsOf(own('{ vault: lokal, entry: prod/rekeyd }'))).toEqual([
      expect.stringMatching(
        /^a\.yaml:3:\d+: issuers\.data8\.clientSecret\.vault: there is no vault "lokal"; did you mean local\?$/,
      ),
    ]);
    expect(await problemsOf(own('{ vault: local, entry: "a b" }'))).toEqual([
      expect.stringMatching(/^a\.yaml:3:\d+: issuers\.data8\.clientSecret\.entry: 'a b' has characters that it lacks$/),
    ]);
    expect(await problemsOf(own('{ vault: local }'))).toHaveLength(1);
  });
});

describe('problems of the whole', () => {
  it.each(bad)('%s', async (_what, text, ...problems) => {
    expect(await problemsOf(`${BASE}${text}\n`)).toEqual(problems.map((problem) => `a.yaml:${problem}`));
  });

  it.each([
    ['capitals', 'Prod'],
    ['empty', '""'],
    ['too long', 'a'.repeat(33)],
  ])('instance: %s', async (_what, instance) => {
    expect(await problemsOf(BASE.replace('prod', instance))).toEqual([
      'a.yaml:1:11: instance: must be 1 to 32 of a-z, 0-9 and -',
    ]);
  });

  it('tells a REKEYD_MODE that is none', async () => {
    expect(await problemsOf(BASE, { env: { REKEYD_MODE: 'activ' } })).toEqual([
      'REKEYD_MODE: must be one of active, no-delete, observe; did you mean active?',
    ]);
  });
});
