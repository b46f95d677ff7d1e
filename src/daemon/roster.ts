import { hash } from 'node:crypto';
import { createMatcher, termsDigest } from '../config/match.ts';
import type { Matcher } from '../config/match.ts';
import type { Terms } from '../config/terms.ts';
import type { CredentialState } from '../domain/credential-state.ts';
import type { Duration, Instant } from '../domain/time.ts';
import type { ListedCredential } from '../issuers/contract.ts';
import type { CredentialHeader } from '../ledger/contract.ts';
import type { CredentialKey } from '../ledger/records.ts';
import type { World } from '../rotation/world.ts';
import { Claims } from './claims.ts';

/**
 * Who is looked at besides those that are due: `stuck-too`, when a person asks: all that is blocked, paused, failing or held back while due;
 * `blocked-too`, at start: what is failing waits for its stored time, which a restart does not reset (I4).
 */
export type Breadth = 'due' | 'blocked-too' | 'stuck-too';

/** Hears who needs no look now, and when the next one is due. */
export type Later = (key: CredentialKey, dueAt: Instant) => void;

/** States that one that is gone can have: the header does not say which of these it had before. */
const PARKED: ReadonlySet<CredentialState> = new Set(['blocked', 'paused', 'unmanaged', 'ignored']);

/** A credential that a scan wants to look at, and when what it serves ends. */
export interface Candidate {
  readonly key: CredentialKey;
  readonly listed: ListedCredential | null;
  readonly expires: Instant | null;
}

/** A credential that was on the last list. There may be very many: each costs this object, and no text but its own. */
interface Known {
  readonly issuer: string;
  readonly clientId: string;
  description: string;
  /** The digest of its terms where it is new or edited, until it was compared; null: that was done. */
  news: string | null;
  /** Since then, another one was seen to resolve to one of its destinations, or it to another one's. */
  isContested: boolean;
  /** The last list that it was on, and the last comparison in which the ledger knew it. */
  listed: number;
  stored: number;
}

/**
 * What this process knows of all credentials: their last listed description, and which of them claim which destination.
 * Matching is done once for each description; a steady scan compares strings.
 */
export class Roster {
  readonly #world: World;
  readonly #match: Matcher;
  readonly #known = new Map<string, Map<string, Known>>();
  readonly #claims = new Claims<Known>();
  /** Counts lists and comparisons. */
  #turn = 0;

  constructor(world: World) {
    this.#world = world;
    this.#match = createMatcher(world.settings, world.vaultTypes);
  }

  /** Takes over who was on the last lists, under this world's rules: claims are whole before anything is looked at. */
  learnFrom(before: Roster): void {
    for (const issuer of this.#world.issuers.keys()) {
      const known = before.#known.get(issuer);
      if (known === undefined) continue;
      this.#learn(
        issuer,
        [...known.values()].map(({ clientId, description }) => ({ clientId, description })),
      );
    }
  }

  terms(issuer: string, credential: ListedCredential): Terms {
    return this.#match(issuer, credential);
  }

  /** Of all that the configuration says of a credential, see termsDigest. */
  digestOf(terms: Terms): string {
    const { settings, vaults } = this.#world;
    return termsDigest(terms, { ...settings, vaults });
  }

  /** Names of other credentials that resolve to one of this one's destinations (C4). */
  sharedWith(key: CredentialKey, terms: Terms): string[] {
    const claimants = this.#placesOf(terms).flatMap((place) => this.#claims.of(place));
    const others = claimants.filter((each) => each.issuer !== key.issuer || each.clientId !== key.clientId);
    return [...new Set(others.map((each) => `${each.issuer}/${each.clientId}`))].sort();
  }

  /**
   * Compares a whole list with the ledger's headers: who must be looked at now, soonest to expire first. Also learns the
   * list, so that claims on destinations are whole before anything is looked at. Of the headers none is kept. `later` is
   * told of those that need no look now, and of the date of their next one.
   */
  async compare(
    issuer: string,
    list: readonly ListedCredential[],
    headers: AsyncIterable<CredentialHeader>,
    now: Instant,
    everything: Breadth,
    later: Later = () => undefined,
  ): Promise<Candidate[]> {
    const known = this.#learn(issuer, list);
    const turn = (this.#turn += 1);
    const wanted: Candidate[] = [];
    for await (const header of headers) {
      const { clientId, expires } = header;
      const listed = known.get(clientId);
      if (listed === undefined) {
        const key = { issuer, clientId };
        if (!this.#isParked(header, now)) wanted.push({ key, listed: null, expires });
        continue;
      }
      listed.stored = turn;
      if (this.#isToBeSeen(header, listed, now, everything)) wanted.push(candidate(listed, expires));
      else if (header.dueAt !== null) later(listed, header.dueAt);
      listed.news = null;
    }
    for (const listed of known.values()) {
      if (listed.stored === turn) continue;
      wanted.push(candidate(listed, null));
      listed.news = null;
    }
    return wanted.sort((a, b) => (a.expires ?? Number.MAX_VALUE) - (b.expires ?? Number.MAX_VALUE));
  }

  #isToBeSeen(header: CredentialHeader, listed: Known, now: Instant, everything: Breadth): boolean {
    return (
      header.description !== listed.description ||
      (listed.news !== null && (listed.news !== header.terms || listed.isContested)) ||
      this.#isDue(header, now) ||
      // one that was gone comes back as news
      ((everything !== 'due' || listed.news !== null) && (header.state === 'blocked' || header.state === 'paused')) ||
      (everything === 'stuck-too' && (header.state === 'failing' || header.state === 'due'))
    );
  }

  /** Gone from the list, and told already, or nothing that anybody is told of: a full look now and then is enough. */
  #isParked(header: CredentialHeader, now: Instant): boolean {
    return PARKED.has(header.state) && !this.#isDue(header, now);
  }

  /** A full look that is further away than `resync` was dated by a clock that was wrong: it is due now (P8). */
  #isDue(header: CredentialHeader, now: Instant): boolean {
    const { resync } = this.#world.settings;
    const planned = header.dueAt !== null && header.dueAt <= now;
    return planned || header.resyncAt <= now || header.resyncAt > now + resync;
  }

  /** Takes in a list. @returns who is on it. */
  #learn(issuer: string, list: readonly ListedCredential[]): ReadonlyMap<string, Known> {
    const known = this.#known.get(issuer) ?? new Map<string, Known>();
    this.#known.set(issuer, known);
    this.#forgetAbsent(known, list);
    const disputed: string[] = [];
    for (const listed of list) {
      const old = known.get(listed.clientId);
      if (old?.description === listed.description) continue;
      if (old !== undefined) this.#unclaim(old);
      const terms = this.#match(issuer, listed);
      const news = this.digestOf(terms);
      const fresh: Known = { ...listed, issuer, news, isContested: false, listed: this.#turn, stored: 0 };
      const present = old === undefined ? fresh : Object.assign(old, fresh);
      known.set(listed.clientId, present);
      for (const place of this.#placesOf(terms)) if (this.#claims.add(place, present)) disputed.push(place);
    }
    // not before: whom a later one in the list disputes a place with is contested just as well
    for (const each of disputed.flatMap((place) => this.#claims.of(place))) each.isContested = true;
    return known;
  }

  /** Who is gone claims nothing: it claims again should it come back. */
  #forgetAbsent(known: Map<string, Known>, list: readonly ListedCredential[]): void {
    this.#turn += 1;
    for (const { clientId } of list) {
      const present = known.get(clientId);
      if (present !== undefined) present.listed = this.#turn;
    }
    for (const each of known.values()) {
      if (each.listed === this.#turn) continue;
      this.#unclaim(each);
      known.delete(each.clientId);
    }
  }

  #unclaim(known: Known): void {
    for (const place of this.#placesOf(this.#match(known.issuer, known))) this.#claims.remove(place, known);
  }

  #placesOf(terms: Terms): string[] {
    if (terms.kind !== 'managed') return [];
    return terms.destinations.map((each) => {
      const identity = this.#world.vaults.get(each.vault)?.identity ?? each.vault;
      return `${identity}\n${each.entry}`;
    });
  }
}

function candidate({ issuer, clientId, description }: Known, expires: Instant | null): Candidate {
  return { key: { issuer, clientId }, listed: { clientId, description }, expires };
}

/** The next full look: each credential has a fixed place within `resync`, so that they are never looked at all at once. */
export function nextResync(key: CredentialKey, resync: Duration, now: Instant): Instant {
  const digest = hash('sha256', `${key.issuer}/${key.clientId}`, 'buffer');
  const phase = Math.floor((digest.readUInt32BE(0) / 2 ** 32) * resync);
  return now - ((((now - phase) % resync) + resync) % resync) + resync;
}
