import { afterEach, describe, expect, it } from 'vitest';
import type { Emulator } from '../../../src/emulator/emulator.ts';
import { seededClientId, seededValue } from '../../../src/emulator/seed.ts';
import { start, token } from './caller.ts';

describe('seeding', () => {
  let emulator: Emulator | undefined;
  afterEach(() => emulator?.close());

  it('plants groups of credentials whose secrets expire as asked', async () => {
    const now = Date.parse('2030-01-01T00:00:00Z');
    const caller = await start({
      now: () => now,
      seed: {
        key: 'k',
        groups: [
          { credentials: 2, expiresIn: 60_000, description: 'due-{n} (test)' },
          { credentials: 1, secretsPerCredential: 3, expiresIn: null },
        ],
      },
      faults: { maxSecrets: 1, maxLifetime: 1, acceptAfter: 60_000 },
    });
    ({ emulator } = caller);
    const list = (await caller.get('/ClientCredential')).json as { clientId: string; description: string }[];
    expect(list.slice(1).map(({ description }) => description)).toEqual([
      'due-000001 (test)',
      'due-000002 (test)',
      'app-000003 (prod)',
    ]);
    const [, first, , third] = list;
    expect(first!.clientId).toBe(seededClientId('k', 1));
    expect((await caller.get(`/ClientCredential/${first!.clientId}/secrets`)).json).toMatchObject([
      { expires: '2030-01-01T00:01:00.0000000Z', description: 'seeded' },
    ]);
    expect((await caller.get(`/ClientCredential/${third!.clientId}/secrets`)).json).toHaveLength(3);
    const client = { client_id: third!.clientId, client_secret: seededValue('k', third!.clientId, 3) };
    expect((await token(emulator, client)).status).toBe(200);
  });

  it('serves a list of 100,000 credentials again and again without writing it anew', async () => {
    const caller = await start({ seed: { groups: [{ credentials: 100_000 }] } });
    ({ emulator } = caller);
    expect(((await caller.get('/ClientCredential')).json as unknown[]).length).toBe(100_001);
    const before = emulator.account.listJson();
    const [credential] = emulator.account.credentials();
    await caller.post(`/ClientCredential/${credential!.clientId}/secrets`, {});
    expect(emulator.account.listJson()).toBe(before);
    await caller.put(`/ClientCredential/${credential!.clientId}`, { description: 'x' });
    expect(emulator.account.listJson()).not.toBe(before);
  });
});
