import type { Duration } from '../domain/time.ts';
import type { CredentialKey, Pause } from '../ledger/records.ts';
import type { IssuerError } from '../domain/errors.ts';

/** How the daemon steers the work on one credential. */
export interface Control {
  /** Aborted when the daemon is told to stop: nothing new starts, waiting ends. */
  readonly stopping: AbortSignal;
  /** False once the daemon stops, or other terms have taken over: what was begun is brought to rest, nothing new starts. */
  mayBegin(): boolean;
  /** Aborted when `shutdownTimeout` is over: calls are given up. */
  readonly giveUp: AbortSignal;
  /** Waits without holding a concurrency slot. Throws where `stopping` is aborted meanwhile. */
  idle(duration: Duration): Promise<void>;
  /** One-shot job: what fails is left to its stored retry time. */
  readonly once: boolean;
  /** Tells the breaker how the issuer behaved in an attempt. */
  issuerFailed(key: CredentialKey, error: IssuerError): void;
  issuerWorked(key: CredentialKey): void;
  /** Tells whether the token endpoint answered: nothing is created while it is silent. */
  heard(issuer: string, answered: boolean): void;
  /**
   * Takes a place in the hour's rotations; false where they are spent, or the breaker is open. One that goes `ahead` (it
   * is urgent, or a person asked for it) is only counted.
   */
  reserveStart(key: CredentialKey, ahead: boolean): boolean;
  /** The pause of everything, as the ledger has it now: another process may have been told. */
  pausedAll(): Promise<Pause | null>;
  /** What began this visit: a new rotation is told to be triggered by it. */
  readonly trigger: 'schedule' | 'startup';
  /** How long a lease lasts. */
  readonly lease: Duration;
}
