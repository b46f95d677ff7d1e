import { describe, expect, it } from 'vitest';
import { countsInPause, credentialsByState, viewInPause } from '../../../src/daemon/paused-all.ts';
import { credentialView } from '../../../src/daemon/views.ts';
import { MemoryLedger } from '../../../src/ledger/memory.ts';
import type { World } from '../../../src/rotation/world.ts';
import { createManualPorts } from '../../fakes/manual-ports.ts';
import { credentialRecord } from '../telemetry/records.ts';

const NO_RULE = 'unmanaged';

describe('a pause of everything', () => {
  it('C9: shows a credential as paused whose policy, written in its rule, has no name', async () => {
    const inline = credentialRecord({ version: 0, clientId: 'shop', state: 'ok', policy: null, terms: 'as ruled' });
    const failing = { ...inline, clientId: 'rekeyd', state: 'failing' as const, terms: NO_RULE };
    const ledger = new MemoryLedger();
    expect(await ledger.commit({ credentials: [inline, failing] })).toBe(true);
    const { ticker } = createManualPorts();
    const listed = await credentialsByState({ ledger, ticker }, { state: 'paused' }, 10, null, true);
    expect(listed.items.map((each) => each.clientId)).toEqual(['shop']);
    expect(viewInPause(credentialView(inline, 0), inline)).toMatchObject({ state: 'paused', reason: 'paused' });
    expect(viewInPause(credentialView(failing, 0), failing)).toMatchObject({ state: 'failing' });
  });

  it('C9: does not hide that our own client, which no rule matches, fails', async () => {
    const ledger = new MemoryLedger();
    const of = (clientId: string, state: 'failing' | 'ok' | 'unmanaged', policy: string | null) =>
      credentialRecord({
        version: 0,
        clientId,
        state,
        policy,
        terms: policy === null ? NO_RULE : 'as ruled',
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
