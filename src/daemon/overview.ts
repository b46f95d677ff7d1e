import type { DestinationState } from '../domain/destination-state.ts';
import type { Reason } from '../domain/reason.ts';
import type { SecretRole } from '../domain/secret-role.ts';

/** Looks at all credentials at once, as the ledger last saw them: nothing is asked of an issuer or a vault. */
export interface OverviewApi {
  /** What nobody cares for. */
  coverage(): Promise<CoverageView>;
  /** What will come due by itself within `days`. @param limit of the items; the counts are of all. */
  forecast(days: number, limit: number): Promise<ForecastView>;
}

interface Named {
  readonly issuer: string;
  readonly clientId: string;
  readonly name: string;
}

export interface SecretView extends Named {
  readonly secretId: string;
  readonly role: SecretRole;
  readonly expires: string | null;
}

export interface PlaceView extends Named {
  readonly vault: string;
  readonly entry: string;
  readonly state: DestinationState;
}

/** Each list has at most {@link LONGEST_LIST} entries; `totals` counts all. */
export interface CoverageView {
  readonly totals: Readonly<Record<CoverageList, number>>;
  /** No rule matches them. */
  readonly unmanaged: readonly Named[];
  /** A rule manages them, and delivers nowhere. */
  readonly withoutDestination: readonly Named[];
  /** Expired secrets that the issuer still lists. */
  readonly expired: readonly SecretView[];
  /** Living secrets that no rekeyd of this ledger made, and that no destination serves. */
  readonly unknown: readonly SecretView[];
  /** Entries that no rule names any more, or whose credential is gone. */
  readonly formerDestinations: readonly PlaceView[];
}

export const COVERAGE_LISTS = ['unmanaged', 'withoutDestination', 'expired', 'unknown', 'formerDestinations'] as const;
export type CoverageList = (typeof COVERAGE_LISTS)[number];
export const LONGEST_LIST = 1_000;

export interface ForecastView {
  readonly from: string;
  readonly to: string;
  readonly totals: {
    readonly rotations: number;
    readonly deletions: number;
    readonly held: number;
    /** Rotations for which no maintenance window comes in time, and deletions for which none is long enough. */
    readonly outsideWindows: number;
  };
  /** Each day on which something comes, UTC. */
  readonly days: readonly { readonly date: string; readonly rotations: number; readonly deletions: number }[];
  /** Hours in which more rotations come than `rotationsPerHour` lets begin: they spread into the hours after. */
  readonly bunched: readonly { readonly hour: string; readonly rotations: number }[];
  readonly items: readonly ForecastItem[];
}

export interface ForecastItem extends Named {
  readonly at: string;
  readonly action: 'issue' | 'retire';
  /** What would hold it back if it were due now; null: nothing that is known. */
  readonly held: Reason | null;
  /** No maintenance window fits: a rotation begins outside of them then; a deletion waits until the secret ends. */
  readonly outsideWindows: boolean;
  /** What is to be deleted; null: a rotation, or the deletion of what is served now, where that is not known. */
  readonly secretId: string | null;
  readonly destinations: readonly { readonly vault: string; readonly entry: string }[];
}
