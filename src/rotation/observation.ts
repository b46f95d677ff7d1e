import { SECOND } from '../domain/time.ts';
import type { Limits, Mode } from '../config/settings.ts';
import type { Terms } from '../config/terms.ts';
import type { Owner } from '../domain/mark.ts';
import type { Marker } from '../domain/marker.ts';
import type { Format } from '../domain/payload.ts';
import type { Duration, Instant } from '../domain/time.ts';
import type { IssuerTiming, ListedCredential, ListedSecret } from '../issuers/contract.ts';
import type {
  CredentialKey,
  CredentialRecord,
  DestinationRecord,
  EndedPause,
  Pause,
  RotationRecord,
} from '../ledger/records.ts';
import type { EntryDescription } from '../vaults/contract.ts';

/** All that is known of one credential at one moment: what the plan is made from. Plain data, gathered by observe.ts. */
export interface Observation {
  readonly key: CredentialKey;
  readonly owner: Owner;
  /** This process, for telling our own rotations from another's. */
  readonly processId: string;
  readonly now: Instant;
  /** When reading began: nothing in it is older. */
  readonly readSince: Instant;
  /** How far the issuer's clock is ahead of ours; null where it never told. */
  readonly skew: Duration | null;
  readonly timing: IssuerTiming;
  readonly mode: Mode;
  readonly limits: Limits;
  /** The client that rekeyd itself logs in with. */
  readonly isOwnClient: boolean;
  /** It logs in with a secret that stands in the configuration: only a person can replace that. */
  readonly isOwnStatic: boolean;
  /** Null: the issuer's list lacks it. */
  readonly listed: ListedCredential | null;
  readonly terms: Terms;
  /** As stored; a fresh one where the ledger has none. */
  readonly record: CredentialRecord;
  readonly rotations: readonly RotationRecord[];
  /** The full list of the credential's secrets; null: it could not be read, see `issuerError`. */
  readonly secrets: readonly SeenSecret[] | null;
  readonly issuerError: { readonly reason: 'issuer-forbidden' | 'issuer-failed'; readonly message: string } | null;
  readonly destinations: readonly SeenDestination[];
  /** Secrets whose value, read from a destination just now, the token endpoint refused; see also {@link UNNAMED}. */
  readonly refused: ReadonlySet<string>;
  /** Secrets in doubt about which neither their vault nor the token endpoint could be asked just now. */
  readonly unasked: ReadonlySet<string>;
  /** The description was edited so that names built from it change: `terms` are those of the pinned one (C6). */
  readonly moved: boolean;
  /** Other credentials whose rules name one of these destinations, by name. */
  readonly sharedWith: readonly string[];
  readonly circumstances: Circumstances;
}

/** What holds for more than this credential. */
export interface Circumstances {
  /** The pause of everything; null: none now. */
  readonly pause: Pause | null;
  /** Ended pauses of everything, for graces that ran meanwhile. */
  readonly pastPauses: readonly EndedPause[];
  /** No new rotations at this issuer until then, but for urgent ones; null: the breaker is closed. */
  readonly breakerUntil: Instant | null;
  /** The hour's rotations are spent; what is not urgent waits until then. Null: they are not. */
  readonly pacedUntil: Instant | null;
  /** The token endpoint did not answer when it was last asked: nothing is created meanwhile. */
  readonly issuerSilent: boolean;
}

/** Stands in `refused` for the secret of an adopted entry that does not name it. */
export const UNNAMED = '';

/** A secret as it is listed, else as the ledger last knew it; null: neither knows of it. */
export function knownSecret(
  { secrets, record }: Pick<Observation, 'secrets' | 'record'>,
  secretId: string | null,
): Pick<ListedSecret, 'secretId' | 'expires'> | null {
  return [...(secrets ?? []), ...record.secrets].find((each) => each.secretId === secretId) ?? null;
}

export interface SeenSecret extends ListedSecret {
  readonly marker: Marker | null;
}

/** A destination that could not be read is `unreachable`: that is never absence. */
export type Sight = EntryDescription | { readonly state: 'unreachable'; readonly error: string };

export interface SeenDestination {
  readonly vault: string;
  readonly identity: string;
  readonly entry: string;
  readonly options: Readonly<Record<string, unknown>>;
  /** The format that the configuration asks for; null for a former destination. */
  readonly format: Format | null;
  /** Whether its value can be read back: by the vault, in a format that is known, and, where that was tried, in its shape. */
  readonly readable: boolean;
  /** What the ledger remembers of it; null: nothing. */
  readonly known: DestinationRecord | null;
  readonly sight: Sight;
  /** An unmarked entry whose value was read and accepted at the token endpoint just now. */
  readonly proven: { readonly secretId: string | null } | null;
}

/** Whether issuer and vaults are asked at all: not where a rule says to ignore it, nor while the issuer's list lacks it. */
export function isLookedAt({ terms, listed }: Pick<Observation, 'terms' | 'listed'>): boolean {
  return terms.kind !== 'ignored' && listed !== null;
}

/** Issuer's time: ours, corrected by what its responses told. */
export function issuerTime(observation: Pick<Observation, 'now' | 'skew'>): Instant {
  return observation.now + (observation.skew ?? 0);
}

/** The later of our clock and the issuer's. */
export function laterTime(observation: Pick<Observation, 'now' | 'skew'>): Instant {
  // a Date header has no fractions: less than that says nothing
  if (Math.abs(observation.skew ?? 0) < 2 * SECOND) return observation.now;
  return Math.max(observation.now, issuerTime(observation));
}

/** From when a grace is counted, so that a clock that is behind, and is put right later, does not cut it short. */
export const graceStart = laterTime;
