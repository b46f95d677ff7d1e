import type { Duration, Instant } from '../../src/domain/time.ts';
import type { VaultCapabilities } from '../../src/vaults/contract.ts';
import type { SimConfig } from './sim-config.ts';
import type { Forced, Rates, Storm } from './weather.ts';

/** How a world is made. */
export interface WorldPlan {
  readonly seed: number;
  readonly start: Instant;
  /** From then on nothing goes wrong any more. */
  readonly calmFrom: Instant;
  readonly end: Instant;
  readonly config: SimConfig;
  readonly vaults: readonly {
    readonly name: string;
    readonly capabilities: Partial<Pick<VaultCapabilities, 'compareAndSet' | 'readable'>>;
  }[];
  /** One a daemon: how far its clock is ahead, which disk its ledger lies on, and where its configuration differs. */
  readonly machines: readonly {
    readonly ahead: Duration;
    readonly disk: number;
    readonly own?: (config: SimConfig) => SimConfig;
  }[];
  /** rekeyd lives on one of the credentials: see own-client.ts. */
  readonly isOwnClient?: boolean;
  readonly rates: Rates;
  readonly storms: readonly Storm[];
  /** Faults at calls that are named, besides those that are drawn. */
  readonly forced?: Forced;
  /** How long a daemon that was killed stays down; by default that is drawn. */
  readonly downtime?: Duration;
}

/** A line of the timeline. */
export interface Entry {
  readonly at: Instant;
  readonly who: string;
  readonly what: string;
  readonly about: unknown;
}

export interface Violation {
  readonly invariant: string;
  readonly what: string;
  readonly at: Instant;
}
