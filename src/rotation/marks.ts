import type { CredentialRecord, DestinationRecord, RotationRecord, SecretRecord } from '../ledger/records.ts';
import type { Observation, SeenDestination } from './observation.ts';
import { isStripped } from './remember-destinations.ts';

/** Marks of ours that somebody took off: of entries, known by their version (C8), and of secrets, by their id (C7). */
export interface MissingMarks {
  /** With what the mark said. */
  readonly entries: readonly { readonly destination: SeenDestination; readonly known: DestinationRecord }[];
  readonly secrets: readonly { readonly secret: SecretRecord; readonly rotation: RotationRecord }[];
}

export function missingMarks(observation: Observation, secrets: readonly SecretRecord[]): MissingMarks {
  return {
    entries: observation.destinations.flatMap((destination) =>
      isStripped(destination) && destination.known !== null ? [{ destination, known: destination.known }] : [],
    ),
    secrets: secrets.flatMap((secret) => {
      if (secret.role !== 'current' && secret.role !== 'superseded') return [];
      const listed = observation.secrets?.find((each) => each.secretId === secret.secretId);
      if (secret.rotationId === null || listed === undefined || listed.marker !== null) return [];
      const rotation = observation.rotations.find((each) => each.id === secret.rotationId);
      return rotation === undefined ? [] : [{ secret, rotation }];
    }),
  };
}

/** Forgets the attempts once no mark is missing any more. Pure. */
export function rememberMarks(observation: Observation, record: CredentialRecord): CredentialRecord {
  if (record.unmarked === null) return record;
  const { entries, secrets } = missingMarks(observation, record.secrets);
  return entries.length === 0 && secrets.length === 0 ? { ...record, unmarked: null } : record;
}
