import type { StoredCredential, StoredRotation } from '../store/stored.ts';

/** Everything that a memory ledger holds at one moment, as plain data. */
export interface MemorySnapshot {
  readonly credentials: readonly StoredCredential[];
  readonly rotations: readonly StoredRotation[];
  readonly notes: readonly (readonly [key: string, version: number, document: string])[];
}
