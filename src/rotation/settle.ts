import { hasAnyMarker } from '../domain/marker.ts';
import type { CredentialRecord, RotationRecord, SecretRecord } from '../ledger/records.ts';
import { withStep } from './ending.ts';
import type { Moved } from './ending.ts';
import { graceStart } from './observation.ts';
import type { Observation } from './observation.ts';
import { startGrace } from './pauses.ts';

/** All destinations serve it: the grace of what it replaces is fixed now. */
export function settle(observation: Observation, record: CredentialRecord, rotation: RotationRecord): Moved {
  const { now, terms, rotations } = observation;
  const from = graceStart(observation);
  const elsewhere = new Set(
    rotations.filter((each) => each.state === 'grace' && each.id !== rotation.id).flatMap((each) => each.supersedes),
  );
  const grace = rotation.grace ?? (terms.kind === 'managed' ? terms.policy.grace : 0);
  const unmanaged =
    terms.kind === 'managed' && terms.policy.unmanaged === 'delete' ? strangers(observation, record) : [];
  const secrets = record.secrets.map((each): SecretRecord => {
    if (!unmanaged.includes(each.secretId)) return each;
    return { ...startGrace(each, Math.max(from, each.firstSeen), grace), role: 'superseded' };
  });
  const replaced = secrets.filter((each) => each.role === 'superseded' && !elsewhere.has(each.secretId));
  const dates = replaced.map((each) => each.deleteAfter ?? from + grace);
  return {
    record: { ...record, secrets, failures: 0, interruptions: 0, retryAt: null, lastError: null, lastReason: null },
    rotation: {
      ...rotation,
      // where nothing was replaced there is no grace to wait for
      state: replaced.length === 0 ? 'done' : 'grace',
      finishedAt: replaced.length === 0 ? now : null,
      supersedes: [...new Set([...rotation.supersedes, ...replaced.map((each) => each.secretId)])],
      deliveredAt: now,
      deleteAfter: dates.length === 0 ? null : Math.max(...dates),
      error: null,
      owner: null,
      leaseUntil: null,
      steps: withStep(withStep(rotation, 'deliver', now, 'ok'), 'settle', now, 'ok').steps,
    },
  };
}

/** Secrets made by hand, for `unmanaged: delete`: none with any rekeyd's mark, none that an entry names. */
function strangers(observation: Observation, record: CredentialRecord): string[] {
  // the static secret that rekeyd logs in with looks just like one
  if (observation.isOwnClient) return [];
  const named = new Set(record.destinations.flatMap((each) => [each.secretId, each.adopted?.secretId ?? null]));
  return (observation.secrets ?? [])
    .filter((each) => !hasAnyMarker(each.description) && !named.has(each.secretId))
    .filter((each) => record.secrets.some((known) => known.secretId === each.secretId && known.role === 'unmanaged'))
    .map((each) => each.secretId);
}
