import { describe, expect, it } from 'vitest';
import { data8 } from '../../../src/issuers/data8.ts';
import { fakeBackends, problemsOf, withRules } from './loading.ts';

const backends = { ...fakeBackends, issuers: new Map([['data8', data8]]) };
const TOLD =
  '{tokenUrl} would not be the token endpoint: issuers.data8.tokenUrl names only where to ask for it, and has to be the token endpoint itself, such as https://auth.data-8.co.uk/connect/token';

function problems(tokenUrl: string, rule: string): Promise<string[]> {
  const config = withRules(`  - { issuer: data8, match: { clientId: "*" }, ${rule} }\n`);
  return problemsOf(config.replace('clientId: rekeyd', `clientId: rekeyd, tokenUrl: "${tokenUrl}"`), { backends });
}

describe('{tokenUrl} of an issuer whose token endpoint is discovered', () => {
  it.each([
    [
      'a field',
      'deliver: [{ vault: local, name: "{clientId}", fields: { a: "{clientSecret}", url: "{tokenUrl}" } }]',
      'deliver[0].fields.url',
    ],
    [
      'a template',
      'deliver: [{ vault: local, name: "{clientId}", format: text, template: "{clientSecret} {tokenUrl}" }]',
      'deliver[0].template',
    ],
    [
      'an option',
      'deliver: [{ vault: local, name: "{clientId}", labels: { url: "{tokenUrl}" } }]',
      'deliver[0].labels.url',
    ],
    ["a destination's name", 'deliver: [{ vault: local, name: "{clientId}/{tokenUrl}" }]', 'deliver[0].name'],
    ['a name', 'name: "{tokenUrl}", deliver: [{ vault: local, name: "{clientId}" }]', 'name'],
  ])('is refused in %s', async (_what, rule, key) => {
    for (const authority of [
      'https://auth.example',
      'https://auth.example/',
      'https://auth.example/.well-known/openid-configuration',
    ]) {
      expect(await problems(authority, rule)).toEqual([expect.stringContaining(`credentials[0].${key}: ${TOLD}`)]);
    }
    expect(await problems('https://auth.example/connect/token', rule)).toEqual([]);
  });

  it('is no matter where no rule speaks of it', async () => {
    expect(await problems('https://auth.example', 'deliver: [{ vault: local, name: "{clientId}" }]')).toEqual([]);
  });
});
