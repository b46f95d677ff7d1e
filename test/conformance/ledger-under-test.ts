import type { Ledger } from '../../src/ledger/contract.ts';

/** A ledger under test, empty at first. */
export interface LedgerUnderTest {
  readonly ledger: Ledger;
  /** The same contents through another opening, as another process has it; the same object where there is no such thing. */
  other(): Promise<Ledger>;
  /** Closes all and removes what was made. */
  dispose(): Promise<void>;
}
