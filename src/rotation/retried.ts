import type { Reason } from '../domain/reason.ts';
import type { Instant } from '../domain/time.ts';
import type { RotationRecord } from '../ledger/records.ts';
import { newRotation } from './new-rotation.ts';
import { isWaiting } from './queued.ts';

/**
 * Ends that are no answer to who asked: the process died or was stopped, the answer to the creation was lost, the new secret
 * was taken away. What is due by itself is planned again; a person's request would be forgotten.
 */
const CUT_OFF: ReadonlySet<Reason> = new Set(['interrupted', 'verify-interrupted', 'response-lost', 'secret-gone']);

/** Who waits for it; null: it was due by itself, or a bulk asked for it, which begins it again itself. */
function askerOf({ trigger, actor, bulkId, joinedBy }: RotationRecord): string | null {
  return joinedBy ?? (trigger === 'manual' && bulkId === undefined ? actor : null);
}

/** What draws a rotation's id, at the issuer's time; called at most once. */
export type NextId = () => string;

/**
 * A rotation that was asked for and that was cut off, with the request that takes its place: one that waits already, or a
 * new one. Both are to be stored in one commit, so that no crash comes between them.
 * @param reason why it ended. @param rotations of the credential. @param known the highest generation that is known.
 * @returns the rotation alone where nobody asked for it, or its end is an answer
 */
export function withRetry(
  ended: RotationRecord,
  reason: Reason,
  rotations: readonly RotationRecord[],
  nextId: NextId,
  { now, generation: known }: { readonly now: Instant; readonly generation: number },
): readonly [RotationRecord, ...RotationRecord[]] {
  const actor = askerOf(ended);
  if (actor === null || !CUT_OFF.has(reason)) return [ended];
  const waiting = rotations.find((each) => each.id !== ended.id && isWaiting(each));
  if (waiting !== undefined) return [{ ...ended, retriedAs: waiting.id }];
  const { issuer, clientId, name, generation, note, grace } = ended;
  const request = newRotation({
    ...{ id: nextId(), issuer, clientId, name, generation: Math.max(generation, known) + 1 },
    ...{ trigger: 'manual', reason: 'manual', note, actor, grace, startedAt: now, owner: null },
  });
  return [{ ...ended, retriedAs: request.id }, request];
}
