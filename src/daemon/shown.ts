import type { CredentialRecord, Pause, RotationRecord } from '../ledger/records.ts';
import { activePause } from '../rotation/pauses.ts';
import type { CredentialView, PauseView, RotationView } from './api.ts';
import { keyText } from './dispatcher.ts';
import type { Engine } from './engine.ts';
import { viewInPause } from './paused-all.ts';
import { pendingSecrets } from './pending.ts';
import type { PendingSecrets } from './pending.ts';
import { credentialView, pauseViewOf, rotationView } from './views.ts';

/**
 * What the ways in show of records at this moment: with the secret that is in the making, and with states and dates as a pause of
 * everything has them.
 */
export class Shown {
  readonly #engine: Engine;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** The pause of everything; null: none now. */
  pausedAll(): Pause | null {
    return activePause(this.#engine.pause.pause, this.#engine.world.clock.now());
  }

  pause(): PauseView {
    return pauseViewOf(this.pausedAll());
  }

  /** @throws LedgerError */
  async credentials(records: readonly CredentialRecord[]): Promise<CredentialView[]> {
    const pending = await this.#pendingOf(records);
    return records.map((record) => this.#viewOf(record, pending));
  }

  /** @throws LedgerError */
  async credential(record: CredentialRecord): Promise<CredentialView> {
    return this.#viewOf(record, await this.#pendingOf([record]));
  }

  /** @throws LedgerError */
  async rotation(rotation: RotationRecord): Promise<RotationView> {
    return rotationView(await this.#engine.datedRotation(rotation));
  }

  #pendingOf(records: readonly CredentialRecord[]): Promise<PendingSecrets> {
    const { ledger, clock } = this.#engine.world;
    return pendingSecrets(ledger, records, clock.now());
  }

  #viewOf(record: CredentialRecord, pending: PendingSecrets): CredentialView {
    const view = credentialView(
      this.#engine.dated(record),
      this.#engine.world.clock.now(),
      pending.get(keyText(record)),
    );
    return this.pausedAll() === null ? view : viewInPause(view, record);
  }
}
