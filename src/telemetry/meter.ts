import type { Outcome } from '../domain/rotation-state.ts';
import type { Reason } from '../domain/reason.ts';
import type { Duration, Instant } from '../domain/time.ts';

/**
 * What was wrong with a request to an issuer or a vault. A closed list: it is a metric's label. `unreachable` was not
 * sent; with `no-answer` nobody knows whether it was applied; `error` is all that the other side says of itself.
 */
export type RequestFault =
  'not-found' | 'denied' | 'throttled' | 'rejected' | 'conflict' | 'error' | 'unreachable' | 'no-answer';
/** How a request ended. At a vault `not-found` is a good answer: the entry is absent. */
export type RequestEnd = 'ok' | RequestFault;

/** What is counted. The composition root hands in one that feeds prom-client; {@link silentMeter} for tests. */
export interface Meter {
  issuerRequest(issuer: string, operation: string, end: RequestEnd): void;
  vaultRequest(vault: string, operation: string, end: RequestEnd): void;
  rotation(issuer: string, reason: Reason, outcome: Outcome): void;
  rotationDuration(issuer: string, duration: Duration): void;
  delivery(vault: string, outcome: Outcome): void;
  retirement(issuer: string, outcome: Outcome): void;
  orphan(issuer: string, outcome: Outcome): void;
  /** A rotation that began outside of its maintenance windows, for none came in time. */
  windowMissed(issuer: string): void;
  /** A webhook that is configured from now on. Its counters begin at 0, so that the first failure is an increase. */
  webhookAdded(name: string): void;
  /** An event that a webhook was to be told. `lost`: dropped, since too many waited. */
  webhook(name: string, outcome: Outcome): void;
  scan(duration: Duration): void;
  scanSucceeded(issuer: string, at: Instant): void;
  /** The configuration does not name it any more: what is said of the present leaves it out. */
  issuerGone(issuer: string): void;
  /** The configuration in use is what its files say, as of now. */
  configTaken(at: Instant): void;
  /** The files say something that cannot be used; what was in use before goes on. */
  configRefused(): void;
}

/** Counts nothing. */
export const silentMeter: Meter = {
  issuerRequest: () => undefined,
  vaultRequest: () => undefined,
  rotation: () => undefined,
  rotationDuration: () => undefined,
  delivery: () => undefined,
  retirement: () => undefined,
  orphan: () => undefined,
  windowMissed: () => undefined,
  webhookAdded: () => undefined,
  webhook: () => undefined,
  scan: () => undefined,
  scanSucceeded: () => undefined,
  issuerGone: () => undefined,
  configTaken: () => undefined,
  configRefused: () => undefined,
};
