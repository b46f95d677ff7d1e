import type { Duration, Instant } from '../domain/time.ts';
import type { CredentialRecord, Pause } from '../ledger/records.ts';
import type { Situation } from './decision.ts';
import type { Circumstances } from './observation.ts';

/** The pause that holds a credential now: its own, or that of everything. */
export function pauseOf({ observation, record }: Pick<Situation, 'observation' | 'record'>): Pause | null {
  return activePause(record.pause, observation.now) ?? activePause(observation.circumstances.pause, observation.now);
}

/** A pause with an end is over by itself then. */
export function activePause(pause: Pause | null, now: Instant): Pause | null {
  return pause !== null && (pause.until === null || pause.until > now) ? pause : null;
}

/** How long everything was paused since `from`: time in pause never shortens a grace. */
export function pausedDuring({ pastPauses }: Circumstances, from: Instant): Duration {
  return pastPauses
    .map(({ since, until }) => Math.max(0, until - Math.max(since, from)))
    .reduce((total, each) => total + each, 0);
}

/**
 * Takes a credential's own pause off when it is over, or is ended at `end`, and puts the dates of its superseded secrets
 * off by its length.
 */
export function endPause(record: CredentialRecord, end: Instant): CredentialRecord {
  const { pause } = record;
  if (pause === null) return record;
  const over = pause.until === null ? end : Math.min(pause.until, end);
  return {
    ...record,
    pause: null,
    secrets: record.secrets.map((secret) => {
      if (secret.deleteAfter === null || secret.retireRequested) return secret;
      const from = Math.max(pause.since, secret.deleteAfter - (secret.grace ?? 0));
      return { ...secret, deleteAfter: secret.deleteAfter + Math.max(0, over - from) };
    }),
  };
}
