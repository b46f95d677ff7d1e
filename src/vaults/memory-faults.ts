import { VaultError } from '../domain/errors.ts';
import type { VaultFault } from '../domain/errors.ts';

/** The calls of a vault that can be made to fail. */
export const MEMORY_OPERATIONS = ['describe', 'read', 'deliver', 'restoreMark', 'rights'] as const;
export type MemoryOperation = (typeof MEMORY_OPERATIONS)[number];

/** One fault for a test: which calls it meets, and how they end. */
export interface MemoryFault {
  readonly fault: VaultFault;
  /** Default: all operations. */
  readonly operations?: readonly MemoryOperation[];
  /** Default: all entries. */
  readonly entry?: string;
  /** How many calls it meets before it is gone; default: all until it is lifted. */
  readonly times?: number;
  /** A write is applied all the same and only its answer is lost. */
  readonly applied?: boolean;
}

interface ActiveFault extends MemoryFault {
  left: number;
}

/** The faults that are set on a memory vault. The first that fits a call is taken. */
export class MemoryFaults {
  readonly #vault: string;
  readonly #active = new Set<ActiveFault>();

  constructor(vault: string) {
    this.#vault = vault;
  }

  /** @returns a function that lifts it. */
  set(fault: MemoryFault): () => void {
    const active: ActiveFault = { ...fault, left: fault.times ?? Number.POSITIVE_INFINITY };
    this.#active.add(active);
    return () => void this.#active.delete(active);
  }

  clear(): void {
    this.#active.clear();
  }

  /** What a call meets: null where it goes well. `applied`: do the work first, then throw the error. */
  meet(
    operation: MemoryOperation,
    entry: string | null,
  ): { readonly error: VaultError; readonly applied: boolean } | null {
    for (const active of this.#active) {
      if (active.operations !== undefined && !active.operations.includes(operation)) continue;
      if (active.entry !== undefined && active.entry !== entry) continue;
      active.left -= 1;
      if (active.left <= 0) this.#active.delete(active);
      const place = entry === null ? '' : ` of '${entry}'`;
      const error = new VaultError(
        active.fault,
        `Vault '${this.#vault}': ${operation}${place} failed (${active.fault}), because a test told it to.`,
        { vault: this.#vault, entry },
      );
      return { error, applied: active.applied ?? false };
    }
    return null;
  }
}
