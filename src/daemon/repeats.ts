import { DAY, formatDuration } from '../domain/time.ts';
import type { Duration, Instant } from '../domain/time.ts';
import type { RotationRecord } from '../ledger/records.ts';
import { Refusal } from './api.ts';
import type { RotateAnswer, RotateRequest } from './api.ts';

/** An `Idempotency-Key` is known for this long, and as long as its rotation is in flight. */
export const REMEMBERED = DAY;
/** Keys that one rotation remembers: the newest ones, of those who joined it. */
const MOST = 20;

/**
 * The answer that the same request had before; null: it is a new one. It lies with the rotation that it led to, stored in
 * one commit with it, so that neither a crash nor a restart lets a repeated request start a second rotation.
 * @throws Refusal `key-reused` where the key came with another body.
 */
export function repeated(
  rotations: readonly RotationRecord[],
  { once }: RotateRequest,
  now: Instant,
): RotateAnswer | null {
  if (once === undefined) return null;
  for (const { id, requests = [] } of rotations) {
    const found = requests.find(({ key, at }) => key === once.key && now - at < REMEMBERED);
    if (found === undefined) continue;
    if (found.body !== once.body) {
      throw new Refusal('key-reused', 'this Idempotency-Key came with another body before: take a new key');
    }
    return { rotationId: id, grace: formatDuration(found.grace) };
  }
  return null;
}

/** The rotation, with the request that led to it and what it was told. */
export function withRequest(
  rotation: RotationRecord,
  { once }: RotateRequest,
  grace: Duration,
  at: Instant,
): RotationRecord {
  if (once === undefined) return rotation;
  return { ...rotation, requests: [...(rotation.requests ?? []), { ...once, grace, at }].slice(-MOST) };
}
