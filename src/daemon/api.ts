import type { Action } from '../domain/action.ts';
import type { CredentialState } from '../domain/credential-state.ts';
import type { DestinationState } from '../domain/destination-state.ts';
import type { Reason } from '../domain/reason.ts';
import type { Outcome, RotationState, Step, Trigger } from '../domain/rotation-state.ts';
import type { SecretRole } from '../domain/secret-role.ts';
import type { Duration, Instant } from '../domain/time.ts';
import type { CredentialFilter, Page, RotationFilter } from '../ledger/contract.ts';
import type { CredentialKey, CredentialRecord } from '../ledger/records.ts';
import type { World } from '../rotation/world.ts';
import type { BulkApi } from './bulk/bulk-api.ts';
import type { OverviewApi } from './overview.ts';

/** What the ways in (HTTP, CLI) may ask of a running daemon. Times in views are RFC 3339 strings, null for never. */
export interface DaemonApi extends OverviewApi, BulkApi {
  status(): Promise<StatusView>;
  /** Why the daemon is not ready; empty where it is. Never asks an issuer or a vault. */
  unready(): Promise<readonly string[]>;
  /** Starts a scan, or joins the one that is running. */
  scan(): { readonly scanId: string };

  credentials(filter: CredentialFilter, limit: number, cursor: string | null): Promise<Page<CredentialView>>;
  credential(key: CredentialKey): Promise<CredentialView | null>;
  rotations(filter: RotationFilter, limit: number, cursor: string | null): Promise<Page<RotationView>>;
  rotation(id: string): Promise<RotationView | null>;

  /** @throws Refusal: `not-found`, `conflict` (paused, blocked, unmanaged, mode), `too-soon`, `key-reused`. */
  rotate(key: CredentialKey, request: RotateRequest): Promise<RotateAnswer>;
  /** `key` null: everything. @throws Refusal `not-found`. */
  pause(key: CredentialKey | null, request: PauseRequest): Promise<PauseView>;
  resume(key: CredentialKey | null, actor: string): Promise<PauseView>;
  /** Ends the grace of what a rotation superseded; the proof is still asked for. @throws Refusal. */
  retire(rotationId: string, actor: string): Promise<RotationView>;
  /** A former destination no longer holds deletions back. @throws Refusal. */
  forget(key: CredentialKey, destination: { vault: string; entry: string }, actor: string): Promise<CredentialView>;
}

export interface RotateRequest {
  readonly note: string | null;
  readonly grace: Duration | null;
  readonly actor: string;
  /** Asked again with the same key and body, the answer is the same, and nothing new is started. Digests, both. */
  readonly once?: { readonly key: string; readonly body: string } | undefined;
}

export interface RotateAnswer {
  readonly rotationId: string;
  /** The grace that holds for it now, as a duration text (`14d`). */
  readonly grace: string;
}

export interface PauseRequest {
  readonly until: Instant | null;
  readonly note: string | null;
  readonly actor: string;
}

export interface PauseView {
  readonly paused: boolean;
  readonly until: string | null;
  readonly note: string | null;
}

/** An act that cannot be done now, with the reason that a person sees. It holds no secret. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly kind: 'not-found' | 'conflict' | 'too-soon' | 'invalid' | 'key-reused' | 'bulk-changed' | 'bulk-running';
  readonly reason: Reason | null;
  /** Seconds; only for `too-soon`. */
  readonly retryAfter: number | null;

  constructor(kind: Refusal['kind'], message: string, detail: { reason?: Reason; retryAfter?: number } = {}) {
    super(message);
    this.kind = kind;
    this.reason = detail.reason ?? null;
    this.retryAfter = detail.retryAfter ?? null;
  }
}

export interface StatusView {
  readonly version: string;
  readonly instance: string;
  readonly mode: string;
  readonly startedAt: string;
  /** Seconds. */
  readonly uptime: number;
  readonly paused: PauseView;
  readonly lastScan: {
    readonly scanId: string;
    readonly startedAt: string;
    readonly finishedAt: string | null;
    readonly looked: number;
    readonly error: string | null;
  } | null;
  readonly nextScan: string | null;
  /** The bulk that runs; `remaining`: those of its credentials that are neither delivered nor given up. Null: none runs. */
  readonly bulk: { readonly id: string; readonly total: number; readonly remaining: number } | null;
  readonly breakers: readonly { readonly issuer: string; readonly open: boolean; readonly until: string | null }[];
  /** Counts of credentials by state, all issuers together. */
  readonly credentials: Readonly<Record<CredentialState, number>>;
}

export interface CredentialView {
  readonly issuer: string;
  readonly clientId: string;
  readonly name: string;
  readonly description: string;
  readonly policy: string | null;
  readonly state: CredentialState;
  readonly reason: Reason;
  readonly current: {
    readonly secretId: string | null;
    readonly generation: number;
    readonly expires: string | null;
  } | null;
  readonly renewAt: string | null;
  readonly secrets: readonly {
    readonly secretId: string;
    readonly expires: string | null;
    readonly role: SecretRole;
    readonly deleteAfter: string | null;
  }[];
  readonly destinations: readonly {
    readonly vault: string;
    readonly entry: string;
    readonly generation: number | null;
    readonly secretId: string | null;
    readonly deliveredAt: string | null;
    readonly state: DestinationState;
    readonly error: string | null;
    readonly former: boolean;
  }[];
  readonly failures: number;
  readonly lastError: string | null;
  readonly pausedUntil: string | null;
}

export interface RotationView {
  readonly id: string;
  readonly issuer: string;
  readonly clientId: string;
  readonly name: string;
  readonly generation: number;
  readonly trigger: Trigger;
  readonly reason: Reason;
  readonly note: string | null;
  readonly actor: string;
  /** The bulk that asked for it; null: none did. */
  readonly bulkId: string | null;
  /** The rotation that takes up its request, which a crash, a stop or a lost answer cut off; null: none does. */
  readonly retriedAs: string | null;
  readonly state: RotationState;
  readonly secretId: string | null;
  readonly supersedes: readonly string[];
  readonly startedAt: string;
  readonly deliveredAt: string | null;
  readonly deleteAfter: string | null;
  readonly finishedAt: string | null;
  readonly error: string | null;
  readonly steps: readonly { readonly step: Step; readonly at: string; readonly outcome: Outcome }[];
}

export interface PlanView {
  readonly items: readonly PlanItem[];
  readonly totals: Readonly<Record<Action, number>>;
}

export interface PlanItem {
  readonly issuer: string;
  readonly clientId: string;
  readonly name: string;
  readonly action: Action;
  readonly reason: Reason;
  /** When it is, or was, due; null: no date, as for a deletion that waits for its proof. */
  readonly dueAt: string | null;
  readonly destinations: readonly { readonly vault: string; readonly entry: string }[];
  readonly secretIds: readonly string[];
}

export interface ExplainView {
  readonly issuer: string;
  readonly clientId: string;
  readonly name: string;
  readonly checks: readonly {
    readonly check: string;
    readonly saw: string;
    /** `passed on`, or the action and reason that this check decided; checks behind the deciding one are `not reached`. */
    readonly decided: string;
    /** What would unblock it; empty where nothing is blocked. */
    readonly unblock: string;
  }[];
  readonly action: Action;
  readonly reason: Reason;
}

/** What `rekeyd once` reports. */
export interface OnceResult {
  readonly looked: number;
  readonly acted: number;
  readonly unwell: readonly {
    readonly issuer: string;
    readonly clientId: string;
    readonly state: CredentialState;
    readonly reason: Reason;
  }[];
  /** A scan that could not list an issuer. */
  readonly errors: readonly string[];
}

/** The daemon itself: the API and its life. */
export interface Daemon extends DaemonApi {
  /** Recovers, scans, then follows the schedule. Resolves once the schedule is set; the first scan goes on behind it. */
  start(): Promise<void>;
  /** Starts nothing new, finishes what cannot be left halfway within `shutdownTimeout`. */
  stop(): Promise<void>;
  /**
   * Starts a daemon over `next`, a world of the same ledger and process with other settings, which takes over in one step.
   * Afterwards this one begins nothing any more; what it began, it brings to {@link rest} under its own terms. Issuers that
   * are the same object in both worlds keep their breakers. @throws LedgerError: then nothing has changed.
   */
  handOver(next: World): Promise<Daemon>;
  /** Kept when nothing is under way any more. */
  rest(): Promise<void>;
  once(options: { readonly limit: number | null; readonly only: string | null }): Promise<OnceResult>;
  /** What a scan would do now; in mode `observe`, what it would do in mode `active`. Changes nothing anywhere. */
  plan(): Promise<PlanView>;
  explain(key: CredentialKey): Promise<ExplainView>;
  /** How many credentials are in each state, at each issuer. @throws LedgerError */
  counts(): Promise<readonly { issuer: string; state: CredentialState; count: number }[]>;
  /** What keeps the ledger from being written, null: nothing does. It may be asked often, and does not throw. For the metrics. */
  ledgerProblem(): Promise<string | null>;
  /** From when maintenance windows let a deletion go that may go at `at`; null: they never do. For the metrics. */
  retirementOpening(record: CredentialRecord, at: Instant): Instant | null;
  /** A record with the dates of its deletions as pauses of everything have put them off. For the metrics. */
  dated(record: CredentialRecord): CredentialRecord;
}
