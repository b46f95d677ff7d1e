import { createMatcher, termsDigest } from '../../src/config/match.ts';
import { DAY } from '../../src/domain/time.ts';
import { seededClientId } from '../../src/emulator/seed.ts';
import type { CredentialRecord } from '../../src/ledger/records.ts';
import type { World } from '../../src/rotation/world.ts';
import { sampleCredential, sampleDestination, sampleSecret } from '../unit/ledger/sample-records.ts';

const AT_ONCE = 1_000;
/** One in so many is failing. */
export const FAILING = 100;

/** Descriptions of the emulator's seed, and so of the records here. */
export const descriptionOf = (n: number): string => `app-${String(n).padStart(6, '0')}`;

/**
 * Stores a record for each credential that the emulator lists, as if each had been looked at a moment ago and served at one
 * destination: a scan finds nothing due. One in {@link FAILING} is failing.
 */
export async function fillLedger(world: World, key: string, credentials: number): Promise<void> {
  const match = createMatcher(world.settings, world.vaultTypes);
  const installed = { ...world.settings, vaults: world.vaults };
  const now = world.clock.now();
  const recordOf = (n: number): CredentialRecord => {
    const clientId = seededClientId(key, n);
    const description = descriptionOf(n);
    const expires = now + 60 * DAY + n;
    const secretId = String(n);
    const isFailing = n % FAILING === 0;
    return sampleCredential({
      clientId,
      description,
      name: description,
      terms: termsDigest(match('data8', { clientId, description }), installed),
      generation: 2,
      current: { secretId, generation: 2, expires },
      secrets: [
        sampleSecret({ secretId, expires, generation: 2, firstSeen: now }),
        sampleSecret({ secretId: `${n}0`, expires: now + 5 * DAY, role: 'superseded', deleteAfter: now + DAY }),
      ],
      destinations: [sampleDestination({ entry: `app/${n}`, secretId, generation: 2, deliveredAt: now, seenAt: now })],
      state: isFailing ? 'failing' : 'ok',
      reason: isFailing ? 'vault-failed' : 'up-to-date',
      failures: isFailing ? 1 : 0,
      lastError: isFailing ? 'the vault local cannot be reached' : null,
      renewAt: expires - 30 * DAY,
      resyncAt: now + 100 * DAY,
      lookedAt: now,
    });
  };
  for (let n = 1; n <= credentials; n += AT_ONCE) {
    const size = Math.min(AT_ONCE, credentials - n + 1);
    const stored = await world.ledger.commit({
      credentials: Array.from({ length: size }, (_, at) => recordOf(n + at)),
    });
    if (!stored) throw new Error('the ledger was not empty');
  }
}
