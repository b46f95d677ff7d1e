import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { backends } from '../../../src/compose/backends.ts';
import { demoConfig } from '../../../src/compose/demo-config.ts';
import { createMatcher } from '../../../src/config/match.ts';
import { loadSettings } from '../../../src/config/load.ts';
import { vaultTypes } from '../../../src/vaults/registry.ts';

it("the demo's configuration loads, and its rules manage, suspend and leave alone", async () => {
  const folder = await mkdtemp(join(tmpdir(), 'rekeyd-demo-test-'));
  try {
    const file = join(folder, 'rekeyd.yaml');
    const url = 'http://127.0.0.1:1';
    const secret = 'with ${braces} and "quotes"';
    await writeFile(
      file,
      demoConfig({ baseUrl: url, tokenUrl: url, clientId: 'x', clientSecret: secret, token: 'demo-token-of-the-test' }),
    );
    const settings = await loadSettings([file], { readFile, env: {}, backends });
    const termsOf = createMatcher(settings, vaultTypes);
    const kind = (description: string) => termsOf('data8', { clientId: 'c', description });
    expect(kind('shop (prod)')).toMatchObject({
      kind: 'managed',
      suspended: false,
      destinations: [{ vault: 'local' }, { vault: 'plain' }],
    });
    expect(kind('shop (test)')).toMatchObject({ kind: 'managed', destinations: [{ entry: 'test/shop' }] });
    expect(kind('archive (frozen)')).toMatchObject({ kind: 'managed', suspended: true });
    expect(kind('somebody else')).toEqual({ kind: 'unmanaged' });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
