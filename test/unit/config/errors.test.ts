import { describe, expect, it } from 'vitest';
import { BASE, problemsOf, withRules } from './loading.ts';

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
  ['socket of the wrong kind', 'http: { socket: 5 }', '6:17: http.socket: must be text (put it in quotes)'],
  [
    'token too short',
    'http: { tokens: [{ name: a, role: viewer, token: short }] }',
    '6:50: http.tokens[0].token: must have at least 16 characters',
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
});

/** `policies` on line 6, and all that is said of it. */
const policies: readonly [what: string, text: string, ...problems: string[]][] = [
  [
    'renewBefore above lifetime',
    'default: { lifetime: 10d, renewBefore: 11d, grace: 1d }',
    '7:42: policies.default.renewBefore: renewBefore must be below lifetime',
  ],
  [
    'renewBefore as long as lifetime',
    'default: { lifetime: 10d, renewBefore: 10d, grace: 1d }',
    '7:42: policies.default.renewBefore: renewBefore must be below lifetime',
  ],
  [
    'grace as long as renewBefore',
    'default: { renewBefore: 10d, grace: 10d }',
    '7:39: policies.default.grace: grace must be below renewBefore',
  ],
  [
    'lifetime below a default',
    'default: { lifetime: 20d }',
    '7:24: policies.default.lifetime: renewBefore must be below lifetime (not set here; it has 30d by default)',
  ],
  [
    'provisional too short',
    'default: { provisional: 39m }',
    '7:27: policies.default.provisional: provisional must be at least twice verify.timeout (not set here; it has 20m by default)',
  ],
  [
    'verify.timeout too long',
    'default: { verify: { timeout: 13h } }',
    '7:33: policies.default.verify.timeout: provisional must be at least twice verify.timeout (not set here; it has 1d by default)',
  ],
  [
    'told where it is written, not where it is inherited',
    'default: { grace: 31d }\n  other: { retire: manual }',
    '7:21: policies.default.grace: grace must be below renewBefore (not set here; it has 30d by default)',
  ],
  [
    'an own value against one of the default policy',
    'default: { grace: 1h, renewBefore: 2h, lifetime: 3h }\n  other: { grace: 3h }',
    '8:19: policies.other.grace: grace must be below renewBefore (not set here; it has the value of the default policy)',
  ],
  [
    'neither off nor a duration',
    'default: { provisional: never }',
    '7:27: policies.default.provisional: must be a duration such as 45s, 15m, 36h or 90d',
  ],
  ['an unknown key', 'default: { lifetim: 5d }', '7:14: policies.default.lifetim: unknown key; did you mean lifetime?'],
  ['an unknown key in verify', 'x: { verify: { wait: 5d } }', '7:18: policies.x.verify.wait: unknown key'],
];

describe('problems of policies', () => {
  it.each(policies)('%s', async (_what, text, ...problems) => {
    expect(await problemsOf(`${BASE}policies:\n  ${text}\n`)).toEqual(problems.map((problem) => `a.yaml:${problem}`));
  });
});

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

describe('problems of rules', () => {
  it.each(rules)('%s', async (_what, text, ...problems) => {
    expect(await problemsOf(withRules(`  ${text}\n`))).toEqual(problems.map((problem) => `a.yaml:${problem}`));
  });

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
