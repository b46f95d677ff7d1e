import type { BulkFate } from '../../domain/bulk.ts';
import type { Reason } from '../../domain/reason.ts';
import { SECOND } from '../../domain/time.ts';
import type { Duration, Instant } from '../../domain/time.ts';
import type { CredentialKey, CredentialRecord } from '../../ledger/records.ts';
import { laterTime } from '../../rotation/observation.ts';
import { isWaiting } from '../../rotation/queued.ts';
import type { Engine } from '../engine.ts';
import { keyText } from '../dispatcher.ts';
import { heldForAll } from '../held.ts';
import { begin } from './begin.ts';
import type { BulkCounts, BulkUnwell } from './bulk-api.ts';
import type { BulkRecord } from './bulk-note.ts';
import { Lanes } from './lanes.ts';
import { standingOf } from './standing.ts';

/** Of those that failed or were skipped, so many are remembered with why. */
const TOLD = 50;
/** Of those that wait for a vault, so many are looked at in one turn. */
const STUCK_AT_ONCE = 50;
/** Of those that were in the ledger before, so many are read before anything else has its turn. */
const READ_AT_ONCE = 200;
const SOON: Duration = 5 * SECOND;
const LATER: Duration = 30 * SECOND;

/**
 * Works through a bulk: keeps at most `limits.concurrency` of its rotations under way, and follows each to its end. What it
 * knows can be read again from the ledger at any time. One turn must not run beside another.
 */
export class BulkRun {
  readonly bulk: BulkRecord;
  heldBy: Reason | null = null;
  /** Begins nothing any more. */
  stopped = false;
  readonly #engine: Engine;
  readonly #lanes = new Lanes();
  readonly #underWay = new Map<string, CredentialKey>();
  /** Delivered in part, and waiting for a vault; in the order in which they are looked at next. */
  readonly #stuck = new Map<string, CredentialKey>();
  readonly #ended = { delivered: 0, failed: 0, skipped: 0 };
  readonly #unwell: BulkUnwell[] = [];

  constructor(engine: Engine, bulk: BulkRecord) {
    this.#engine = engine;
    this.bulk = bulk;
  }

  /** Takes up its credentials. @param isNew nothing of it can have begun. @throws LedgerError */
  async load(keys: readonly CredentialKey[], isNew: boolean): Promise<void> {
    const { ticker } = this.#engine.world;
    for (const [index, key] of keys.entries()) {
      if (isNew) this.#lanes.add(key);
      else await this.#look(key);
      // an embedded ledger answers without a turn of the event loop
      if (!isNew && index % READ_AT_ONCE === READ_AT_ONCE - 1) await ticker.sleep(0, this.#engine.leaving.signal);
    }
  }

  get isOver(): boolean {
    return this.#lanes.size + this.#underWay.size + this.#stuck.size === 0;
  }

  get counts(): BulkCounts {
    const rotating = this.#underWay.size + this.#stuck.size;
    const over = this.#ended.delivered + this.#ended.failed + this.#ended.skipped;
    return { waiting: this.bulk.total - rotating - over, rotating, ...this.#ended };
  }

  get unwell(): readonly BulkUnwell[] {
    return this.#unwell;
  }

  isFollowing(key: CredentialKey): boolean {
    return this.#underWay.has(keyText(key)) || this.#stuck.has(keyText(key));
  }

  /** Sees how it goes, and begins what may begin now. @returns when to look again. @throws LedgerError */
  async turn(): Promise<Duration> {
    this.heldBy = null;
    for (const key of [...this.#underWay.values(), ...[...this.#stuck.values()].slice(0, STUCK_AT_ONCE)]) {
      await this.#look(key);
    }
    const { clock, settings } = this.#engine.world;
    // each once a turn, whatever its time is: nothing else has its turn meanwhile
    const later: { readonly key: CredentialKey; readonly at: Instant }[] = [];
    try {
      while (this.#underWay.size < settings.limits.concurrency) {
        const key = this.#next();
        if (key === null) break;
        const at = await this.#begin(key);
        if (at !== null) later.push({ key, at });
      }
    } finally {
      for (const { key, at } of later) this.#lanes.addLater(key, at);
    }
    if (this.#underWay.size > 0 || this.isOver) return SOON;
    const at = this.#lanes.nextAt();
    return at === null ? LATER : Math.min(LATER, Math.max(SECOND, at - clock.now()));
  }

  /** Takes back what waits for its turn: nothing of it was sent. @throws LedgerError */
  async withdraw(): Promise<void> {
    const { ledger, clock } = this.#engine.world;
    for (const [text, key] of this.#underWay) {
      const mark = (await ledger.credential(key))?.bulk;
      const rotation = mark?.id === this.bulk.id ? await ledger.rotation(mark.rotationId) : null;
      // one that was there before the bulk was not asked for by it
      if (rotation === null || rotation.bulkId !== this.bulk.id || !isWaiting(rotation)) continue;
      const error = 'the bulk was cancelled before it began';
      const over = { ...rotation, state: 'abandoned' as const, finishedAt: clock.now(), error };
      if (await ledger.commit({ rotations: [over] })) this.#underWay.delete(text);
    }
  }

  /** Whose turn it is; null: nobody's now. Why not is kept. */
  #next(): CredentialKey | null {
    const { world, restraints } = this.#engine;
    this.heldBy = null;
    if (this.stopped || this.#engine.leaving.signal.aborted || this.#lanes.size === 0) return null;
    const isPaced = !this.bulk.force && restraints.pacedUntil() !== null;
    this.heldBy = heldForAll(this.#engine)?.reason ?? (isPaced ? 'paced' : null);
    if (this.heldBy !== null) return null;
    const isHeld = (issuer: string) => !this.bulk.force && restraints.breakerUntil(issuer) !== null;
    const now = world.clock.now();
    const laterAt = (issuer: string) => laterTime({ now, skew: this.#engine.skewOf(issuer) });
    const key = this.#lanes.take(now, isHeld, laterAt);
    if (key === null && this.#lanes.issuers.some(isHeld)) this.heldBy = 'breaker-open';
    return key;
  }

  /** @returns before when it cannot be begun; null: it was begun, or never will be. */
  async #begin(key: CredentialKey): Promise<Instant | null> {
    try {
      const begun = await begin(this.#engine, key, this.bulk);
      if (begun.kind === 'later') return begun.at;
      if (begun.kind === 'begun') this.#underWay.set(keyText(key), key);
      else this.#end(key, begun.record, begun.attempts === 0 ? 'skipped' : 'failed', begun.reason);
      return null;
    } catch (error) {
      // the ledger could not be read or written: whatever was stored is found at its next turn
      this.#lanes.addLater(key, this.#engine.world.clock.now());
      throw error;
    }
  }

  /** Reads how it stands with one, and puts it where it belongs. */
  async #look(key: CredentialKey): Promise<void> {
    const text = keyText(key);
    const { ledger } = this.#engine.world;
    const standing = await standingOf(this.#engine, await ledger.credential(key), this.bulk);
    this.#underWay.delete(text);
    this.#stuck.delete(text);
    switch (standing.kind) {
      case 'not-begun':
        this.#lanes.add(key);
        break;
      case 'under-way':
        this.#underWay.set(text, key);
        break;
      case 'stuck':
        this.#stuck.set(text, key);
        break;
      case 'delivered':
        this.#ended.delivered += 1;
        break;
      case 'again':
        this.#lanes.addLater(key, standing.at);
        break;
      case 'given-up':
        this.#end(key, standing.record, 'failed', standing.record.lastReason ?? standing.record.reason);
    }
  }

  #end(key: CredentialKey, record: CredentialRecord | null, fate: BulkFate & ('failed' | 'skipped'), reason: Reason) {
    this.#ended[fate] += 1;
    const { name = key.clientId, lastError = null } = record ?? {};
    const error = fate === 'failed' ? lastError : null;
    this.#unwell.unshift({ issuer: key.issuer, clientId: key.clientId, name, fate, reason, error });
    this.#unwell.splice(TOLD);
  }
}
