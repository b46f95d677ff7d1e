import { compareSecretIds } from '../domain/mark.ts';
import { formatInstant, formatInstantOrNull } from '../domain/time.ts';
import type { Instant } from '../domain/time.ts';
import type { CredentialRecord, Pause, RotationRecord } from '../ledger/records.ts';
import type { CredentialView, PauseView, RotationView } from './api.ts';
import type { PendingSecret } from './pending.ts';

/**
 * What the ways in show of a credential: each field is named here, so that a field added to the record stays inside.
 * `pausedUntil` is null where nothing is paused and for a pause without end: `state` tells the two apart. A pause that
 * ended before `now` is none.
 * @param pending made, and not listed since: it is shown among the secrets.
 */
export function credentialView(record: CredentialRecord, now: Instant, pending?: PendingSecret): CredentialView {
  const until = record.pause?.until ?? null;
  return {
    issuer: record.issuer,
    clientId: record.clientId,
    name: record.name,
    description: record.description,
    policy: record.policy,
    state: record.state,
    reason: record.reason,
    current:
      record.current === null
        ? null
        : {
            secretId: record.current.secretId,
            generation: record.current.generation,
            expires: formatInstantOrNull(record.current.expires),
          },
    renewAt: formatInstantOrNull(record.renewAt),
    secrets: [...record.secrets, ...(pending === undefined ? [] : [inTheMaking(pending)])]
      .toSorted((a, b) => compareSecretIds(a.secretId, b.secretId))
      .map((secret) => ({
        secretId: secret.secretId,
        expires: formatInstantOrNull(secret.expires),
        role: secret.role,
        deleteAfter: formatInstantOrNull(secret.deleteAfter),
      })),
    destinations: record.destinations.map((destination) => ({
      vault: destination.vault,
      entry: destination.entry,
      generation: destination.state === 'absent' ? null : destination.generation,
      secretId: destination.secretId,
      deliveredAt: formatInstantOrNull(destination.deliveredAt),
      state: destination.state,
      error: destination.error,
      former: destination.former,
    })),
    failures: record.failures,
    lastError: record.lastError,
    pausedUntil: until === null || until <= now ? null : formatInstant(until),
  };
}

function inTheMaking({ secretId, expires }: PendingSecret) {
  return { secretId, expires, role: 'pending' as const, deleteAfter: null };
}

/** What the ways in show of a rotation: who works on it and its compare-and-set version stay inside. */
export function rotationView(record: RotationRecord): RotationView {
  return {
    id: record.id,
    issuer: record.issuer,
    clientId: record.clientId,
    name: record.name,
    generation: record.generation,
    trigger: record.trigger,
    reason: record.reason,
    note: record.note,
    actor: record.actor,
    bulkId: record.bulkId ?? null,
    retriedAs: record.retriedAs ?? null,
    state: record.state,
    secretId: record.secretId,
    supersedes: [...record.supersedes],
    startedAt: formatInstant(record.startedAt),
    deliveredAt: formatInstantOrNull(record.deliveredAt),
    deleteAfter: formatInstantOrNull(record.deleteAfter),
    finishedAt: formatInstantOrNull(record.finishedAt),
    error: record.error,
    steps: record.steps.map((step) => ({ step: step.step, at: formatInstant(step.at), outcome: step.outcome })),
  };
}

/** @param pause the one that runs; null: none does */
export function pauseViewOf(pause: Pause | null): PauseView {
  return { paused: pause !== null, until: formatInstantOrNull(pause?.until ?? null), note: pause?.note ?? null };
}
