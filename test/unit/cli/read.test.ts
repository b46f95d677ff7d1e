import { describe, expect, it } from 'vitest';
import { VaultError } from '../../../src/domain/errors.ts';
import { SecretValue } from '../../../src/domain/secret-value.ts';
import type { EntryContent } from '../../../src/vaults/contract.ts';
import { cli } from './bench.ts';

function vaults(read: () => Promise<EntryContent>, readable = true) {
  const capabilities = { compareAndSet: true, readable, map: false };
  return { local: { vault: { type: 'file', capabilities, read }, type: {} } };
}

const present: EntryContent = {
  state: 'present',
  version: '1',
  mark: null,
  binding: 'bound',
  payload: { form: 'opaque', content: SecretValue.of('A=1\nB=2') },
};

describe('read', () => {
  it('prints the payload exactly as delivered, with nothing added', async () => {
    const ran = await cli(['read', 'local', 'crm'], { vaults: vaults(async () => present) });
    expect(ran).toMatchObject({ code: 0, out: 'A=1\nB=2', err: '', closed: ['vault local'] });
  });

  it('refuses a terminal, before anything is opened, unless told --reveal', async () => {
    const refused = await cli(['read', 'local', 'crm'], { vaults: vaults(async () => present), terminal: true });
    expect(refused).toMatchObject({ code: 2, out: '', opened: [] });
    const shown = await cli(['read', 'local', 'crm', '--reveal'], {
      vaults: vaults(async () => present),
      terminal: true,
    });
    expect(shown).toMatchObject({ code: 0, out: 'A=1\nB=2\n' });
  });

  it('exits 1 where the entry is absent, empty, unreadable or denied', async () => {
    const denied = new VaultError('denied', 'local denies reading crm', { vault: 'local', entry: 'crm' });
    for (const given of [
      vaults(async () => ({ state: 'absent' })),
      vaults(async () => ({ ...present, payload: null })),
      vaults(async () => present, false),
      vaults(() => Promise.reject(denied)),
    ]) {
      const ran = await cli(['read', 'local', 'crm'], { vaults: given });
      expect(ran).toMatchObject({ code: 1, out: '', closed: ['vault local'] });
      expect(ran.err).toMatch(/^rekeyd: .*local/);
    }
  });
});
