import type { z } from 'zod';

/**
 * What the configuration must know of the types of issuers, vaults and ledgers. Their registries fit it as they are
 * (IssuerType, VaultType, LedgerType); the composition root hands them in, so that nothing here imports a backend.
 */
export interface Backends {
  readonly issuers: ReadonlyMap<string, IssuerShape>;
  readonly vaults: ReadonlyMap<string, VaultShape>;
  readonly ledgers: ReadonlyMap<string, LedgerShape>;
  /** Names of all events, for the globs of webhooks. */
  readonly events?: readonly string[];
}

export interface IssuerShape {
  readonly schema: z.ZodType;
  tokenUrlProblem?(options: unknown): string | null;
}

export interface LedgerShape {
  readonly schema: z.ZodType;
  readonly paths: readonly string[];
}

export interface VaultShape extends VaultNames {
  readonly schema: z.ZodType;
  readonly paths: readonly string[];
  readonly destination: z.ZodRawShape;
  fieldsProblem?(names: readonly string[]): string | null;
  optionsProblem?(options: Readonly<Record<string, unknown>>, vault?: unknown): string | null;
}

/** What matching needs of a type of vault. See VaultType. */
export interface VaultNames {
  readonly maxBytes: number;
  entryOf(name: string, options: Readonly<Record<string, unknown>>, vault?: unknown): string;
  nameProblem(name: string, options: Readonly<Record<string, unknown>>, vault?: unknown): string | null;
}
