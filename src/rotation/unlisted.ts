import type { CredentialRecord } from '../ledger/records.ts';
import { backoff } from './backoff.ts';
import type { Observation } from './observation.ts';

/**
 * Remembers whether the secrets could be listed. Lists that fail are asked for at growing intervals, stored so that a
 * restart does not reset them (I4). Pure; `jitter` as in {@link backoff}.
 */
export function rememberList(
  { issuerError, now }: Observation,
  record: CredentialRecord,
  jitter: number,
): CredentialRecord {
  if (issuerError === null) return record.unlisted === null ? record : { ...record, unlisted: null };
  const failures = (record.unlisted?.failures ?? 0) + 1;
  const unlisted = { failures, retryAt: now + backoff(failures, jitter) };
  return { ...record, unlisted, lastError: issuerError.message, lastReason: issuerError.reason };
}
