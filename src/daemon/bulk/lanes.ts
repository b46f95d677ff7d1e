import type { Instant } from '../../domain/time.ts';
import type { CredentialKey } from '../../ledger/records.ts';
import { LONGEST_BACKOFF } from '../../rotation/backoff.ts';
import { isDatedAhead } from '../../rotation/redate.ts';

interface Lane {
  readonly places: { readonly key: CredentialKey; readonly place: number }[];
  next: number;
}

/**
 * Who is still to be begun, in the order of need; a lane an issuer, so that one that is held holds up no other. Who is to
 * wait comes back at its time, before the rest.
 */
export class Lanes {
  readonly #lanes = new Map<string, Lane>();
  readonly #later: { readonly key: CredentialKey; readonly at: Instant }[] = [];
  #places = 0;

  get size(): number {
    let size = this.#later.length;
    for (const { places, next } of this.#lanes.values()) size += places.length - next;
    return size;
  }

  /** Those with nothing left are not among them. */
  get issuers(): readonly string[] {
    const waiting = this.#later.map(({ key }) => key.issuer);
    const lined = [...this.#lanes].filter(([, { places, next }]) => next < places.length).map(([issuer]) => issuer);
    return [...new Set([...lined, ...waiting])];
  }

  /** Behind all others of its issuer. */
  add(key: CredentialKey): void {
    const lane = this.#lanes.get(key.issuer) ?? { places: [], next: 0 };
    this.#lanes.set(key.issuer, lane);
    lane.places.push({ key, place: (this.#places += 1) });
  }

  addLater(key: CredentialKey, at: Instant): void {
    this.#later.push({ key, at });
  }

  /**
   * Takes the next one of issuers that are not held; null: there is none now.
   * @param laterAt the later of our clock and an issuer's, see laterTime: what others dated is judged by it.
   */
  take(
    now: Instant,
    isHeld: (issuer: string) => boolean,
    laterAt: (issuer: string) => Instant = () => now,
  ): CredentialKey | null {
    const back = this.#later.findIndex(({ key, at }) => isTimeFor(at, now, laterAt(key.issuer)) && !isHeld(key.issuer));
    if (back >= 0) return this.#later.splice(back, 1)[0]?.key ?? null;
    let first: Lane | null = null;
    for (const [issuer, lane] of this.#lanes) {
      const head = lane.places[lane.next];
      if (head === undefined || isHeld(issuer)) continue;
      if (first === null || head.place < (first.places[first.next]?.place ?? 0)) first = lane;
    }
    if (first === null) return null;
    first.next += 1;
    return first.places[first.next - 1]?.key ?? null;
  }

  /** When the next one comes back; null: none waits for a time. */
  nextAt(): Instant | null {
    return this.#later.length === 0 ? null : Math.min(...this.#later.map(({ at }) => at));
  }
}

/** Nobody waits for longer than after many failures: a time beyond that was dated by a clock that was ahead (P8). */
function isTimeFor(at: Instant, now: Instant, later: Instant): boolean {
  return at <= now || isDatedAhead(at, later, LONGEST_BACKOFF);
}
