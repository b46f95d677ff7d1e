import type { Instant } from '../../src/domain/time.ts';
import type { Chance } from './chance.ts';

/** How a call to the world may end, other than well. */
export const FAULTS = [
  /** The connection was refused: surely not applied. */
  'refused',
  /** The request was lost; the caller cannot know. */
  'lost-before',
  /** Applied, and the answer lost. */
  'applied-and-lost',
  /** The caller gave up, and it is applied after that. */
  'late',
  /** Applied, and applied once more some time later. */
  'duplicated',
  /** A read that shows what was there before, as far back as the service may lag. */
  'stale',
  'throttled',
  /** An error answer; of a change it is not said whether it was applied: it was not. */
  'error',
  'denied',
  /** An answer that cannot be read; a change was applied. */
  'garbled',
  /** Answered well, but only just in time. */
  'slow',
  /** The caller is killed: before the request leaves, when it is applied, before it hears the answer. */
  'crash-before',
  'crash-applied',
  'crash-after',
  /** The caller stops hearing anything for minutes: before the request leaves, or before it hears the answer. */
  'freeze-before',
  'freeze-after',
  /** Applied, the answer lost, and applied once more some time later: by a proxy that lost it, too. */
  'repeated',
] as const;
export type Fault = (typeof FAULTS)[number];

export type Rates = Partial<Record<Fault, number>>;

/** A time in which calls go wrong more often; `target`: which, by the start of their label. */
export interface Storm {
  readonly id: string;
  readonly from: Instant;
  readonly to: Instant;
  readonly target: string;
  readonly rates: Rates;
}

/** A call, as faults are drawn for it. */
export interface CallLabel {
  /** Who calls what of whom: `d0 issuer.createSecret c1`. */
  readonly text: string;
  /** What it is sent to: `issuer`, `vault.a`, `disk`. */
  readonly target: string;
  readonly isChange: boolean;
}

/** Says which fault a call meets whatever was drawn; `count`: how many calls all machines made before it. */
export type Forced = (call: CallLabel, count: number) => Fault | null;

/** A fault that a call met. */
export interface MetFault {
  readonly id: string;
  readonly fault: Fault;
  readonly at: Instant;
}

const ONLY_CHANGES: ReadonlySet<Fault> = new Set([
  'applied-and-lost',
  'late',
  'duplicated',
  'crash-applied',
  'repeated',
]);
const ONLY_READS: ReadonlySet<Fault> = new Set(['stale']);
const ON_DISK: ReadonlySet<Fault> = new Set([
  'error',
  'crash-before',
  'crash-applied',
  'crash-after',
  'freeze-before',
  'freeze-after',
]);

/** Decides how each call ends: by storms, and by the rates of fair weather. */
export class Weather {
  readonly met: MetFault[] = [];
  readonly #chance: Chance;
  readonly #rates: Rates;
  readonly #storms: readonly Storm[];
  readonly #until: Instant;
  readonly #keep: ReadonlySet<string> | null;
  readonly #forced: Forced;
  #count = 0;

  /**
   * @param until from then on everything goes well.
   * @param keep ids of the only faults that may happen (a shrunk schedule); null: all that are drawn.
   */
  constructor(
    chance: Chance,
    given: {
      readonly rates: Rates;
      readonly storms: readonly Storm[];
      readonly until: Instant;
      readonly keep: ReadonlySet<string> | null;
      readonly forced?: Forced | undefined;
    },
  ) {
    this.#chance = chance;
    this.#rates = given.rates;
    this.#storms = given.storms;
    this.#until = given.until;
    this.#keep = given.keep;
    this.#forced = given.forced ?? (() => null);
  }

  /** What a call meets now; null: nothing. */
  meet(call: CallLabel, now: Instant): Fault | null {
    const drawn = this.#chance.draw(call.text);
    const forced = this.#forced(call, this.#count);
    this.#count += 1;
    if (forced !== null && isPossible(forced, call)) {
      this.met.push({ id: `${call.text}#${this.#chance.count(call.text)}`, fault: forced, at: now });
      return forced;
    }
    if (now >= this.#until) return null;
    let rates = this.#rates;
    for (const storm of this.#storms) {
      if (now >= storm.from && now < storm.to && call.target.startsWith(storm.target)) rates = storm.rates;
    }
    let sum = 0;
    for (const fault of FAULTS) {
      const rate = rates[fault];
      if (rate === undefined || !isPossible(fault, call)) continue;
      sum += rate;
      if (drawn >= sum) continue;
      const id = `${call.text}#${this.#chance.count(call.text)}`;
      if (this.#keep !== null && !this.#keep.has(id)) return null;
      this.met.push({ id, fault, at: now });
      return fault;
    }
    return null;
  }
}

function isPossible(fault: Fault, { isChange, target }: CallLabel): boolean {
  if (target === 'disk') return ON_DISK.has(fault);
  return isChange ? !ONLY_READS.has(fault) : !ONLY_CHANGES.has(fault);
}
