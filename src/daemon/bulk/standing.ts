import type { Instant } from '../../domain/time.ts';
import type { CredentialRecord, RotationRecord } from '../../ledger/records.ts';
import { isFailingDelivery } from '../../rotation/failed-delivery.ts';
import { retryTime } from '../../rotation/redate.ts';
import type { Engine } from '../engine.ts';
import { isStuck } from '../requests.ts';
import type { BulkRecord } from './bulk-note.ts';

/** So many rotations are begun for one credential, until it is left to a person. */
export const MOST_ATTEMPTS = 5;

/** How it stands with one credential of a bulk, by what the ledger says. */
export type Standing =
  | { readonly kind: 'not-begun' }
  | { readonly kind: 'under-way' }
  /** It waits for a vault, without a slot: it takes up no place. */
  | { readonly kind: 'stuck' }
  | { readonly kind: 'delivered' }
  /** The rotation was given up: it is begun again, not before `at`. */
  | { readonly kind: 'again'; readonly attempts: number; readonly at: Instant }
  | { readonly kind: 'given-up'; readonly record: CredentialRecord };

/** @param record null: the ledger has none any more. @throws LedgerError */
export async function standingOf(engine: Engine, record: CredentialRecord | null, bulk: BulkRecord): Promise<Standing> {
  if (record?.bulk?.id !== bulk.id) return { kind: 'not-begun' };
  const { ledger, clock } = engine.world;
  const rotation = await ledger.rotation(record.bulk.rotationId);
  return judge(record, record.bulk, rotation, { now: clock.now(), skew: engine.skewOf(record.issuer) });
}

function judge(
  record: CredentialRecord,
  { attempts }: NonNullable<CredentialRecord['bulk']>,
  rotation: RotationRecord | null,
  clocks: Parameters<typeof retryTime>[1],
): Standing {
  const at = retryTime(record, clocks) ?? 0;
  if (rotation === null) return { kind: 'again', attempts, at };
  if (rotation.deliveredAt !== null) return { kind: 'delivered' };
  if (rotation.state !== 'abandoned') return { kind: waitsForVault(rotation) ? 'stuck' : 'under-way' };
  const isBegun = rotation.steps.length > 0;
  // it yielded, and what took its place is served
  if (isBegun && (record.current?.generation ?? 0) > rotation.generation) return { kind: 'delivered' };
  // held back before it began: that was no attempt
  const begun = isBegun ? attempts : attempts - 1;
  return begun >= MOST_ATTEMPTS ? { kind: 'given-up', record } : { kind: 'again', attempts: begun, at };
}

function waitsForVault(rotation: RotationRecord): boolean {
  return isStuck(rotation) || isFailingDelivery(rotation);
}
