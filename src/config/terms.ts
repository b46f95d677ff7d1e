import type { Format } from '../domain/payload.ts';
import type { Policy } from './settings.ts';

/** What the rules say of one credential, placeholders replaced: the result of matching (config/match.ts). */
export type Terms =
  /** No rule matches: watched and reported, left alone. */
  { readonly kind: 'unmanaged' } | { readonly kind: 'ignored' } | ManagedTerms;

export interface ManagedTerms {
  readonly kind: 'managed';
  readonly suspended: boolean;
  readonly name: string;
  readonly policy: Policy;
  readonly destinations: readonly Destination[];
  /** Values of the placeholders that are known before a secret exists. */
  readonly names: Readonly<Record<string, string>>;
  /** Destinations whose resolved name the vault cannot hold; the credential is then `blocked`, `destination-invalid`. */
  readonly problems: readonly string[];
}

/** A destination of one credential: vault, entry, format. */
export interface Destination {
  readonly vault: string;
  /** The canonical entry name, see `VaultType.entryOf`. */
  readonly entry: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly format: Format;
}
