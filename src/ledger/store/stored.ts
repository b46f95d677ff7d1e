import { LedgerError } from '../../domain/errors.ts';
import { isFinished } from '../../domain/rotation-state.ts';
import type { RotationState } from '../../domain/rotation-state.ts';
import type { Instant } from '../../domain/time.ts';
import type { CredentialHeader } from '../contract.ts';
import type { CredentialRecord, RotationRecord } from '../records.ts';

/** A credential as it is kept: what is searched by, and the whole record as JSON, both at the next version. */
export interface StoredCredential extends CredentialHeader {
  readonly issuer: string;
  readonly version: number;
  /** What {@link secretName} and {@link rotationName} say of everything that the record names. */
  readonly names: readonly string[];
  readonly document: string;
}

/** A rotation as it is kept. */
export interface StoredRotation {
  readonly id: string;
  readonly issuer: string;
  readonly clientId: string;
  readonly version: number;
  readonly state: RotationState;
  readonly startedAt: Instant;
  readonly finishedAt: Instant | null;
  readonly watchUntil: Instant | null;
  readonly secretId: string | null;
  readonly document: string;
}

/** Lays a credential out for keeping, one version on. @throws LedgerError where it is not plain JSON. */
export function storedCredential(record: CredentialRecord): StoredCredential {
  const version = record.version + 1;
  return {
    issuer: wellFormed(record.issuer),
    clientId: wellFormed(record.clientId),
    version,
    description: record.description,
    terms: record.terms,
    state: record.state,
    dueAt: record.dueAt,
    resyncAt: record.resyncAt,
    expires: record.current?.expires ?? null,
    names: namesIn(record),
    document: toDocument({ ...record, version }),
  };
}

/** Lays a rotation out for keeping, one version on. @throws LedgerError where it is not plain JSON. */
export function storedRotation(record: RotationRecord): StoredRotation {
  const version = record.version + 1;
  return {
    id: wellFormed(record.id),
    issuer: wellFormed(record.issuer),
    clientId: wellFormed(record.clientId),
    version,
    state: record.state,
    startedAt: record.startedAt,
    finishedAt: record.finishedAt,
    watchUntil: record.watchUntil,
    secretId: record.secretId,
    document: toDocument({ ...record, version }),
  };
}

/** How {@link StoredCredential.names} writes a secret. */
export function secretName(secretId: string): string {
  return `secret:${secretId}`;
}

/** How {@link StoredCredential.names} writes a rotation. */
export function rotationName(rotationId: string): string {
  return `rotation:${rotationId}`;
}

/** The secrets and rotations that a credential's record names: their rotations are neither forgotten nor pruned. */
function namesIn(record: CredentialRecord): readonly string[] {
  const names = new Set<string>();
  const secretIds = [
    record.current?.secretId,
    ...record.secrets.map((secret) => secret.secretId),
    ...record.destinations.map((destination) => destination.secretId),
  ];
  for (const secretId of secretIds) {
    if (secretId !== null && secretId !== undefined) names.add(secretName(secretId));
  }
  for (const secret of record.secrets) {
    if (secret.rotationId !== null) names.add(rotationName(secret.rotationId));
  }
  return [...names];
}

/** Whether a credential's record names the rotation, or the secret that it made. */
export function isNamed(names: readonly string[], rotation: Pick<StoredRotation, 'id' | 'secretId'>): boolean {
  return (
    names.includes(rotationName(rotation.id)) ||
    (rotation.secretId !== null && names.includes(secretName(rotation.secretId)))
  );
}

/** Whether a plan must know the rotation: see `Ledger.relevantRotations`. */
export function isRelevant(rotation: StoredRotation, since: Instant, names: readonly string[]): boolean {
  return (
    !isFinished(rotation.state) ||
    rotation.startedAt >= since ||
    (rotation.watchUntil !== null && rotation.watchUntil >= since) ||
    isNamed(names, rotation)
  );
}

/**
 * Whether a rotation may be pruned, names apart. `before` lies in the past, so a watch that ended before it is over
 * without asking a clock.
 */
export function isOutdated(rotation: StoredRotation, before: Instant): boolean {
  return (
    isFinished(rotation.state) &&
    rotation.finishedAt !== null &&
    rotation.finishedAt < before &&
    (rotation.watchUntil === null || rotation.watchUntil < before)
  );
}

/** Writes plain JSON. A SecretValue becomes `[redacted]` here, whatever record it was put into by mistake. */
export function toDocument(value: unknown): string {
  try {
    return JSON.stringify(value ?? null);
  } catch {
    throw new LedgerError(
      'a record is not plain JSON and was not stored: this is a defect of rekeyd, please report it',
    );
  }
}

/** A key that is not well-formed Unicode would be kept under another one, and two could become the same. */
export function wellFormed(key: string): string {
  if (key.isWellFormed()) return key;
  throw new LedgerError(`the id ${JSON.stringify(key)} is not well-formed Unicode and cannot be kept in the ledger`);
}
