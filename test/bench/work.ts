import type { Ledger } from '../../src/ledger/contract.ts';
import { silentMeter } from '../../src/telemetry/meter.ts';
import type { Meter } from '../../src/telemetry/meter.ts';

/** What a daemon did to the world: all that the bare loop has to do as well. */
export interface Work {
  /** Requests to the issuer, its token endpoint included, by operation. */
  readonly requests: Readonly<Record<string, number>>;
  /** Calls to the vault by `operation outcome`. */
  readonly vaultCalls: Readonly<Record<string, number>>;
  /** Durable commits, and records in them. */
  readonly commits: number;
  readonly records: number;
}

export const NO_WORK: Work = { requests: {}, vaultCalls: {}, commits: 0, records: 0 };

export function sum(a: Work, b: Work): Work {
  return {
    requests: sumOf(a.requests, b.requests),
    vaultCalls: sumOf(a.vaultCalls, b.vaultCalls),
    commits: a.commits + b.commits,
    records: a.records + b.records,
  };
}

/** Values that were encrypted for the vault, each one a durable write. */
export function encryptions({ vaultCalls }: Work): number {
  return vaultCalls['deliver ok'] ?? 0;
}

/** Values that were decrypted: to prove a mark, or to read a delivery back. */
export function decryptions({ vaultCalls }: Work): number {
  return (vaultCalls['describe ok'] ?? 0) + (vaultCalls['read ok'] ?? 0);
}

export function total(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((before, each) => before + each, 0);
}

function sumOf(
  a: Readonly<Record<string, number>>,
  b: Readonly<Record<string, number>>,
): Readonly<Record<string, number>> {
  const both = { ...a };
  for (const [key, count] of Object.entries(b)) both[key] = (both[key] ?? 0) + count;
  return both;
}

/** Counts the work of a daemon. */
export class WorkCounter {
  #requests: Record<string, number> = {};
  #vaultCalls: Record<string, number> = {};
  #commits = 0;
  #records = 0;

  /** Hand it to the daemon. */
  readonly meter: Meter = {
    ...silentMeter,
    issuerRequest: (_issuer, operation) => {
      this.#requests[operation] = (this.#requests[operation] ?? 0) + 1;
    },
    vaultRequest: (_vault, operation, outcome) => {
      const key = `${operation} ${outcome}`;
      this.#vaultCalls[key] = (this.#vaultCalls[key] ?? 0) + 1;
    },
  };

  /** Counts the commits of this very ledger. */
  watch(ledger: Ledger): void {
    const commit = ledger.commit.bind(ledger);
    ledger.commit = (changes) => {
      this.#commits += 1;
      this.#records += (changes.credentials?.length ?? 0) + (changes.rotations?.length ?? 0);
      return commit(changes);
    };
  }

  /** The work since the last time that this was asked. */
  take(): Work {
    const work = {
      requests: this.#requests,
      vaultCalls: this.#vaultCalls,
      commits: this.#commits,
      records: this.#records,
    };
    this.#requests = {};
    this.#vaultCalls = {};
    this.#commits = 0;
    this.#records = 0;
    return work;
  }
}
