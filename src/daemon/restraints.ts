import { formatInstantOrNull, HOUR } from '../domain/time.ts';
import type { Instant } from '../domain/time.ts';
import type { CredentialKey } from '../ledger/records.ts';
import type { World } from '../rotation/world.ts';
import { Breaker } from './breaker.ts';
import { Pace } from './pace.ts';
import { Silence } from './silence.ts';

/** What holds new secrets back for many credentials at once: issuers' breakers, the hour's pace, silent token endpoints. */
export class Restraints {
  readonly breakers: Map<string, Breaker>;
  readonly #world: World;
  readonly #silence: Silence;
  #pace: Pace;
  #prepared = false;
  /** Those of the terms that have taken over; null: ours hold. */
  #successor: Restraints | null = null;

  /** @param leaving aborted when other terms take over, or at the end: nobody listens for an endpoint any more. */
  constructor(world: World, leaving: AbortSignal) {
    this.#world = world;
    const { limits } = world.settings;
    this.breakers = new Map([...world.issuers.keys()].map((name) => [name, new Breaker(world.clock, limits.breaker)]));
    this.#pace = new Pace(limits.rotationsPerHour, []);
    this.#silence = new Silence(world, leaving);
  }

  /** Goes on from those of other terms: the hour's starts, open breakers, silent endpoints are not forgotten. */
  takeOver(before: Restraints): void {
    const { issuers, settings } = this.#world;
    before.#successor = this;
    this.#pace = before.#pace.copy(settings.limits.rotationsPerHour);
    // one whose settings changed is another one, and begins afresh
    const kept = [...issuers.keys()].filter((name) => issuers.get(name) === before.#world.issuers.get(name));
    for (const name of kept) {
      const breaker = before.breakers.get(name);
      if (breaker === undefined) continue;
      breaker.adjust(settings.limits.breaker);
      this.breakers.set(name, breaker);
    }
    this.#silence.takeOver(before.#silence, kept);
  }

  /** Reads the starts of the last hour, once for a process. @throws LedgerError */
  async prepare(): Promise<void> {
    if (this.#prepared) return;
    const { ledger, clock, settings } = this.#world;
    const { rotationsPerHour, concurrency } = settings.limits;
    // among the newest are requests that wait: they are no starts, and hide none
    const recent = await ledger.rotations({}, Math.min(1000, 2 * (rotationsPerHour + concurrency)), null);
    const hourAgo = clock.now() - HOUR;
    const starts = recent.items.map((each) => each.sentAt).filter((each) => each !== null && each > hourAgo);
    this.#pace = new Pace(rotationsPerHour, starts as Instant[]);
    this.#prepared = true;
  }

  /** The hour's starts as they are now, to try a plan on. */
  trialPace(): Pace {
    return this.#pace.copy();
  }

  /** Until when the hour's rotations are spent; null: they are not. */
  pacedUntil(): Instant | null {
    return this.#pace.spentUntil(this.#world.clock.now());
  }

  /** How many rotations may start at once now. */
  freePlaces(): number {
    return this.#pace.free(this.#world.clock.now());
  }

  /** Until when an issuer's breaker is open; null: it is not. */
  breakerUntil(issuer: string): Instant | null {
    return this.breakers.get(issuer)?.openUntil ?? null;
  }

  isSilent(issuer: string): boolean {
    return this.#silence.has(issuer);
  }

  /** What an attempt heard of a token endpoint: it concerns who asks the same endpoint now. */
  heard(issuer: string, answered: boolean, listen: boolean): void {
    const next = this.#successor;
    const same = next !== null && next.#world.issuers.get(issuer) === this.#world.issuers.get(issuer);
    if (same) next.heard(issuer, answered, listen);
    else this.#silence.heard(issuer, answered, listen);
  }

  /** Takes a place for a new secret. @param ahead it is made whatever holds others back, and counts. @returns false: none is free. */
  reserveStart(key: CredentialKey, ahead: boolean): boolean {
    const now = this.#world.clock.now();
    if (ahead) {
      this.#pace.count(now);
      return true;
    }
    const breaker = this.breakers.get(key.issuer);
    if (breaker !== undefined && breaker.openUntil !== null) return false;
    if (!this.#pace.reserve(now)) return false;
    breaker?.started();
    return true;
  }

  issuerFailed(key: CredentialKey, message: string): void {
    const breaker = this.breakers.get(key.issuer);
    if (breaker?.failed(key.clientId) !== true) return;
    this.#world.events.tell({
      type: 'breaker-opened',
      reason: 'breaker-open',
      issuer: key.issuer,
      until: formatInstantOrNull(breaker.openUntil),
      error: message,
    });
  }

  issuerWorked(key: CredentialKey): void {
    if (this.breakers.get(key.issuer)?.worked() !== true) return;
    this.#world.events.tell({ type: 'breaker-closed', issuer: key.issuer });
  }
}
