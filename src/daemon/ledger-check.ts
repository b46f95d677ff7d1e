import { safeMessage } from '../domain/errors.ts';
import type { Clock } from '../domain/ports.ts';
import { SECOND } from '../domain/time.ts';
import type { Duration } from '../domain/time.ts';
import type { Ledger } from '../ledger/contract.ts';

/** How long the outcome of a write check answers for the ledger, good or bad. */
export const LEDGER_CHECK_PERIOD: Duration = SECOND;

/**
 * Whether the ledger can be written, for those who may ask as often as they like: readiness and metrics. A check is a
 * durable write for which the whole process stands still, so one answers for all who ask while it is under way and for a
 * period after it; after a slow one for as long as it took, so that checks take half of the time at most.
 */
export class LedgerCheck {
  readonly #ledger: Pick<Ledger, 'check'>;
  readonly #clock: Pick<Clock, 'monotonic'>;
  #running: Promise<string | null> | null = null;
  #last: { readonly problem: string | null; readonly until: Duration } | null = null;

  constructor(ledger: Pick<Ledger, 'check'>, clock: Pick<Clock, 'monotonic'>) {
    this.#ledger = ledger;
    this.#clock = clock;
  }

  /**
   * What keeps the ledger from being written, as a check of this moment or of a period ago at most found it; null: nothing
   * does. It does not throw.
   */
  problem(): Promise<string | null> {
    if (this.#last !== null && this.#clock.monotonic() < this.#last.until) return Promise.resolve(this.#last.problem);
    this.#running ??= this.#check().finally(() => (this.#running = null));
    return this.#running;
  }

  async #check(): Promise<string | null> {
    const began = this.#clock.monotonic();
    let problem: string | null = null;
    try {
      await this.#ledger.check();
    } catch (error) {
      problem = safeMessage(error);
    }
    const ended = this.#clock.monotonic();
    this.#last = { problem, until: ended + Math.max(LEDGER_CHECK_PERIOD, ended - began) };
    return problem;
  }
}
