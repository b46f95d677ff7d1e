import type { Passes } from '../domain/bulk.ts';
import type { CredentialState } from '../domain/credential-state.ts';
import type { DestinationState } from '../domain/destination-state.ts';
import type { Format } from '../domain/payload.ts';
import type { Reason } from '../domain/reason.ts';
import type { Outcome, RotationState, Step, Trigger } from '../domain/rotation-state.ts';
import type { SecretRole } from '../domain/secret-role.ts';
import type { Duration, Instant } from '../domain/time.ts';

/** Everything here is plain JSON. Nothing here ever holds the value of a secret. */

export interface CredentialKey {
  readonly issuer: string;
  readonly clientId: string;
}

/** A secret at the issuer, as last listed, with what rekeyd knows of it. */
export interface SecretRecord {
  readonly secretId: string;
  readonly expires: Instant | null;
  readonly role: SecretRole;
  /** Null for a secret that rekeyd did not make. */
  readonly rotationId: string | null;
  /** 0 for an adopted one, null for a stranger's. */
  readonly generation: number | null;
  readonly firstSeen: Instant;
  /** When it may be deleted; null: no grace is running (it is served, or nothing supersedes it). */
  readonly deleteAfter: Instant | null;
  /** The full grace of this secret, fixed when it was superseded; null before. */
  readonly grace: Duration | null;
  /** Pauses of its credential, ended since the grace began, that `deleteAfter` has in it. Absent: none. */
  readonly paused?: readonly EndedPause[];
  /** Since when it is not listed any more; null while it is. */
  readonly missingSince: Instant | null;
  /** When a DELETE was last sent; null: never. */
  readonly deletingSince: Instant | null;
  /** DELETEs in a row that failed, or after which it was still listed; for their backoff. */
  readonly deleteFailures: number;
  /** A person asked for its end now: policy `retire: manual` and the rest of the grace do not hold it. */
  readonly retireRequested: boolean;
}

/** A destination of a credential, present or former, as last seen. */
export interface DestinationRecord {
  readonly vault: string;
  readonly identity: string;
  readonly entry: string;
  readonly options: Readonly<Record<string, unknown>>;
  /** The format of the last delivery; null before it. */
  readonly format: Format | null;
  /** No rule names it any more. It still holds deletions back until it is surely absent, serves another, or forgotten. */
  readonly former: boolean;
  readonly state: DestinationState;
  readonly generation: number | null;
  /** The highest generation that it ever held, or may have; null, or absent in older ledgers: not known. */
  readonly held?: number | null;
  readonly secretId: string | null;
  readonly deliveredAt: Instant | null;
  /** The vault's version that we wrote or saw bound; null before. */
  readonly version: string | null;
  /** The vault's revision as last seen; null, or absent in older ledgers: not known, as after a mark was written back. */
  readonly revision?: string | null;
  /** An unmarked entry that was read and proven by a token, at this version; null where none was. */
  readonly adopted: { readonly version: string; readonly secretId: string | null } | null;
  readonly seenAt: Instant | null;
  readonly error: string | null;
}

export interface Pause {
  readonly since: Instant;
  readonly until: Instant | null;
  readonly note: string | null;
}

export interface EndedPause {
  readonly since: Instant;
  readonly until: Instant;
  /** It stands for several that ended then or before, and is as long as all of them. */
  readonly packed?: true;
}

export interface CredentialRecord extends CredentialKey {
  /** Compare-and-set: counts up with every commit; 0 is a record that was never stored. */
  readonly version: number;
  readonly name: string;
  readonly description: string;
  /** The description that the destinations' names were resolved with, at first delivery; null before it (C6). */
  readonly pinnedDescription: string | null;
  readonly policy: string | null;
  /** Digest of the rule's resolved terms: a change makes the next scan look. */
  readonly terms: string;
  /** The highest generation ever intended or seen. */
  readonly generation: number;
  /** What consumers are served. `secretId` null: an adopted entry that does not name its secret. */
  readonly current: {
    readonly secretId: string | null;
    readonly generation: number;
    readonly expires: Instant | null;
  } | null;
  readonly secrets: readonly SecretRecord[];
  readonly destinations: readonly DestinationRecord[];
  readonly state: CredentialState;
  readonly reason: Reason;
  readonly renewAt: Instant | null;
  /** When something may be due; null: nothing before the next resync. */
  readonly dueAt: Instant | null;
  /** When everything is to be looked at afresh. */
  readonly resyncAt: Instant;
  readonly lookedAt: Instant | null;
  /** Failed attempts in a row. */
  readonly failures: number;
  /** Rotations in a row that a shutdown cut off in verify. */
  readonly interruptions: number;
  /** No new attempt before this; jitter included. */
  readonly retryAt: Instant | null;
  readonly lastError: string | null;
  /** What `lastError` comes under in the closed list; null where it is. */
  readonly lastReason: Reason | null;
  /** How often in a row its secrets could not be listed, and when they are asked for again, jitter included. */
  readonly unlisted: { readonly failures: number; readonly retryAt: Instant } | null;
  /**
   * How often in a row marks that were taken off were written back without staying, and when that is tried again;
   * `error`: what the last attempt met. Null: none is missing, or it was not tried yet.
   */
  readonly unmarked: { readonly attempts: number; readonly retryAt: Instant; readonly error: string | null } | null;
  readonly pause: Pause | null;
  /** Since when the issuer's list lacks the credential; null while it is listed. */
  readonly goneSince: Instant | null;
  /** The last bulk that took it up: the rotation that it led to, and how many were begun for it. Absent: none ever did. */
  readonly bulk?: { readonly id: string; readonly rotationId: string; readonly attempts: number };
}

export interface StepRecord {
  readonly step: Step;
  readonly at: Instant;
  readonly outcome: Outcome;
}

/** The durable record of one replacement. */
export interface RotationRecord extends CredentialKey {
  /** A UUIDv7. */
  readonly id: string;
  readonly version: number;
  readonly name: string;
  readonly generation: number;
  readonly trigger: Trigger;
  readonly reason: Reason;
  readonly note: string | null;
  /** Who asked: a token's name, `socket`, or `rekeyd`. */
  readonly actor: string;
  readonly state: RotationState;
  readonly secretId: string | null;
  readonly expires: Instant | null;
  readonly supersedes: readonly string[];
  /** An explicit request's grace; null: the policy's. */
  readonly grace: Duration | null;
  readonly startedAt: Instant;
  /** When the POST was last sent; null: surely never. */
  readonly sentAt: Instant | null;
  /** Whether `delivering` was ever recorded: from then on anything may serve its secret. */
  readonly mayBeServed: boolean;
  readonly deliveredAt: Instant | null;
  readonly deleteAfter: Instant | null;
  readonly finishedAt: Instant | null;
  /** Its secret may still appear at the issuer until then (a POST that lands late); null: not on watch. */
  readonly watchUntil: Instant | null;
  readonly error: string | null;
  readonly steps: readonly StepRecord[];
  /** The requests with an `Idempotency-Key` that led to it, as digests, and what they were told. Absent: none. */
  readonly requests?: readonly {
    readonly key: string;
    readonly body: string;
    readonly grace: Duration;
    readonly at: Instant;
  }[];
  /** Who asked for it last while it was under way already. Absent: nobody did. */
  readonly joinedBy?: string;
  /** The rotation that takes up its request, which was cut off. Absent: none does. */
  readonly retriedAs?: string;
  /** The bulk that asked for it. Absent: none did. */
  readonly bulkId?: string;
  /** What a request goes ahead of while it waits, see rotation/queued.ts. Absent: `pace`. */
  readonly passes?: Passes;
  /** The process that works on it, until `leaseUntil`; null: nobody. */
  readonly owner: string | null;
  readonly leaseUntil: Instant | null;
}
