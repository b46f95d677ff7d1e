import { describe, expect, it } from 'vitest';
import { termsDigest } from '../../../src/config/match.ts';
import { Roster } from '../../../src/daemon/roster.ts';
import { CREDENTIAL_STATES } from '../../../src/domain/credential-state.ts';
import type { CredentialState } from '../../../src/domain/credential-state.ts';
import { DAY, HOUR } from '../../../src/domain/time.ts';
import type { CredentialHeader } from '../../../src/ledger/contract.ts';
import type { World } from '../../../src/rotation/world.ts';
import { memoryVaultType } from '../../../src/vaults/memory.ts';
import { Stage } from '../../scenarios/stage.ts';
import { NOW } from '../rotation/given.ts';

const SHOP = { clientId: 'shop', description: 'the shop' };

/** Whether the last of some scans wants to look at a credential, whose header this is, which each list has or lacks. */
async function isWanted(header: Partial<CredentialHeader>, ...isListed: readonly boolean[]): Promise<boolean> {
  const { settings } = new Stage({ resync: 12 * HOUR });
  const vaultTypes: World['vaultTypes'] = new Map([['memory', memoryVaultType]]);
  const roster = new Roster({ settings, vaults: new Map(), vaultTypes } as unknown as World);
  const terms = termsDigest(roster.terms('data8', SHOP), { ...settings, vaults: new Map() });
  const stored = { ...SHOP, terms, state: 'ok', dueAt: null, resyncAt: NOW + HOUR, expires: null, ...header } as const;
  async function* headers(): AsyncGenerator<CredentialHeader> {
    yield await Promise.resolve(stored);
  }
  let isFound = false;
  for (const isThere of isListed) {
    const found = await roster.compare('data8', isThere ? [SHOP] : [], headers(), NOW, 'due');
    isFound = found.length > 0;
  }
  return isFound;
}

describe('a credential that the list lacks', () => {
  const parked: ReadonlySet<CredentialState> = new Set(['blocked', 'paused', 'unmanaged', 'ignored']);

  it.each(CREDENTIAL_STATES)('I18: and that is %s is looked at once, then at its dates alone', async (state) => {
    expect(await isWanted({ state }, true, false)).toBe(!parked.has(state));
    expect(await isWanted({ state, resyncAt: NOW }, true, false)).toBe(true);
    expect(await isWanted({ state, dueAt: NOW }, true, false)).toBe(true);
    // dated by a clock that was wrong (P8)
    expect(await isWanted({ state, resyncAt: NOW + 2 * DAY }, true, false)).toBe(true);
  });

  it.each(['blocked', 'paused'] as const)(
    'I18: and that is %s is looked at as soon as a list has it again',
    async (state) => {
      expect(await isWanted({ state }, true, false, true)).toBe(true);
      expect(await isWanted({ state }, true, true)).toBe(false);
      expect(await isWanted({ state }, true, false, true, true)).toBe(false);
    },
  );
});
