import { isInFlight } from '../domain/rotation-state.ts';
import type { Instant } from '../domain/time.ts';
import type { Ledger } from '../ledger/contract.ts';
import type { CredentialRecord, RotationRecord } from '../ledger/records.ts';
import { keyText } from './dispatcher.ts';

/** A secret that a rotation in flight made, as its issuer answered. */
export type PendingSecret = { readonly secretId: string } & Pick<RotationRecord, 'expires'>;

/** By credential, see keyText. */
export type PendingSecrets = ReadonlyMap<string, PendingSecret>;

/**
 * Secrets that are being made or delivered, and that no look has listed yet: a credential's record has them from the first
 * look after its rotation on. Those that are at rest cost no question. @throws LedgerError
 */
export async function pendingSecrets(
  ledger: Pick<Ledger, 'inFlight' | 'relevantRotations'>,
  records: readonly CredentialRecord[],
  now: Instant,
): Promise<PendingSecrets> {
  const found = new Map<string, PendingSecret>();
  // what is on its way is of a generation that nothing serves yet
  const asked = records.filter(({ generation, current }) => generation > (current?.generation ?? 0));
  if (asked.length === 0) return found;
  const busy = new Set((await ledger.inFlight()).map(keyText));
  for (const record of asked) {
    if (!busy.has(keyText(record))) continue;
    for (const { state, secretId, expires } of await ledger.relevantRotations(record, now)) {
      if (secretId === null || !isInFlight(state)) continue;
      if (record.secrets.some((each) => each.secretId === secretId)) continue;
      found.set(keyText(record), { secretId, expires });
    }
  }
  return found;
}
