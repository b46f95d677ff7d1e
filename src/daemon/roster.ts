import { createHash } from 'node:crypto';
import { createMatcher, termsDigest } from '../config/match.ts';
import type { Matcher } from '../config/match.ts';
import type { Terms } from '../config/terms.ts';
import type { Duration, Instant } from '../domain/time.ts';
import type { ListedCredential } from '../issuers/contract.ts';
import type { CredentialHeader } from '../ledger/contract.ts';
import type { CredentialKey } from '../ledger/records.ts';
import type { World } from '../rotation/world.ts';

/**
 * Who is looked at besides those that are due: `stuck-too`, when a person asks: all that is blocked, paused or failing;
 * `blocked-too`, at start: what is failing waits for its stored time, which a restart does not reset (I4).
 */
export type Breadth = 'due' | 'blocked-too' | 'stuck-too';

/** A credential that a scan wants to look at, and when what it serves ends. */
export interface Candidate {
  readonly key: CredentialKey;
  readonly listed: ListedCredential | null;
  readonly expires: Instant | null;
}

/**
 * What this process knows of all credentials: their last listed description, and which of them claim which destination.
 * Matching is done once for each description; a steady scan compares strings.
 */
export class Roster {
  readonly #world: World;
  readonly #match: Matcher;
  readonly #descriptions = new Map<string, Map<string, string>>();
  /** Destination to the keys of the credentials that resolve to it. */
  readonly #claims = new Map<string, Set<string>>();

  constructor(world: World) {
    this.#world = world;
    this.#match = createMatcher(world.settings, world.vaultTypes);
  }

  terms(issuer: string, credential: ListedCredential): Terms {
    return this.#match(issuer, credential);
  }

  /** Names of other credentials that resolve to one of this one's destinations (C4). */
  sharedWith(key: CredentialKey, terms: Terms): string[] {
    if (terms.kind !== 'managed') return [];
    const own = `${key.issuer}/${key.clientId}`;
    const others = this.#placesOf(terms).flatMap((place) => [...(this.#claims.get(place) ?? [])]);
    return [...new Set(others)].filter((each) => each !== own).sort();
  }

  /**
   * Compares a whole list with the ledger's headers: who must be looked at now, soonest to expire first. Also learns the
   * list, so that claims on destinations are whole before anything is looked at.
   */
  compare(
    issuer: string,
    list: readonly ListedCredential[],
    headers: ReadonlyMap<string, CredentialHeader>,
    now: Instant,
    everything: Breadth,
  ): Candidate[] {
    const changed = this.#learn(issuer, list);
    const wanted: Candidate[] = [];
    for (const listed of list) {
      const header = headers.get(listed.clientId);
      const key = { issuer, clientId: listed.clientId };
      const fresh = changed.get(listed.clientId);
      const look =
        header === undefined ||
        header.description !== listed.description ||
        (fresh !== undefined && (fresh.digest !== header.terms || fresh.claimed)) ||
        this.#isDue(header, now) ||
        (everything !== 'due' && (header.state === 'blocked' || header.state === 'paused')) ||
        (everything === 'stuck-too' && header.state === 'failing');
      if (look) wanted.push({ key, listed, expires: header?.expires ?? null });
    }
    const present = new Set(list.map((each) => each.clientId));
    for (const header of headers.values()) {
      if (present.has(header.clientId)) continue;
      const parked = header.state === 'blocked' && !this.#isDue(header, now);
      if (!parked) wanted.push({ key: { issuer, clientId: header.clientId }, listed: null, expires: header.expires });
    }
    return wanted.sort((a, b) => (a.expires ?? Number.MAX_VALUE) - (b.expires ?? Number.MAX_VALUE));
  }

  /** A full look that is further away than `resync` was dated by a clock that was wrong: it is due now (P8). */
  #isDue(header: CredentialHeader, now: Instant): boolean {
    const { resync } = this.#world.settings;
    const planned = header.dueAt !== null && header.dueAt <= now;
    return planned || header.resyncAt <= now || header.resyncAt > now + resync;
  }

  /** What is new or edited since the last list, with its digest, and whether its destinations are claimed by others. */
  #learn(issuer: string, list: readonly ListedCredential[]): Map<string, { digest: string; claimed: boolean }> {
    const known = this.#descriptions.get(issuer) ?? new Map<string, string>();
    this.#descriptions.set(issuer, known);
    const present = new Set(list.map((each) => each.clientId));
    for (const [clientId, description] of known) {
      if (present.has(clientId)) continue;
      // who is gone claims nothing: it claims again should it come back
      this.#unclaim(`${issuer}/${clientId}`, this.#match(issuer, { clientId, description }));
      known.delete(clientId);
    }
    const edited = list.filter((each) => known.get(each.clientId) !== each.description);
    const resolved = edited.map((listed) => {
      const terms = this.#match(issuer, listed);
      const key = `${issuer}/${listed.clientId}`;
      const old = known.get(listed.clientId);
      if (old !== undefined) this.#unclaim(key, this.#match(issuer, { ...listed, description: old }));
      for (const place of this.#placesOf(terms)) {
        const claims = this.#claims.get(place) ?? new Set<string>();
        this.#claims.set(place, claims.add(key));
      }
      known.set(listed.clientId, listed.description);
      return { listed, terms };
    });
    return new Map(
      resolved.map(({ listed, terms }) => {
        const key = { issuer, clientId: listed.clientId };
        return [listed.clientId, { digest: termsDigest(terms), claimed: this.sharedWith(key, terms).length > 0 }];
      }),
    );
  }

  #unclaim(key: string, terms: Terms): void {
    for (const place of this.#placesOf(terms)) this.#claims.get(place)?.delete(key);
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
  const digest = createHash('sha256').update(`${key.issuer}/${key.clientId}`).digest();
  const phase = Math.floor((digest.readUInt32BE(0) / 2 ** 32) * resync);
  return now - ((((now - phase) % resync) + resync) % resync) + resync;
}
