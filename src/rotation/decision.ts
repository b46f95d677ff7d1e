import type { CredentialState } from '../domain/credential-state.ts';
import type { Reason } from '../domain/reason.ts';
import type { Instant } from '../domain/time.ts';
import type { CredentialRecord, DestinationRecord, RotationRecord, SecretRecord } from '../ledger/records.ts';
import type { Observation, SeenDestination } from './observation.ts';
import type { DeletionProof } from './proof.ts';

/** What a plan is made from: the observation, and what the ledger remembers after it. */
export interface Situation {
  readonly observation: Observation;
  readonly record: CredentialRecord;
  readonly rotations: readonly RotationRecord[];
}

/** What to do now for one credential: a discriminated union over the contract's actions. */
export type Decision =
  | {
      readonly action: 'issue';
      readonly reason: Reason;
      /** The served secret is dead or nearly: budgets stretch by one, the breaker and settling do not hold it. */
      readonly urgent: boolean;
      /** A manual request that waits to be carried out; null: a new rotation. */
      readonly queued: RotationRecord | null;
      /** It begins outside of its maintenance windows, because none comes in time: that is told. */
      readonly outsideWindows: boolean;
    }
  | {
      readonly action: 'deliver';
      readonly reason: Reason;
      readonly targets: readonly SeenDestination[];
      /** Where the value is read back from. */
      readonly source: SeenDestination;
      readonly secretId: string;
      readonly generation: number;
      /** The rotation whose delivery this goes on with; null: a settled generation. */
      readonly rotation: RotationRecord | null;
    }
  | {
      readonly action: 'restore';
      readonly reason: Reason;
      /** Entries whose mark was stripped, with what it said. */
      readonly entries: readonly { readonly destination: SeenDestination; readonly known: DestinationRecord }[];
      /** Secrets whose marker was taken off their description. */
      readonly secrets: readonly { readonly secret: SecretRecord; readonly rotation: RotationRecord }[];
    }
  | {
      readonly action: 'retire' | 'reap';
      readonly reason: Reason;
      readonly secret: SecretRecord;
      readonly proof: DeletionProof;
    }
  | {
      readonly action: 'none';
      readonly reason: Reason;
      /** Held back, and by whom it can be freed; `null`: nothing is wrong. */
      readonly held: 'blocked' | 'failing' | null;
      /** When it may be different; null: at the next full look. */
      readonly dueAt: Instant | null;
      /** What would have been done. */
      readonly wanted: Reason | null;
    };

/** One named check of the plan: what it saw, and what it decides; `decision` null passes on to the next. */
export interface Check {
  readonly name: string;
  look(situation: Situation): Verdict;
}

export interface Verdict {
  readonly saw: string;
  readonly decision: Decision | null;
  /** What would free it, for a person; only where something is held back. */
  readonly unblock?: string;
}

/** The plan for one credential. */
export interface Plan {
  readonly decision: Decision;
  readonly state: CredentialState;
  /** Why it is in that state. */
  readonly reason: Reason;
  readonly urgent: boolean;
  /** When something may be due next; null: nothing before the next full look. */
  readonly dueAt: Instant | null;
  /** Deletions that come later or wait for their proof. */
  readonly retirements: readonly PlannedRetirement[];
}

export interface PlannedRetirement {
  readonly secretId: string;
  /** Null: no grace is running, or the proof does not hold. */
  readonly at: Instant | null;
  readonly reason: Reason;
}

export function pass(saw: string): Verdict {
  return { saw, decision: null };
}

export function hold(
  saw: string,
  reason: Reason,
  held: 'blocked' | 'failing' | null,
  unblock = '',
  dueAt: Instant | null = null,
  wanted: Reason | null = null,
): Verdict {
  return { saw, decision: { action: 'none', reason, held, dueAt, wanted }, unblock };
}

/** The earliest of some times, nulls left out. */
export function earliest(times: readonly (Instant | null | undefined)[]): Instant | null {
  const set = times.filter((each) => each !== null && each !== undefined);
  return set.length === 0 ? null : Math.min(...set);
}
