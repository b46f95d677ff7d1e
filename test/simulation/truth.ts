import type { Instant } from '../../src/domain/time.ts';
import type { MemoryVault } from '../../src/vaults/memory.ts';
import { latest } from '../fakes/memory-issuer-history.ts';
import type { SimIssuer } from './sim-issuer.ts';
import type { VirtualTime } from './virtual-time.ts';

/** What is served at one place now. */
export interface Serving {
  /** Null: nothing, or a value that no secret has. */
  readonly secretId: string | null;
  readonly since: Instant;
  readonly by: 'daemon' | 'hand';
  /** Until when it was served there before; null: never. */
  readonly before: Instant | null;
}

/** A time between two hands, in which a place served a secret that no daemon had put there. */
interface PutRight {
  readonly clientId: string;
  readonly secretId: string;
  readonly place: string;
  readonly before: Instant | null;
  readonly until: Instant;
}

/** A secret at the issuer, as it came about. */
export interface Origin {
  readonly clientId: string;
  readonly secretId: string;
  readonly by: 'daemon' | 'hand';
  readonly at: Instant;
}

/**
 * What really is so, whatever the daemons see of it: which secret each place serves, and until when it served others.
 * A place is a vault's entry; here an entry is named after the credential that it belongs to.
 */
export class Truth {
  readonly time: VirtualTime;
  readonly issuer: SimIssuer;
  readonly vaults: ReadonlyMap<string, MemoryVault>;
  readonly serving = new Map<string, Serving>();
  readonly origins = new Map<string, Origin>();
  readonly deletions = new Map<string, { readonly by: 'daemon' | 'hand'; readonly at: Instant }>();
  /** By secret and place: until when it was served there. */
  readonly #lastServed = new Map<string, Map<string, Instant>>();
  /** By secret and place: since when it was served there, the last time. */
  readonly #lastSince = new Map<string, Instant>();
  /** By place: when it was written the last time, be it with what it held before. */
  readonly #written = new Map<string, Instant>();
  /** By credential: until when the last place served what a person had put there, or taken away. */
  readonly #heldByHand = new Map<string, Instant>();
  readonly #byValue = new Map<string, string>();
  readonly #putRight: PutRight[] = [];

  constructor(time: VirtualTime, issuer: SimIssuer, vaults: ReadonlyMap<string, MemoryVault>) {
    this.time = time;
    this.issuer = issuer;
    this.vaults = vaults;
  }

  /** A secret came into being. */
  appeared(clientId: string, secretId: string, by: 'daemon' | 'hand'): void {
    this.origins.set(`${clientId}/${secretId}`, { clientId, secretId, by, at: this.time.now });
    const value = this.issuer.valueOf(clientId, secretId);
    if (value !== null) this.#byValue.set(value, secretId);
  }

  disappeared(clientId: string, secretId: string, by: 'daemon' | 'hand'): void {
    this.deletions.set(`${clientId}/${secretId}`, { by, at: this.time.now });
  }

  /** A place was written, or emptied. */
  changed(vault: string, entry: string, by: 'daemon' | 'hand'): void {
    const place = `${vault}/${entry}`;
    this.#written.set(place, this.time.now);
    const before = this.serving.get(place);
    const secretId = this.#servedAt(vault, entry);
    if (before?.secretId === secretId) return;
    if (before?.by === 'hand') this.#heldByHand.set(entry, this.time.now);
    if (before !== undefined && before.secretId !== null) {
      this.#note(entry, before.secretId, place);
      this.#lastSince.set(`${entry}/${before.secretId} ${place}`, before.since);
      if (by === 'hand' && before.by === 'hand') {
        const served = { secretId: before.secretId, before: before.before, until: this.time.now };
        this.#putRight.push({ clientId: entry, place, ...served });
      }
    }
    const known = secretId === null ? null : this.lastServedAt(entry, secretId, place);
    this.serving.set(place, { secretId, since: this.time.now, by, before: known });
    if (secretId !== null) this.#note(entry, secretId, place);
  }

  /** A ledger is gone, and with it what only a look could tell: that people rolled something back and put it right. */
  forgetPutRight(): void {
    for (const { clientId, secretId, place, before, until } of this.#putRight.splice(0)) {
      const places = this.#lastServed.get(`${clientId}/${secretId}`);
      if (places?.get(place) !== until) continue;
      if (before === null) places.delete(place);
      else places.set(place, before);
    }
  }

  /** Until when the last place held what a person had put there: every grace starts anew then. Null: never, or none did. */
  heldByHandUntil(clientId: string): Instant | null {
    return this.#heldByHand.get(clientId) ?? null;
  }

  /** When a place was written the last time; null: never. */
  writtenAt(place: string): Instant | null {
    return this.#written.get(place) ?? null;
  }

  /** Until when a place served a secret; null: never. */
  lastServedAt(clientId: string, secretId: string, place: string): Instant | null {
    if (this.serving.get(place)?.secretId === secretId) return this.time.now;
    return this.#lastServed.get(`${clientId}/${secretId}`)?.get(place) ?? null;
  }

  /** Since when a place serves a secret, or served it the last time; null: never. */
  servedSince(clientId: string, secretId: string, place: string): Instant | null {
    const now = this.serving.get(place);
    if (now?.secretId === secretId) return now.since;
    return this.#lastSince.get(`${clientId}/${secretId} ${place}`) ?? null;
  }

  /** Until when any place served a secret; null: never. */
  lastServed(clientId: string, secretId: string): Instant | null {
    const places = [...(this.#lastServed.get(`${clientId}/${secretId}`)?.keys() ?? [])];
    const times = places.map((place) => this.lastServedAt(clientId, secretId, place) ?? 0);
    return times.length === 0 ? null : Math.max(...times);
  }

  /** The places that ever served a secret. */
  placesOf(clientId: string, secretId: string): string[] {
    return [...(this.#lastServed.get(`${clientId}/${secretId}`)?.keys() ?? [])];
  }

  expiryOf(clientId: string, secretId: string): Instant | null {
    const secret = this.issuer.find(clientId, secretId);
    return secret === null ? null : latest(secret.versions).expires;
  }

  /** Since when it ends when it ends: an issuer may cut a life short, upon a PUT too. */
  expirySince(clientId: string, secretId: string): Instant {
    const versions = this.issuer.find(clientId, secretId)?.versions ?? [];
    const { expires } = versions.at(-1) ?? { expires: null };
    const other = versions.findLastIndex((each) => each.expires !== expires);
    return versions[other + 1]?.from ?? 0;
  }

  /** The unexpired secrets of a credential. */
  alive(clientId: string): string[] {
    return [...this.issuer.every(clientId)]
      .map((each) => each.secretId)
      .filter((secretId) => this.issuer.isAlive(clientId, secretId, this.time.now));
  }

  #note(clientId: string, secretId: string, place: string): void {
    const key = `${clientId}/${secretId}`;
    const places = this.#lastServed.get(key) ?? new Map<string, Instant>();
    this.#lastServed.set(key, places.set(place, this.time.now));
  }

  #servedAt(vault: string, entry: string): string | null {
    const payload = this.vaults.get(vault)?.peek(entry)?.payload ?? null;
    if (payload === null) return null;
    const { clientSecret } = JSON.parse(payload.content.reveal()) as { clientSecret?: string };
    return (clientSecret === undefined ? undefined : this.#byValue.get(clientSecret)) ?? null;
  }
}
