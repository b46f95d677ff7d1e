import type { CredentialRecord, RotationRecord } from '../ledger/records.ts';
import { SECOND } from '../domain/time.ts';
import type { Duration } from '../domain/time.ts';
import type { Control } from './control.ts';
import { freshRecord } from './fresh-record.ts';
import type { World } from './world.ts';

/** Short enough that a crash is gone on from soon. */
export const LONGEST_LEASE: Duration = 30 * SECOND;

/** How often a lease is taken that has run out again by the time it is stored. */
const ATTEMPTS = 5;

/** Thrown where somebody else moved our rotation: whoever lost it stops at once, and changes nothing more. */
export class TenureLost extends Error {
  override readonly name = 'TenureLost';
}

/**
 * One process's hold on a rotation. Every step is a compare-and-set on the rotation's version, so that a second process,
 * or this one after a long freeze, cannot move it twice (P6, P7). The credential's record is merged, not owned: people
 * may pause it or forget a destination meanwhile.
 */
export class Tenure {
  readonly #world: World;
  readonly #control: Control;
  #rotation: RotationRecord;
  /** When the lease was last taken, by the monotonic clock. */
  #heldSince: Duration;

  /** @param heldSince before the commit that took the lease. */
  constructor(world: World, control: Control, rotation: RotationRecord, heldSince: Duration) {
    this.#world = world;
    this.#control = control;
    this.#rotation = rotation;
    this.#heldSince = heldSince;
  }

  get rotation(): RotationRecord {
    return this.#rotation;
  }

  /**
   * Stores the rotation's next state and, with it, the credential as `merge` makes it of the stored one, and what
   * `whole` makes of the rotation, which comes first in it.
   * @throws TenureLost, LedgerError
   */
  async advance(
    next: RotationRecord,
    merge?: (record: CredentialRecord) => CredentialRecord,
    whole: (held: RotationRecord) => readonly [RotationRecord, ...RotationRecord[]] = (held) => [held],
  ): Promise<void> {
    const { ledger, clock } = this.#world;
    const heldSince = clock.monotonic();
    let held = next.owner === null ? next : { ...next, leaseUntil: clock.now() + this.#control.lease };
    for (;;) {
      const credentials = merge === undefined ? [] : [merge((await ledger.credential(held)) ?? freshRecord(held, ''))];
      const rotations = whole(held);
      if (await ledger.commit({ credentials, rotations })) {
        this.#rotation = { ...rotations[0], version: held.version + 1 };
        this.#heldSince = heldSince;
        return;
      }
      const found = await ledger.rotation(held.id);
      const mine = found !== null && found.owner === this.#world.processId && found.state === this.#rotation.state;
      if (!mine) throw new TenureLost(`rotation ${held.id} was moved by another process`);
      // still ours: a person joined it meanwhile
      held = { ...held, version: found.version, ...askedOf(found) };
    }
  }

  /**
   * To be called right before an effect: where the lease ran out, it is taken again, or seen to be lost (P7).
   * @throws TenureLost, LedgerError
   */
  async hold(): Promise<void> {
    // taking it may itself have been cut off by a freeze: it must hold when this returns
    for (let attempt = 1; this.isLapsed; attempt += 1) {
      if (attempt > ATTEMPTS)
        throw new TenureLost(`rotation ${this.#rotation.id} could not be held: storing takes too long`);
      await this.advance(this.#rotation);
    }
  }

  /** Whether its lease ran out, by either clock: one of them may have stood still in a freeze. */
  get isLapsed(): boolean {
    const { clock } = this.#world;
    const held = clock.monotonic() - this.#heldSince;
    return clock.now() >= (this.#rotation.leaseUntil ?? 0) || held >= this.#control.lease;
  }

  /** Keeps the lease alive while `work` goes on. @throws TenureLost as soon as it is lost. */
  async whileHeld<T>(duration: number, wait: (part: number) => Promise<T>): Promise<void> {
    let left = duration;
    while (left > 0) {
      const part = Math.min(left, Math.max(1, Math.floor(this.#control.lease / 3)));
      await wait(part);
      left -= part;
      if (left > 0) await this.advance(this.#rotation);
    }
  }
}

/** What people may change of a rotation that somebody works on: acts.ts and a bulk join it so. */
function askedOf({ grace, requests, passes, joinedBy }: RotationRecord): Partial<RotationRecord> {
  return {
    grace,
    ...(requests !== undefined && { requests }),
    ...(passes !== undefined && { passes }),
    ...(joinedBy !== undefined && { joinedBy }),
  };
}
