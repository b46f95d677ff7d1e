import { describe, expect, it } from 'vitest';
import { IssuerError } from '../../../src/domain/errors.ts';
import type { RightReport } from '../../../src/domain/rights.ts';
import type { EntryRef } from '../../../src/vaults/contract.ts';
import type { Terms } from '../../../src/config/terms.ts';
import { cli, settingsFor } from './bench.ts';

const settings = settingsFor({
  vaults: new Map([['local', { type: 'file', options: {}, timeout: 1, requestsPerSecond: 1, readBack: 1 }]]),
});
const ok: RightReport = { right: 'reached', status: 'ok', hint: '' };
const terms = {
  kind: 'managed',
  destinations: [{ vault: 'local', entry: 'data8/crm', options: { mode: '0640' } }],
} as unknown as Terms;

describe('check', () => {
  it('tells each right of each issuer and vault, with the entries that would be delivered to', async () => {
    const refs: EntryRef[] = [];
    const ran = await cli(['check'], {
      settings,
      issuers: {
        data8: { rights: async () => [ok], listCredentials: async () => [{ clientId: 'c1', description: '' }] },
      },
      vaults: {
        local: {
          vault: {
            rights: async (given) => {
              refs.push(...given);
              return [ok, { right: 'write', status: 'unknown', hint: 'only a write proves it' }];
            },
          },
          type: {},
        },
      },
      terms: () => terms,
    });
    expect(ran.code).toBe(0);
    expect(ran.err).toContain('configuration ok: config/rekeyd.yaml');
    expect(ran.out).toMatch(/issuer data8 +reached +ok/);
    expect(ran.out).toMatch(/vault local +write +unknown +only a write proves it/);
    expect(refs).toEqual([{ entry: 'data8/crm', options: { mode: '0640' } }]);
    expect(ran.closed).toEqual(['issuer data8', 'vault local']);
  });

  it('exits 1 where a right is missing or a backend is not reached, and still tells the others', async () => {
    const down = new IssuerError('unavailable', 'data8 does not answer', { issuer: 'data8', operation: 'list' });
    const ran = await cli(['check', '--json'], {
      settings,
      issuers: { data8: { rights: () => Promise.reject(down) } },
      vaults: { local: { vault: { rights: async () => [ok] }, type: {} } },
    });
    expect(ran.code).toBe(1);
    expect(JSON.parse(ran.out)).toMatchObject({
      ok: false,
      rights: [
        { kind: 'issuer', name: 'data8', right: 'reached', status: 'missing', hint: 'data8 does not answer' },
        { kind: 'vault', name: 'local', right: 'reached', status: 'ok' },
      ],
    });
  });

  it('warns of a token that might be guessed', async () => {
    const tokens = [
      { name: 'ci', role: 'operator', sha256: 'ab'.repeat(32), isShort: true },
      { name: 'eyes', role: 'viewer', sha256: 'cd'.repeat(32) },
    ] as const;
    const ran = await cli(['check', '--offline'], {
      settings: settingsFor({ http: { ...settings.http, tokens } }),
    });
    expect(ran.code).toBe(0);
    expect(ran.err.match(/^.*warning: .*$/gm)).toEqual([
      expect.stringContaining('the token named ci has fewer than 16 characters and might be guessed'),
    ]);
  });

  it('--offline opens nothing', async () => {
    const ran = await cli(['check', '--offline'], { settings });
    expect(ran).toMatchObject({ code: 0, out: '', opened: [] });
  });
});
