import { hash } from 'node:crypto';
import { createMatcher, termsDigest } from '../config/match.ts';
import type { Matcher } from '../config/match.ts';
import type { Terms } from '../config/terms.ts';
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

/** A credential that a scan wants to look at, and when what it serves ends. */
export interface Candidate {
  readonly key: CredentialKey;
  readonly listed: ListedCredential | null;
  readonly expires: Instant | null;
}

/** What is new or edited since the last list that was compared. */
interface News {
  /** By clientId, of the terms that hold now. */
  readonly digests: ReadonlyMap<string, string>;
  /** Keys of credentials that resolve to a destination of another one. */
  readonly contested: ReadonlySet<string>;
}

/**
 * What this process knows of all credentials: their last listed description, and which of them claim which destination.
 * Matching is done once for each description; a steady scan compares strings.
 */
export class Roster {
  readonly #world: World;
  readonly #match: Matcher;
  readonly #descriptions = new Map<string, Map<string, string>>();
  readonly #claims = new Claims();
  readonly #news = new Map<string, News>();

  constructor(world: World) {
    this.#world = world;
    this.#match = createMatcher(world.settings, world.vaultTypes);
  }

  terms(issuer: string, credential: ListedCredential): Terms {
    return this.#match(issuer, credential);
  }

  /** Names of other credentials that resolve to one of this one's destinations (C4). */
  sharedWith(key: CredentialKey, terms: Terms): string[] {
    const own = `${key.issuer}/${key.clientId}`;
    const others = this.#placesOf(terms).flatMap((place) => this.#claims.of(place));
    return [...new Set(others)].filter((each) => each !== own).sort();
  }

  /**
   * Compares a whole list with the ledger's headers: who must be looked at now, soonest to expire first. Also learns the
   * list, so that claims on destinations are whole before anything is looked at. Of the headers none is kept.
   */
  async compare(
    issuer: string,
    list: readonly ListedCredential[],
    headers: AsyncIterable<CredentialHeader>,
    now: Instant,
    everything: Breadth,
  ): Promise<Candidate[]> {
    const news = this.#learn(issuer, list);
    // until it was heeded: where the ledger fails in the middle, the next scan has it still
    this.#news.set(issuer, news);
    const wanted: Candidate[] = [];
    const unknown = new Map(list.map((listed) => [listed.clientId, listed]));
    for await (const header of headers) {
      const { clientId, expires } = header;
      const listed = unknown.get(clientId) ?? null;
      unknown.delete(clientId);
      const look =
        listed === null
          ? !this.#isParked(header, now)
          : this.#isToBeSeen(issuer, header, listed, news, now, everything);
      if (look) wanted.push({ key: { issuer, clientId }, listed, expires });
    }
    for (const listed of unknown.values()) {
      wanted.push({ key: { issuer, clientId: listed.clientId }, listed, expires: null });
    }
    this.#news.delete(issuer);
    return wanted.sort((a, b) => (a.expires ?? Number.MAX_VALUE) - (b.expires ?? Number.MAX_VALUE));
  }

  #isToBeSeen(
    issuer: string,
    header: CredentialHeader,
    listed: ListedCredential,
    { digests, contested }: News,
    now: Instant,
    everything: Breadth,
  ): boolean {
    const digest = digests.get(header.clientId);
    return (
      header.description !== listed.description ||
      (digest !== undefined && (digest !== header.terms || contested.has(`${issuer}/${header.clientId}`))) ||
      this.#isDue(header, now) ||
      (everything !== 'due' && (header.state === 'blocked' || header.state === 'paused')) ||
      (everything === 'stuck-too' && (header.state === 'failing' || header.state === 'due'))
    );
  }

  /** Gone from the list, and told already. */
  #isParked(header: CredentialHeader, now: Instant): boolean {
    return header.state === 'blocked' && !this.#isDue(header, now);
  }

  /** A full look that is further away than `resync` was dated by a clock that was wrong: it is due now (P8). */
  #isDue(header: CredentialHeader, now: Instant): boolean {
    const { resync } = this.#world.settings;
    const planned = header.dueAt !== null && header.dueAt <= now;
    return planned || header.resyncAt <= now || header.resyncAt > now + resync;
  }

  /** Takes in a list. @returns what is new or edited since the last one that was compared. */
  #learn(issuer: string, list: readonly ListedCredential[]): News {
    const known = this.#descriptions.get(issuer) ?? new Map<string, string>();
    this.#descriptions.set(issuer, known);
    const present = new Set(list.map((each) => each.clientId));
    for (const [clientId, description] of known) {
      if (present.has(clientId)) continue;
      // who is gone claims nothing: it claims again should it come back
      this.#unclaim(issuer, { clientId, description });
      known.delete(clientId);
    }
    const before = this.#news.get(issuer);
    const digests = new Map(before?.digests);
    const disputed: string[] = [];
    for (const listed of list) {
      const { clientId, description } = listed;
      const old = known.get(clientId);
      if (old === description) continue;
      if (old !== undefined) this.#unclaim(issuer, { clientId, description: old });
      const terms = this.#match(issuer, listed);
      for (const place of this.#placesOf(terms)) {
        if (this.#claims.add(place, `${issuer}/${clientId}`)) disputed.push(place);
      }
      known.set(clientId, description);
      digests.set(clientId, termsDigest(terms));
    }
    // not before: whom a later one in the list disputes a place with is contested just as well
    const contested = disputed.flatMap((place) => this.#claims.of(place));
    return { digests, contested: new Set([...(before?.contested ?? []), ...contested]) };
  }

  #unclaim(issuer: string, credential: ListedCredential): void {
    const key = `${issuer}/${credential.clientId}`;
    for (const place of this.#placesOf(this.#match(issuer, credential))) this.#claims.remove(place, key);
  }

  #placesOf(terms: Terms): string[] {
    if (terms.kind !== 'managed') return [];
    return terms.destinations.map((each) => {
      const identity = this.#world.vaults.get(each.vault)?.identity ?? each.vault;
      return `${identity}\n${each.entry}`;
    });
  }
}

/** The next full look: each credential has a fixed place within `resync`, so that they are never looked at all at once. */
export function nextResync(key: CredentialKey, resync: Duration, now: Instant): Instant {
  const digest = hash('sha256', `${key.issuer}/${key.clientId}`, 'buffer');
  const phase = Math.floor((digest.readUInt32BE(0) / 2 ** 32) * resync);
  return now - ((((now - phase) % resync) + resync) % resync) + resync;
}
