import type { Reason } from '../domain/reason.ts';
import type { Outcome, Step } from '../domain/rotation-state.ts';
import type { CredentialRecord, RotationRecord, SecretRecord } from '../ledger/records.ts';
import { backoff } from './backoff.ts';
import type { Observation } from './observation.ts';

/** A rotation that was moved on, and its credential with it. */
export interface Moved {
  readonly record: CredentialRecord;
  readonly rotation: RotationRecord;
  /** Why it was given up. Absent: it was not. */
  readonly ended?: Reason;
}

/** How a rotation ended that its process did not end itself. */
export function endingOf(rotation: RotationRecord, reason: 'interrupted' | 'response-lost'): Ending {
  const message = rotation.error ?? REASON_TEXT[reason] ?? reason;
  if (rotation.state === 'intended') return { step: 'create', outcome: 'lost', reason, message };
  return { step: rotation.state === 'created' ? 'verify' : 'extend', outcome: 'failed', reason, message };
}

/** How a rotation ended. */
export interface Ending {
  readonly step: Step;
  readonly outcome: Outcome;
  readonly reason: Reason;
  readonly message: string;
}

/** What crashes in a row count for: a wait of 20 s. */
const MOST_BY_CRASH = 3;

/** Ends a rotation that surely served nothing: its secret, if there is one, is a leftover to be reaped. */
export function abandon(
  { now, timing }: Pick<Observation, 'now' | 'timing'>,
  record: CredentialRecord,
  rotation: RotationRecord,
  { step, outcome, reason, message }: Ending,
  jitter: number,
): Moved {
  // a crash of ours says nothing of the issuer: its wait stays short; cap and budget bound what a crash loop can do
  const crashed = reason === 'interrupted' || (reason === 'response-lost' && rotation.error === null);
  const failures = crashed
    ? Math.max(record.failures, Math.min(record.failures + 1, MOST_BY_CRASH))
    : record.failures + 1;
  return {
    record: {
      ...(rotation.secretId === null ? record : withRole(record, rotation.secretId, 'orphan')),
      failures,
      retryAt: now + backoff(crashed ? Math.min(failures, MOST_BY_CRASH) : failures, jitter),
      lastError: message,
      lastReason: reason,
    },
    rotation: {
      ...withStep(rotation, step, now, outcome),
      state: 'abandoned',
      finishedAt: now,
      watchUntil: rotation.sentAt === null ? null : rotation.sentAt + timing.requestLifetime + timing.listLag,
      error: message,
      owner: null,
      leaseUntil: null,
    },
    ended: reason,
  };
}

/** Ends a rotation that something may serve: its secret goes through Retire once a successor has settled. */
export function yieldTo(
  observation: Observation,
  record: CredentialRecord,
  rotation: RotationRecord,
  reason: Reason,
): Moved {
  return {
    record,
    rotation: {
      ...withStep(rotation, 'deliver', observation.now, reason === 'superseded' ? 'skipped' : 'failed'),
      state: 'abandoned',
      finishedAt: observation.now,
      error: rotation.error ?? REASON_TEXT[reason] ?? reason,
      owner: null,
      leaseUntil: null,
    },
    ended: reason,
  };
}

const REASON_TEXT: Partial<Record<Reason, string>> = {
  interrupted: 'the process that worked on it ended before its value was delivered',
  'response-lost': 'the answer to the creation was lost',
  superseded: 'a newer generation is served',
  'secret-gone': 'its secret was deleted at the issuer before all destinations served it',
  manual: 'a manual request asked for a newer one',
  expiring: 'its secret became due before all destinations served it',
};

export function withRole(record: CredentialRecord, secretId: string, role: SecretRecord['role']): CredentialRecord {
  return {
    ...record,
    secrets: record.secrets.map((each) => (each.secretId === secretId ? { ...each, role } : each)),
  };
}

/** Adds a step, once: a repeated outcome of the same step keeps its first time. */
export function withStep(rotation: RotationRecord, step: Step, at: number, outcome: Outcome): RotationRecord {
  const last = rotation.steps.at(-1);
  if (last?.step === step && last.outcome === outcome) return rotation;
  return { ...rotation, steps: [...rotation.steps, { step, at, outcome }] };
}
