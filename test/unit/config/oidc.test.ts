import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { BASE, load, problemsOf } from './loading.ts';

const entry = (more = ''): string =>
  `${BASE}http:\n  oidc:\n    - issuer: https://issuer.example\n      audience: rekeyd\n      roles: [{ match: "ops-*", role: operator }]\n${more}`;

describe('http.oidc', () => {
  it('is read, its files found beside the configuration', async () => {
    const { http } = await load(entry('      ca: ./ca.pem\n      tokenFile: /run/token\n'));
    expect(http.oidc).toEqual([
      {
        issuer: 'https://issuer.example',
        audience: 'rekeyd',
        jwksUrl: null,
        ca: '/etc/rekeyd/ca.pem',
        tokenFile: '/run/token',
        roles: [{ claim: 'sub', match: 'ops-*', role: 'operator' }],
        name: 'sub',
      },
    ]);
    expect((await load(BASE)).http.oidc).toEqual([]);
  });

  it.each([
    [
      'an issuer without TLS',
      entry().replace('https://issuer', 'http://issuer'),
      'http.oidc[0].issuer: must start with https://',
    ],
    [
      'an issuer with a query',
      entry().replace('issuer.example', 'issuer.example/?a=b'),
      'must not hold a query or a fragment',
    ],
    ['keys without TLS', entry('      jwksUrl: http://issuer.example/keys\n'), 'http.oidc[0].jwksUrl: must start with'],
    ['no roles', entry().replace(/roles: .*/, 'roles: []'), 'http.oidc[0].roles: must not be empty'],
    [
      'a pattern that is none',
      entry().replace('ops-*', '**{a}'),
      'http.oidc[0].roles[0].match: nothing stands between',
    ],
    ['an issuer twice', entry(entry().split('oidc:\n')[1]), 'http.oidc[1].issuer: another entry has this issuer'],
    ['a role that is none', entry().replace('operator', 'admin'), 'must be one of viewer, operator'],
  ])('refuses %s', async (_what, text, problem) => {
    const problems = await problemsOf(text);
    expect(problems.join('\n')).toContain(problem);
    expect(problems).toHaveLength(1);
  });

  it('is what docs/oidc.md shows', async () => {
    const page = readFileSync('docs/oidc.md', 'utf8');
    const examples = [...page.matchAll(/^```yaml\n# load: (\w+)\n([\s\S]*?)^```$/gm)];
    expect(examples.map(([, name]) => name)).toEqual(['github', 'kubernetes']);
    for (const [, name, text = ''] of examples) {
      const { http } = await load(BASE + text);
      expect([name, http.oidc?.length]).toEqual([name, 1]);
    }
  });
});
