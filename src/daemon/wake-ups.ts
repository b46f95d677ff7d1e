import { safeMessage } from '../domain/errors.ts';
import { SECOND } from '../domain/time.ts';
import type { Instant } from '../domain/time.ts';
import type { CredentialKey, CredentialRecord } from '../ledger/records.ts';
import { backoff } from '../rotation/backoff.ts';
import type { World } from '../rotation/world.ts';
import { keyText } from './dispatcher.ts';

/** What wake-ups ask of the daemon around them. */
export interface Sleepers {
  /** Only what is due before this is woken for, the rest is found by the scans; null: nothing is. */
  before(): Instant | null;
  /** Visits a credential. @throws LedgerError */
  visit(key: CredentialKey): Promise<void>;
}

/** Visits between two scans: what is due before the next one at its time, and what failed again soon. */
export class WakeUps {
  readonly #world: World;
  readonly #leaving: AbortSignal;
  readonly #sleepers: Sleepers;
  readonly #planned = new Map<string, { readonly key: CredentialKey; readonly at: Instant }>();
  /** How often in a row a credential could not be worked on. */
  readonly #failures = new Map<string, number>();

  /** @param leaving aborted when nothing is to be woken any more: the next start, or other terms, find what is due. */
  constructor(world: World, leaving: AbortSignal, sleepers: Sleepers) {
    this.#world = world;
    this.#leaving = leaving;
    this.#sleepers = sleepers;
  }

  /** A visit ended, and says when something may be due again. */
  visited({ issuer, clientId, dueAt }: Pick<CredentialRecord, 'issuer' | 'clientId' | 'dueAt'>): void {
    const key = { issuer, clientId };
    this.#failures.delete(keyText(key));
    if (dueAt !== null) this.dueAt(key, dueAt);
  }

  /** Something is due at `at`: nothing is planned for it where a scan comes before. */
  dueAt({ issuer, clientId }: CredentialKey, at: Instant): void {
    const before = this.#sleepers.before();
    if (!this.#leaving.aborted && before !== null && at < before) this.#wake({ issuer, clientId }, at);
  }

  /**
   * It could not be worked on, for the ledger failed, or by a defect: that is told, and it is tried again after 5 s, and at
   * growing intervals. Nothing is lost: what is stored says where to go on.
   */
  failed(key: CredentialKey, error: unknown): void {
    const { clock, events, random } = this.#world;
    const { issuer, clientId } = key;
    events.tell({ type: 'visit-failed', issuer, clientId, error: safeMessage(error) });
    const failures = (this.#failures.get(keyText(key)) ?? 0) + 1;
    this.#failures.set(keyText(key), failures);
    this.dueAt(key, clock.now() + backoff(failures, random.next()));
  }

  /** What others were going to wake for is woken for here. */
  takeOver(before: WakeUps): void {
    for (const { key, at } of before.#planned.values()) this.#wake(key, at);
  }

  #wake(key: CredentialKey, at: Instant): void {
    const sooner = this.#planned.get(keyText(key));
    if (sooner !== undefined && sooner.at <= at) return;
    this.#planned.set(keyText(key), { key, at });
    void this.#wakeAt(key, at);
  }

  async #wakeAt(key: CredentialKey, at: Instant): Promise<void> {
    const { clock, ledger, ticker } = this.#world;
    try {
      await ticker.sleep(Math.max(SECOND, at - clock.now() + 1), this.#leaving);
    } catch {
      return; // stopping: the next start finds what is due; or leaving: other terms wake it
    }
    if (this.#planned.get(keyText(key))?.at !== at) return;
    this.#planned.delete(keyText(key));
    try {
      // where nothing can be kept, issuer and vaults need not be asked
      if (this.#failures.has(keyText(key))) await ledger.check();
      await this.#sleepers.visit(key);
    } catch (error) {
      this.failed(key, error);
    }
  }
}
