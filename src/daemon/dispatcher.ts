import type { IssuerError } from '../domain/errors.ts';
import type { Duration, Instant } from '../domain/time.ts';
import type { CredentialKey, Pause } from '../ledger/records.ts';
import type { Control } from '../rotation/control.ts';
import type { Subject } from '../rotation/observe.ts';
import { tend } from '../rotation/tend.ts';
import type { Visit } from '../rotation/tend.ts';
import type { World } from '../rotation/world.ts';
import { Slots } from './slots.ts';

/** What the dispatcher asks of the daemon around it. */
export interface Surroundings {
  readonly stopping: AbortSignal;
  /** Aborted when it stops, and when other terms take over: nothing is begun any more. */
  readonly leaving: AbortSignal;
  readonly giveUp: AbortSignal;
  once(): boolean;
  issuerFailed(key: CredentialKey, error: IssuerError): void;
  issuerWorked(key: CredentialKey): void;
  heard(issuer: string, answered: boolean): void;
  reserveStart(key: CredentialKey, ahead: boolean): boolean;
  pausedAll(): Promise<Pause | null>;
  leaseFor(issuer: string): Duration;
  resyncAt(key: CredentialKey, now: Instant): Instant;
  /** A visit ended; something may be due again at `record.dueAt`. */
  ended(visit: Visit): void;
  /** A visit failed: the ledger, or a defect. */
  failed(key: CredentialKey, error: unknown): void;
  /** Other terms have taken over, and are free to visit this credential now. */
  passOn(key: CredentialKey): void;
}

export function keyText(key: CredentialKey): string {
  return `${key.issuer}/${key.clientId}`;
}

/** Visits credentials: never one twice at the same time in this process, and no more at once than there are slots. */
export class Dispatcher {
  readonly #world: World;
  readonly #around: Surroundings;
  readonly #slots: Slots;
  readonly #busy = new Map<string, Promise<void>>();
  /** Asked for while a visit was going on: visited once more after it. */
  readonly #again = new Map<string, Subject>();
  /** The one whose terms held before, while something of it goes on. */
  #before: Dispatcher | null = null;
  acted = 0;

  constructor(world: World, around: Surroundings) {
    this.#world = world;
    this.#around = around;
    this.#slots = new Slots(world.settings.limits.concurrency);
  }

  /** Takes over from another one, which begins nothing any more: what that one still visits is left alone until it passes it on. */
  follow(before: Dispatcher): void {
    this.#before = before;
  }

  isBusy(key: CredentialKey): boolean {
    return this.#busy.has(keyText(key)) || this.#isBusyBefore(key);
  }

  #isBusyBefore(key: CredentialKey): boolean {
    if (this.#before?.isIdle === true) this.#before = null;
    return this.#before?.isBusy(key) === true;
  }

  get isIdle(): boolean {
    return this.#busy.size === 0 && this.#before?.isIdle !== false;
  }

  /**
   * Visits a credential. @returns a promise that is kept as soon as the visit ends or waits without a slot: a scan is over
   * when its work is dispatched. It tells whether the visit did anything, or is at it.
   */
  visit(subject: Subject, whenBusy: 'skip' | 'again' = 'skip'): Promise<boolean> {
    const text = keyText(subject.key);
    if (this.#around.leaving.aborted) {
      this.#around.passOn(subject.key);
      return Promise.resolve(false);
    }
    // passed on when that is over
    if (this.#isBusyBefore(subject.key)) return Promise.resolve(false);
    if (this.#busy.has(text)) {
      if (whenBusy === 'again') this.#again.set(text, subject);
      return Promise.resolve(false);
    }
    // what a person asked for goes ahead of a scan's queue
    const ahead = whenBusy === 'again';
    return new Promise((dispatched) => {
      const work = this.#run(subject, ahead, () => dispatched(true)).then((acted) => {
        this.#busy.delete(text);
        dispatched(acted > 0);
        const again = this.#again.get(text);
        this.#again.delete(text);
        if (this.#around.leaving.aborted) this.#around.passOn(subject.key);
        else if (again !== undefined) void this.visit(again);
      });
      this.#busy.set(text, work);
    });
  }

  /** Kept when nothing is going on any more. */
  async drained(): Promise<void> {
    while (this.#busy.size > 0) await Promise.all(this.#busy.values());
  }

  /** @returns how many acts there were. Never throws. */
  async #run(subject: Subject, ahead: boolean, dispatched: () => void): Promise<number> {
    const { key } = subject;
    const around = this.#around;
    await this.#slots.take(ahead);
    const slot = { held: true };
    const control: Control = {
      stopping: around.stopping,
      giveUp: around.giveUp,
      mayBegin: () => !around.leaving.aborted,
      once: around.once(),
      issuerFailed: (failed, error) => around.issuerFailed(failed, error),
      issuerWorked: (worked) => around.issuerWorked(worked),
      heard: (issuer, answered) => around.heard(issuer, answered),
      reserveStart: (started, ahead) => around.reserveStart(started, ahead),
      pausedAll: () => around.pausedAll(),
      trigger: subject.trigger,
      lease: around.leaseFor(key.issuer),
      idle: async (duration) => {
        slot.held = false;
        this.#slots.give();
        dispatched();
        try {
          await this.#world.ticker.sleep(duration, around.stopping);
        } finally {
          await this.#slots.take(true);
          slot.held = true;
        }
      },
    };
    try {
      if (around.leaving.aborted) return 0;
      const visit = await tend(this.#world, subject, control, (now) => around.resyncAt(key, now));
      this.acted += visit.acted;
      around.ended(visit);
      return visit.acted;
    } catch (error) {
      if (around.giveUp.aborted) return 0;
      around.failed(key, error);
      return 0;
    } finally {
      if (slot.held) this.#slots.give();
    }
  }
}
