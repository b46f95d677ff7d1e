import { Ajv } from 'ajv';
import { parse } from 'yaml';
import { beforeAll, describe, expect, it } from 'vitest';
import { configJsonSchema } from '../../../src/config/json-schema.ts';
import { keyTables } from '../../../src/config/key-table.ts';
import { BASE, fakeBackends, problemsOf } from './loading.ts';

describe('configJsonSchema', () => {
  let validate: (text: string) => boolean;

  beforeAll(() => {
    // The dialect that editors speak best; strict: a keyword that does nothing is an error.
    const ajv = new Ajv({ strict: true, strictTypes: false, strictRequired: false, allErrors: true });
    const check = ajv.compile(configJsonSchema(fakeBackends));
    validate = (text) => check(parse(text));
  });

  const good = [
    BASE,
    `${BASE}http: { port: "\${PORT}", socket: null }\nmetrics: { perCredential: true }\nledger: { path: ./x }\n`,
    `${BASE}resync: \${R}\nmode: "\${MODE:-active}"\nlimits: { concurrency: "\${N}" }\nledger: { type: memory }\n`,
    `${BASE}policies: { default: { provisional: off, maxAge: null }, x: { provisional: 1h, verify: { method: none } } }\n`,
    `${BASE}  k8s: { type: spaces, timeout: 5s }
credentials:
  - issuer: data8
    match: { clientId: [a, b*], description: "{app}" }
    policy: { grace: 1d }
    deliver:
      - { vault: local, name: "{clientId}", mode: "0640", labels: { a: b } }
      - { vault: k8s, name: "{clientId}", namespace: n, format: value }
  - { issuer: data8, match: { clientId: x }, ignore: true }
`,
  ];

  const bad = [
    BASE.replace('instance: prod', 'instance: Prod'),
    BASE.replace('instance: prod\n', ''),
    BASE.replace('type: data8', 'type: data9'),
    BASE.replace('baseUrl: "https://api.example", ', ''),
    BASE.replace('clientId:', 'clientID:'),
    BASE.replace('type: folder', 'type: foldr'),
    BASE.replace('path: ./vault', 'pth: ./vault'),
    `${BASE}scheduel: x\n`,
    `${BASE}resync: soon\n`,
    `${BASE}http: { port: 70000 }\n`,
    `${BASE}ledger: { type: memory, path: x }\n`,
    `${BASE}policies: { x: { retire: never } }\n`,
    `${BASE}credentials: [{ issuer: data8 }]\n`,
    `${BASE}credentials: [{ issuer: data8, match: { clientId: a }, deliver: [{ vault: local }] }]\n`,
    `${BASE}credentials: [{ issuer: data8, match: { clientId: a }, deliver: [{ vault: local, name: a, lables: {} }] }]\n`,
  ];

  it.each(good)('takes what the loader takes (%#)', async (text) => {
    const env = { PORT: '1', R: '2h', N: '3' };
    expect(await problemsOf(text.replace('"{clientId}", namespace', '"{clientId}-{app}", namespace'), { env })).toEqual(
      [],
    );
    expect(validate(text)).toBe(true);
  });

  it.each(bad)('refuses what the loader refuses (%#)', async (text) => {
    expect(await problemsOf(text)).not.toEqual([]);
    expect(validate(text)).toBe(false);
  });
});

describe('keyTables', () => {
  it('names every key that the schema knows', () => {
    const tables = keyTables(fakeBackends);
    for (const key of [
      'instance',
      'http.tokens[].sha256',
      'limits.breaker.cooldown',
      'issuers.NAME.baseUrl',
      'vaults.NAME.readBack',
      'vaults.NAME.apiUrl',
      'credentials[].deliver[].namespace',
      'policies.NAME.verify.settle',
      'credentials[].match.description',
      'ledger.path',
    ]) {
      expect(tables).toContain(`| \`${key}\` | `);
    }
    expect(tables).toContain('| `schedule` | text | `*/15 * * * *` | When to scan');
    expect(tables).toContain('| `policies.NAME.renewBefore` | duration | `30d` | ');
    expect(tables).toContain('| `instance` | text | required | ');
  });
});
