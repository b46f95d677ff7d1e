import type { CredentialKey } from '../records.ts';
import { compareKeys, compareNewestFirst } from '../store/order.ts';
import type { StoredCredential, StoredRotation } from '../store/stored.ts';

/** The credentials and rotations that a memory ledger holds, found by id, by credential, and in the order of the listings. */
export class MemoryRecords {
  readonly #credentials = new Map<string, StoredCredential>();
  readonly #rotations = new Map<string, StoredRotation>();
  /** Ids of rotations by credential. */
  readonly #byCredential = new Map<string, Set<string>>();
  /** Ids in the order of the listings; null: to be sorted anew. */
  #credentialOrder: readonly string[] | null = null;
  #rotationOrder: readonly string[] | null = null;

  /** By {@link credentialId}. */
  credential(id: string): StoredCredential | undefined {
    return this.#credentials.get(id);
  }

  /** In the order in which they were first kept. */
  credentials(): Iterable<StoredCredential> {
    return this.#credentials.values();
  }

  rotation(id: string): StoredRotation | undefined {
    return this.#rotations.get(id);
  }

  /** In the order in which they were first kept. */
  rotations(): Iterable<StoredRotation> {
    return this.#rotations.values();
  }

  /** The rotations of one credential, in no order. */
  rotationsOf(key: CredentialKey): readonly StoredRotation[] {
    return [...(this.#byCredential.get(credentialId(key)) ?? [])].flatMap((id) => this.#rotations.get(id) ?? []);
  }

  keepCredential(credential: StoredCredential): void {
    const id = credentialId(credential);
    if (!this.#credentials.has(id)) this.#credentialOrder = null;
    this.#credentials.set(id, credential);
  }

  keepRotation(rotation: StoredRotation): void {
    const previous = this.#rotations.get(rotation.id);
    if (previous !== undefined) this.#byCredential.get(credentialId(previous))?.delete(rotation.id);
    const key = credentialId(rotation);
    const ids = this.#byCredential.get(key) ?? new Set();
    this.#byCredential.set(key, ids.add(rotation.id));
    if (previous?.startedAt !== rotation.startedAt) this.#rotationOrder = null;
    this.#rotations.set(rotation.id, rotation);
  }

  dropRotations(rotations: readonly StoredRotation[]): void {
    for (const rotation of rotations) {
      this.#rotations.delete(rotation.id);
      this.#byCredential.get(credentialId(rotation))?.delete(rotation.id);
    }
    this.#rotationOrder = null;
  }

  /** By issuer and clientId. */
  *credentialsInOrder(): Generator<StoredCredential, void, void> {
    this.#credentialOrder ??= [...this.#credentials].sort(([, a], [, b]) => compareKeys(a, b)).map(([id]) => id);
    for (const id of this.#credentialOrder) {
      const stored = this.#credentials.get(id);
      if (stored !== undefined) yield stored;
    }
  }

  /** Newest first. */
  *rotationsInOrder(): Generator<StoredRotation, void, void> {
    this.#rotationOrder ??= [...this.#rotations.values()].sort(compareNewestFirst).map((rotation) => rotation.id);
    for (const id of this.#rotationOrder) {
      const stored = this.#rotations.get(id);
      if (stored !== undefined) yield stored;
    }
  }
}

/** One text for issuer and clientId, whatever characters are in them. */
export function credentialId(key: CredentialKey): string {
  return JSON.stringify([key.issuer, key.clientId]);
}
