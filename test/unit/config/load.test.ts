import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { DEFAULT_FORMAT } from '../../../src/domain/payload.ts';
import { DAY, HOUR, MINUTE, SECOND } from '../../../src/domain/time.ts';
import { BASE, load, problemsOf, withRules } from './loading.ts';

describe('loadSettings', () => {
  it('gives the defaults of the contract', async () => {
    const settings = await load(
      withRules('  - { issuer: data8, match: { clientId: "*" }, deliver: [{ vault: local, name: "{clientId}" }] }\n'),
    );
    expect(settings).toEqual({
      instance: 'prod',
      mode: 'active',
      schedule: '*/15 * * * *',
      timezone: 'UTC',
      resync: HOUR,
      shutdownTimeout: 30 * SECOND,
      ledger: { type: 'sqlite', options: { path: '/etc/rekeyd/var/rekeyd.db' } },
      http: {
        host: '127.0.0.1',
        port: 8080,
        requestsPerSecond: 100,
        trustProxy: [],
        health: null,
        socket: '/etc/rekeyd/var/rekeyd.sock',
        tokens: [],
        oidc: [],
      },
      metrics: { perCredential: 'auto' },
      webhooks: [],
      limits: {
        concurrency: 8,
        rotationsPerHour: 60,
        maxLiveSecrets: 5,
        createsPerDay: 4,
        manualCooldown: 0,
        breaker: { failures: 5, cooldown: 15 * MINUTE },
      },
      issuers: new Map([
        [
          'data8',
          {
            type: 'data8',
            options: {
              baseUrl: 'https://api.example',
              tokenUrl: 'https://auth.example/connect/token',
              clientId: 'rekeyd',
              clientSecret: 'hush-hush',
              timeout: 30 * SECOND,
              requestsPerSecond: 10,
            },
          },
        ],
      ]),
      vaults: new Map([
        [
          'local',
          {
            type: 'folder',
            options: { path: '/etc/rekeyd/vault' },
            timeout: 30 * SECOND,
            requestsPerSecond: 10,
            readBack: MINUTE,
          },
        ],
      ]),
      rules: [
        {
          issuer: 'data8',
          match: { clientId: ['*'], description: null },
          ignore: false,
          suspend: false,
          name: null,
          policy: {
            name: 'default',
            lifetime: 90 * DAY,
            renewBefore: 30 * DAY,
            grace: 14 * DAY,
            maxAge: null,
            provisional: DAY,
            verify: { method: 'token', timeout: 20 * MINUTE, settle: 15 * MINUTE },
            initial: 'adopt',
            retire: 'delete',
            unmanaged: 'keep',
            windows: null,
          },
          deliver: [{ vault: 'local', name: '{clientId}', format: DEFAULT_FORMAT, options: {} }],
        },
      ],
    });
  });

  it('takes empty sections as left out', async () => {
    const settings = await load(`${BASE}http:\nmetrics:\nlimits:\n  breaker:\npolicies:\ncredentials:\nledger:\n`);
    expect(settings.http.port).toBe(8080);
    expect(settings.limits.breaker.failures).toBe(5);
    expect(settings.rules).toEqual([]);
    expect(settings.ledger.type).toBe('sqlite');
  });

  it('reads text as a number or a boolean where one is wanted, and only there', async () => {
    const settings = await load(
      `${BASE}http: { port: "\${PORT}" }
limits: { concurrency: "12", breaker: { failures: "\${N:-3}" } }
metrics: { perCredential: "\${PER}" }
credentials: [{ issuer: data8, match: { clientId: "12" }, ignore: "true" }]
`,
      { env: { PORT: '9000', PER: 'false' } },
    );
    expect(settings.http.port).toBe(9000);
    expect(settings.limits).toMatchObject({ concurrency: 12, breaker: { failures: 3 } });
    expect(settings.metrics.perCredential).toBe(false);
    expect(settings.rules[0]).toMatchObject({ ignore: true, match: { clientId: ['12'] } });
  });

  it.each([
    ['null', null],
    ['./run/x.sock', '/etc/rekeyd/run/x.sock'],
    ['/run/x.sock', '/run/x.sock'],
  ])('http.socket %s', async (written, expected) => {
    expect((await load(`${BASE}http: { socket: ${written} }\n`)).http.socket).toBe(expected);
  });

  it.each([
    ['observe', undefined, 'observe'],
    ['observe', 'no-delete', 'no-delete'],
    ['observe', '', 'observe'],
  ])('mode %s with REKEYD_MODE %s is %s', async (written, env, expected) => {
    const settings = await load(`${BASE}mode: ${written}\n`, env === undefined ? {} : { env: { REKEYD_MODE: env } });
    expect(settings.mode).toBe(expected);
  });

  it('keeps of a token its digest only', async () => {
    const token = 'a token of some length';
    const sha256 = createHash('sha256').update(token).digest('hex');
    const settings = await load(
      `${BASE}http:
  tokens:
    - { name: ci, role: operator, token: "\${T}" }
    - { name: eyes, role: viewer, sha256: ${'AB'.repeat(32)} }
`,
      { env: { T: token } },
    );
    expect(settings.http.tokens).toEqual([
      { name: 'ci', role: 'operator', sha256 },
      { name: 'eyes', role: 'viewer', sha256: 'ab'.repeat(32) },
    ]);
    expect(JSON.stringify(settings)).not.toContain(token);
  });

  it('takes a token of any length, and marks one that might be guessed', async () => {
    const settings = await load(
      `${BASE}http: { tokens: [{ name: a, role: viewer, token: operator-token }, { name: b, role: viewer, token: operator-token-2 }] }\n`,
    );
    const sha256 = createHash('sha256').update('operator-token').digest('hex');
    expect(settings.http.tokens[0]).toEqual({ name: 'a', role: 'viewer', sha256, isShort: true });
    expect(settings.http.tokens[1]).not.toHaveProperty('isShort');
  });

  it('says when no file is named, or one is not there', async () => {
    await expect(load([])).rejects.toThrow('no configuration file is named');
    const { loadSettings } = await import('../../../src/config/load.ts');
    const { fakeBackends } = await import('./loading.ts');
    const readFile = () => Promise.reject(Object.assign(new Error('secret words'), { code: 'EACCES' }));
    await expect(loadSettings(['x.yaml'], { env: {}, backends: fakeBackends, readFile })).rejects.toThrow(
      'x.yaml: cannot be read (EACCES)',
    );
  });

  it('asks for an instance and an issuer', async () => {
    expect(await problemsOf('')).toEqual(['a.yaml:1:1: instance: is required', 'a.yaml:1:1: issuers: is required']);
    expect(await problemsOf('instance: a\nissuers: {}\n')).toEqual([
      'a.yaml:2:10: issuers: at least one issuer is required',
    ]);
  });
});

describe('several files', () => {
  it('merges maps, replaces lists and values, and starts paths from the file in which they stand', async () => {
    const settings = await load([
      `${BASE}http: { port: 1, tokens: [{ name: a, role: viewer, token: aaaaaaaaaaaaaaaa }] }\nresync: 2h\n`,
      `instance: other
http: { tokens: [] }
vaults:
  local: { key: ./key }
  second: { type: folder, path: ../second }
`,
    ]);
    expect(settings.instance).toBe('other');
    expect(settings.resync).toBe(2 * HOUR);
    expect(settings.http).toMatchObject({ port: 1, tokens: [], socket: '/etc/rekeyd/var/rekeyd.sock' });
    expect(settings.vaults.get('local')?.options).toEqual({ path: '/etc/rekeyd/vault', key: '/etc/rekeyd/b/key' });
    expect(settings.vaults.get('second')?.options).toEqual({ path: '/etc/rekeyd/second' });
  });

  it('does not need a variable whose value a later file replaces', async () => {
    const [first, second] = [`${BASE}timezone: "\${ZONE}"\n`, 'timezone: Europe/London\n'];
    expect((await load([first, second])).timezone).toBe('Europe/London');
    expect(await problemsOf([second, first])).toEqual([
      'b/b.yaml:6:11: timezone: the environment variable ZONE is not set',
    ]);
  });

  it('tells problems in the order of the files, each at its place', async () => {
    expect(
      await problemsOf([`${BASE}resync: soon\nhttp: { prt: 1 }\n`, 'mode: fast\nvaults: { local: { kye: x } }\n']),
    ).toEqual([
      'a.yaml:6:9: resync: must be a duration such as 45s, 15m, 36h or 90d',
      'a.yaml:7:9: http.prt: unknown key; did you mean port?',
      'b/b.yaml:1:7: mode: must be one of active, no-delete, observe',
      'b/b.yaml:2:20: vaults.local.kye: unknown key; did you mean key?',
    ]);
  });

  it('tells the syntax errors of all files before anything else', async () => {
    expect(await problemsOf(['a: [1\nb: 2\n', 'x: {\n'])).toEqual([
      expect.stringMatching(/^a\.yaml:2:1: /),
      expect.stringMatching(/^b\/b\.yaml:2:1: /),
    ]);
  });
});
