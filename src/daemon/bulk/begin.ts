import type { Reason } from '../../domain/reason.ts';
import { isInFlight } from '../../domain/rotation-state.ts';
import { SECOND } from '../../domain/time.ts';
import type { Duration, Instant } from '../../domain/time.ts';
import type { CredentialKey, CredentialRecord, RotationRecord } from '../../ledger/records.ts';
import { isWaiting } from '../../rotation/queued.ts';
import { retryTime } from '../../rotation/redate.ts';
import type { Engine } from '../engine.ts';
import { REMEMBERED } from '../repeats.ts';
import { graceOf, isStuck, requestFor } from '../requests.ts';
import type { BulkRecord } from './bulk-note.ts';
import { reasonToSkip } from './selection.ts';
import { standingOf } from './standing.ts';

/** What became of the try to begin a bulk's rotation of one credential. */
export type Begun =
  | { readonly kind: 'begun' }
  /** It cannot be begun before then. */
  | { readonly kind: 'later'; readonly at: Instant }
  | {
      readonly kind: 'not';
      readonly record: CredentialRecord | null;
      readonly reason: Reason;
      /** How many rotations of it this bulk began before. */
      readonly attempts: number;
    };

/** How soon it is looked again whether a rotation that began before the bulk is over. */
const RUNNING: Duration = 10 * SECOND;

/**
 * Stores a request for a credential, and that the bulk has taken it up, in one commit: neither a crash nor a second process
 * makes two of it. A rotation that is under way is joined where its secret is made after the bulk was asked for; one that
 * made its secret before is waited for.
 * @throws LedgerError
 */
export async function begin(engine: Engine, key: CredentialKey, bulk: BulkRecord): Promise<Begun> {
  const { ledger, clock, events } = engine.world;
  for (;;) {
    const record = await ledger.credential(key);
    if (record === null) return { kind: 'not', record, reason: 'credential-gone', attempts: 0 };
    const standing = await standingOf(engine, record, bulk);
    // another process was faster
    if (standing.kind !== 'not-begun' && standing.kind !== 'again') return { kind: 'begun' };
    const attempts = standing.kind === 'again' ? standing.attempts : 0;
    const reason = reasonToSkip(engine, record, bulk.force);
    if (reason !== null) return { kind: 'not', record, reason, attempts };
    const now = clock.now();
    const rotations = await ledger.relevantRotations(key, now - REMEMBERED);
    const running = rotations.find((each) => isInFlight(each.state) && !isStuck(each));
    const retryAt = retryTime(record, { now, skew: engine.skewOf(key.issuer) });
    if (running === undefined && retryAt !== null && retryAt > now && !rotations.some(isStuck)) {
      return { kind: 'later', at: retryAt };
    }
    if (running?.sentAt != null && running.sentAt < bulk.startedAt) return { kind: 'later', at: now + RUNNING };
    const { id, actor, note, grace } = bulk;
    const passes = bulk.force ? 'limits' : 'nothing';
    const wanted = requestFor(engine, record, { note, grace, actor, bulk: { id, passes } });
    const changed = running === undefined ? [wanted] : joined(engine, record, running, bulk);
    const { id: rotationId } = running ?? wanted;
    const marked = { ...record, dueAt: now, bulk: { id, rotationId, attempts: attempts + 1 } };
    if (!(await ledger.commit({ credentials: [marked], rotations: changed }))) continue;
    if (running === undefined) {
      events.tell({ type: 'rotation-requested', ...key, name: record.name, rotationId, actor });
    }
    await engine.visitNow(key);
    return { kind: 'begun' };
  }
}

/** The rotation that is under way, where the bulk changes it: a shorter grace, or past limits that still hold it back. */
function joined(
  engine: Engine,
  record: CredentialRecord,
  running: RotationRecord,
  { force, grace }: BulkRecord,
): RotationRecord[] {
  const isShorter = grace !== null && grace < graceOf(engine, record, running);
  const isRaised = force && isWaiting(running);
  if (!isShorter && !isRaised) return [];
  return [{ ...running, ...(isShorter && { grace }), ...(isRaised && { passes: 'limits' as const }) }];
}
