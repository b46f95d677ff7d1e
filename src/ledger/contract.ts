import type { z } from 'zod';
import type { CredentialState } from '../domain/credential-state.ts';
import type { RotationState } from '../domain/rotation-state.ts';
import type { Ports } from '../domain/ports.ts';
import type { Instant } from '../domain/time.ts';
import type { Log } from '../telemetry/log.ts';
import type { CredentialKey, CredentialRecord, RotationRecord } from './records.ts';

/** What a scan needs of a credential to decide whether it must be looked at. */
export interface CredentialHeader {
  readonly clientId: string;
  readonly description: string;
  readonly terms: string;
  readonly state: CredentialState;
  readonly dueAt: Instant | null;
  readonly resyncAt: Instant;
  /** When the served secret ends: soonest first. */
  readonly expires: Instant | null;
}

/** A page of a listing; `nextCursor` null: the last one. Cursors are opaque and stay valid while records change. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly nextCursor: string | null;
}

export interface CredentialFilter {
  readonly issuer?: string;
  readonly state?: CredentialState;
}

export interface RotationFilter {
  readonly issuer?: string;
  readonly clientId?: string;
  readonly state?: RotationState;
}

/**
 * All or nothing: each record's `version` must be the stored one (0: not stored yet); stored are the records at version + 1.
 * Issuer, clientId and `startedAt` of a rotation are fixed with its id.
 */
export interface Changes {
  readonly credentials?: readonly CredentialRecord[];
  readonly rotations?: readonly RotationRecord[];
}

/**
 * rekeyd's own store. It never holds the value of a secret. Every call may throw {@link LedgerError} and nothing else.
 * What `commit` returned true for survives a crash of process and machine.
 */
export interface Ledger {
  readonly type: string;
  /** Where a corrupt or unreadable predecessor was set aside at opening; null: none was. */
  readonly setAside: string | null;

  credential(key: CredentialKey): Promise<CredentialRecord | null>;
  /** All headers of an issuer's credentials, streamed in the order of clientId. */
  headers(issuer: string): AsyncIterable<CredentialHeader>;
  /** In the order of (issuer, clientId). @throws LedgerError for a cursor that is not of this listing. */
  credentials(filter: CredentialFilter, limit: number, cursor: string | null): Promise<Page<CredentialRecord>>;
  countsByState(): Promise<readonly { issuer: string; state: CredentialState; count: number }[]>;

  rotation(id: string): Promise<RotationRecord | null>;
  /** Newest first. */
  rotations(filter: RotationFilter, limit: number, cursor: string | null): Promise<Page<RotationRecord>>;
  /**
   * Those that a plan must know: not finished, or `watchUntil` or `startedAt` at or after `since`, or whose secret is
   * still named in the credential's record. Newest first.
   */
  relevantRotations(key: CredentialKey, since: Instant): Promise<readonly RotationRecord[]>;
  /** Keys of all credentials with a rotation that is in flight. */
  inFlight(): Promise<readonly CredentialKey[]>;
  /** How many rotations were started at or after `since`. */
  startedSince(since: Instant): Promise<number>;

  /** @returns false where any version did not match; then nothing is stored. */
  commit(changes: Changes): Promise<boolean>;

  /** Small documents by key: the pause of all, breakers. Null: none. */
  note(key: string): Promise<Note | null>;
  /** Compare-and-set as in {@link commit}: `version` must be the stored one, 0 where there is none. */
  putNote(key: string, note: Note): Promise<boolean>;

  /** Deletes finished rotations that finished before `before`, are not on watch, and whose secret no record names. */
  prune(before: Instant): Promise<number>;
  /** Proves that a commit would be durable now (a write and its undoing). @throws LedgerError where it would not. */
  check(): Promise<void>;
  close(): Promise<void>;
}

export interface Note {
  readonly version: number;
  /** Plain JSON. */
  readonly value: unknown;
}

export interface LedgerContext extends Ports {
  readonly log: Log;
}

/** One type of ledger, as the registry holds it. */
export interface LedgerType<Schema extends z.ZodType = z.ZodType> {
  readonly type: string;
  readonly schema: Schema;
  /** Names of options that are paths, made absolute from the configuration file's folder before `open`. */
  readonly paths: readonly string[];
  /**
   * @param readOnly for `plan` and `explain`: nothing is created or migrated; a ledger that is not there reads as empty.
   */
  open(options: z.output<Schema>, context: LedgerContext, readOnly?: boolean): Promise<Ledger>;
}
