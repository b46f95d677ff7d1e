import type { IssuerError } from './errors.ts';

/**
 * Why a plan says what it says. The same words appear in logs, metrics, the API and the `plan` command.
 * Each is explained in docs/reasons.md, and a test holds that page to this list.
 */
export const REASONS = [
  // something is due
  'expiring',
  'expired',
  'max-age',
  'manual',
  'initial',
  'destination-empty',
  'destination-behind',
  'destination-drifted',
  'format-changed',
  'secret-gone',
  // something is under way, or comes later
  'in-flight',
  'settling',
  'recovering',
  'grace-running',
  'grace-over',
  'confirming-deletion',
  'orphan',
  'leftover-expired',
  'up-to-date',
  // held back: by rule
  'ignored',
  'unmanaged',
  'suspended',
  'paused',
  'mode-observe',
  'mode-no-delete',
  'retire-manual',
  'outside-window',
  // held back: a person or a limit must act
  'cap-reached',
  'budget-spent',
  'breaker-open',
  'paced',
  'backoff',
  'manual-cooldown',
  'clock-skew',
  'destination-moved',
  'destination-shared',
  'destination-invalid',
  'entry-foreign',
  'credential-gone',
  'unknown-secret',
  // a deletion waits for its proof
  'still-served',
  'destination-unproven',
  'last-live-secret',
  'secret-changed',
  // the last attempt failed
  'issuer-forbidden',
  'issuer-failed',
  'vault-failed',
  'verify-timeout',
  'verify-interrupted',
  'extend-unconfirmed',
  'unusable-lifetime',
  'response-lost',
  'superseded',
  'interrupted',
] as const;

export type Reason = (typeof REASONS)[number];

/** What a failed call to an issuer comes under. */
export function failureReason(error: Pick<IssuerError, 'fault'>): 'issuer-forbidden' | 'issuer-failed' {
  return error.fault === 'forbidden' ? 'issuer-forbidden' : 'issuer-failed';
}
