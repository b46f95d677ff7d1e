import { describe, expect, it } from 'vitest';
import { createMatcher } from '../../../src/config/match.ts';
import { BASE, fakeBackends, load, problemsOf } from './loading.ts';

/** The secret of our own client is in `own` of the vault `local`; the rule's destination starts at 8:60. */
function configOf(deliver: string, more = '', vaults = ''): string {
  const base = BASE.replace('hush-hush', `{ vault: local, entry: own${more} }`);
  return `${base}${vaults}credentials:\n  - { issuer: data8, match: { clientId: rekeyd }, deliver: [${deliver}] }\n`;
}

const TOLD = 'issuers.data8.clientSecret is read from this entry, and would not be found in it';

describe('the entry that our own secret is read from', () => {
  it.each([
    ['json', '{ vault: local, name: own }', ''],
    [
      'a field of another name',
      '{ vault: local, name: own, fields: { key: "{clientSecret}", id: x } }',
      ', field: key',
    ],
    ['value', '{ vault: local, name: own, format: value }', ''],
    ['a text that is the secret', '{ vault: local, name: own, format: text, template: "{clientSecret}\\n" }', ''],
    ['another entry', '{ vault: local, name: other, fields: { ID: "{clientId}", SECRET: "{clientSecret}" } }', ''],
  ])('may be delivered to as %s', async (_what, deliver, more) => {
    expect(await problemsOf(configOf(deliver, more))).toEqual([]);
  });

  it.each([
    ['without that field', 'fields: { ID: "{clientId}", SECRET: "{clientSecret}" }', '', 'fields'],
    ['with more in that field', 'fields: { clientSecret: "{clientId}:{clientSecret}" }', '', 'fields'],
    ['with the secret in another field', 'fields: { clientSecret: "{clientId}", b: "{clientSecret}" }', '', 'fields'],
    ['as json without that field', 'format: json', ', field: key', 'fields'],
    ['as a text of more than the secret', 'format: text, template: "SECRET={clientSecret}"', '', 'template'],
    // a secret with a quote in it makes that no JSON
    ['as a text that looks like JSON', `format: text, template: '{"clientSecret":"{clientSecret}"}'`, '', 'template'],
  ])('is refused %s: rekeyd would lock itself out', async (_what, format, more, key) => {
    const [problem, ...others] = await problemsOf(configOf(`{ vault: local, name: own, ${format} }`, more));
    expect(problem).toContain(`credentials[0].deliver[0].${key}: ${TOLD}`);
    expect(others).toEqual([]);
  });

  it('is the same entry under another name of vault and entry', async () => {
    const vaults = '  same: { type: folder, path: /etc/rekeyd/vault }\n';
    const config = configOf('{ vault: same, name: "OWN", fields: { SECRET: "{clientSecret}" } }', '', vaults);
    expect(await problemsOf(config)).toEqual([expect.stringContaining(TOLD)]);
  });

  it('blocks its credential where only the credential tells that it is the same entry', async () => {
    const rule = '{ vault: local, name: "{name}", fields: { SECRET: "{clientSecret}" } }';
    const settings = await load(configOf(rule));
    const terms = (description: string) =>
      createMatcher(settings, fakeBackends.vaults)('data8', { clientId: 'rekeyd', description });
    expect(terms('Own')).toMatchObject({ problems: [expect.stringContaining(`vault local, entry "own": ${TOLD}`)] });
    expect(terms('Other')).toMatchObject({ problems: [], destinations: [{ entry: 'other' }] });
    const sound = await load(configOf('{ vault: local, name: "{name}" }'));
    const match = createMatcher(sound, fakeBackends.vaults);
    expect(match('data8', { clientId: 'rekeyd', description: 'Own' })).toMatchObject({ problems: [] });
  });
});
