import { describe, expect, it } from 'vitest';
import { countsInPause } from '../../../src/daemon/paused-all.ts';
import { MemoryLedger } from '../../../src/ledger/memory.ts';
import type { World } from '../../../src/rotation/world.ts';
import { credentialRecord } from '../telemetry/records.ts';

describe('a pause of everything', () => {
  it('C9: does not hide that our own client, which no rule matches, fails', async () => {
    const ledger = new MemoryLedger();
    const of = (clientId: string, state: 'failing' | 'ok' | 'unmanaged', policy: string | null) =>
      credentialRecord({
        version: 0,
        clientId,
        state,
        policy,
        reason: state === 'failing' ? 'expiring' : 'up-to-date',
      });
    const records = [
      of('rekeyd', 'failing', null),
      of('shop', 'failing', 'default'),
      of('till', 'ok', 'default'),
      of('stray', 'unmanaged', null),
    ];
    expect(await ledger.commit({ credentials: records })).toBe(true);
    const issuers = new Map([['data8', { ownClientId: 'rekeyd' }]]) as unknown as World['issuers'];
    const sums = new Map<string, number>();
    for (const { state, count } of await countsInPause({ ledger, issuers })) {
      sums.set(state, (sums.get(state) ?? 0) + count);
    }
    expect(Object.fromEntries([...sums].filter(([, count]) => count > 0))).toEqual({
      failing: 1,
      paused: 2,
      unmanaged: 1,
    });
  });
});
