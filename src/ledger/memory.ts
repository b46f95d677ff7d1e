/* eslint-disable @typescript-eslint/require-await -- `async` turns what a synchronous body throws into a rejection */
import { z } from 'zod';
import { isInFlight } from '../domain/rotation-state.ts';
import { LedgerError } from '../domain/errors.ts';
import type { CredentialState } from '../domain/credential-state.ts';
import type { Instant } from '../domain/time.ts';
import type {
  Changes,
  CredentialFilter,
  CredentialHeader,
  Ledger,
  LedgerType,
  Note,
  Page,
  RotationFilter,
} from './contract.ts';
import type { CredentialKey, CredentialRecord, RotationRecord } from './records.ts';
import type { MemoryFaults } from './memory/faults.ts';
import { credentialId, MemoryRecords } from './memory/records.ts';
import type { MemorySnapshot } from './memory/snapshot.ts';
import { credentialListing, decodeCursor, encodeCursor, pageOf, rotationListing, rowsToRead } from './store/cursor.ts';
import { compareKeys, compareNewestFirst, compareText } from './store/order.ts';
import {
  isNamed,
  isOutdated,
  isRelevant,
  storedCredential,
  storedRotation,
  toDocument,
  wellFormed,
} from './store/stored.ts';
import type { StoredCredential, StoredRotation } from './store/stored.ts';
import { followOn } from './store/versions.ts';

/**
 * A ledger that is gone with its process: the reference that the others are held to, and what tests run on. Records are
 * kept as JSON, so nothing that goes in or comes out is shared with a caller.
 */
export class MemoryLedger implements Ledger {
  readonly type = 'memory';
  readonly setAside = null;
  /** Set by tests. */
  readonly faults: MemoryFaults = {};
  readonly #records = new MemoryRecords();
  readonly #notes = new Map<string, { readonly version: number; readonly document: string }>();

  /** A ledger with the contents that {@link snapshot} saw. */
  static from(snapshot: MemorySnapshot): MemoryLedger {
    const ledger = new MemoryLedger();
    for (const credential of snapshot.credentials) ledger.#records.keepCredential(credential);
    for (const rotation of snapshot.rotations) ledger.#records.keepRotation(rotation);
    for (const [key, version, document] of snapshot.notes) ledger.#notes.set(key, { version, document });
    return ledger;
  }

  /** What the ledger holds now. It does not change with the ledger. */
  snapshot(): MemorySnapshot {
    return {
      credentials: [...this.#records.credentials()],
      rotations: [...this.#records.rotations()],
      notes: [...this.#notes].map(([key, note]) => [key, note.version, note.document] as const),
    };
  }

  /** The next commit fails and stores nothing: for tests. */
  failNextCommit(error: Error = new LedgerError('the ledger could not store a record (injected by a test)')): void {
    this.faults.beforeCommit = () => {
      delete this.faults.beforeCommit;
      throw error;
    };
  }

  async credential(key: CredentialKey): Promise<CredentialRecord | null> {
    const stored = this.#records.credential(credentialId(key));
    return stored === undefined ? null : readCredential(stored);
  }

  async *headers(issuer: string): AsyncGenerator<CredentialHeader, void, void> {
    for (const stored of this.#records.credentialsInOrder()) {
      if (stored.issuer !== issuer) continue;
      const { clientId, description, terms, state, dueAt, resyncAt, expires } = stored;
      yield { clientId, description, terms, state, dueAt, resyncAt, expires };
    }
  }

  async credentials(filter: CredentialFilter, limit: number, cursor: string | null): Promise<Page<CredentialRecord>> {
    const rows = rowsToRead(limit);
    const listing = credentialListing(filter);
    const after = cursor === null ? null : decodeCursor(cursor, listing, ['', ''] as const);
    const found: StoredCredential[] = [];
    for (const stored of this.#records.credentialsInOrder()) {
      if (filter.issuer !== undefined && stored.issuer !== filter.issuer) continue;
      if (filter.state !== undefined && stored.state !== filter.state) continue;
      if (after !== null && compareKeys(stored, { issuer: after[0], clientId: after[1] }) <= 0) continue;
      if (found.push(stored) === rows) break;
    }
    return pageOf(found, limit, readCredential, (last) => encodeCursor(listing, [last.issuer, last.clientId]));
  }

  async countsByState(): Promise<readonly { issuer: string; state: CredentialState; count: number }[]> {
    const counts = new Map<string, { issuer: string; state: CredentialState; count: number }>();
    for (const { issuer, state } of this.#records.credentialsInOrder()) {
      const key = JSON.stringify([issuer, state]);
      const entry = counts.get(key);
      if (entry === undefined) counts.set(key, { issuer, state, count: 1 });
      else entry.count += 1;
    }
    return [...counts.values()].sort((a, b) => compareText(a.issuer, b.issuer) || compareText(a.state, b.state));
  }

  async rotation(id: string): Promise<RotationRecord | null> {
    const stored = this.#records.rotation(id);
    return stored === undefined ? null : readRotation(stored);
  }

  async rotations(filter: RotationFilter, limit: number, cursor: string | null): Promise<Page<RotationRecord>> {
    const rows = rowsToRead(limit);
    const listing = rotationListing(filter);
    const after = cursor === null ? null : decodeCursor(cursor, listing, [0, ''] as const);
    const found: StoredRotation[] = [];
    for (const stored of this.#records.rotationsInOrder()) {
      if (filter.issuer !== undefined && stored.issuer !== filter.issuer) continue;
      if (filter.clientId !== undefined && stored.clientId !== filter.clientId) continue;
      if (filter.state !== undefined && stored.state !== filter.state) continue;
      if (after !== null && compareNewestFirst(stored, { startedAt: after[0], id: after[1] }) <= 0) continue;
      if (found.push(stored) === rows) break;
    }
    return pageOf(found, limit, readRotation, (last) => encodeCursor(listing, [last.startedAt, last.id]));
  }

  async relevantRotations(key: CredentialKey, since: Instant): Promise<readonly RotationRecord[]> {
    const names = this.#records.credential(credentialId(key))?.names ?? [];
    return this.#records
      .rotationsOf(key)
      .filter((rotation) => isRelevant(rotation, since, names))
      .sort(compareNewestFirst)
      .map(readRotation);
  }

  async inFlight(): Promise<readonly CredentialKey[]> {
    const keys = new Map<string, CredentialKey>();
    for (const { issuer, clientId, state } of this.#records.rotations()) {
      if (isInFlight(state)) keys.set(credentialId({ issuer, clientId }), { issuer, clientId });
    }
    return [...keys.values()].sort(compareKeys);
  }

  async startedSince(since: Instant): Promise<number> {
    return [...this.#records.rotations()].filter((rotation) => rotation.startedAt >= since).length;
  }

  async commit(changes: Changes): Promise<boolean> {
    this.faults.beforeCommit?.(changes);
    const credentials = (changes.credentials ?? []).map(storedCredential);
    const rotations = (changes.rotations ?? []).map(storedRotation);
    const matches =
      followOn(credentials, credentialId, (id) => this.#records.credential(id)?.version ?? 0) &&
      followOn(
        rotations,
        (rotation) => rotation.id,
        (id) => this.#records.rotation(id)?.version ?? 0,
      );
    if (!matches) return false;
    for (const credential of credentials) this.#records.keepCredential(credential);
    for (const rotation of rotations) this.#records.keepRotation(rotation);
    this.faults.afterCommit?.(changes);
    return true;
  }

  async note(key: string): Promise<Note | null> {
    const note = this.#notes.get(key);
    return note === undefined ? null : { version: note.version, value: JSON.parse(note.document) };
  }

  async putNote(key: string, note: Note): Promise<boolean> {
    this.faults.beforeNote?.(key);
    if (note.version !== (this.#notes.get(wellFormed(key))?.version ?? 0)) return false;
    this.#notes.set(key, { version: note.version + 1, document: toDocument(note.value) });
    return true;
  }

  async prune(before: Instant): Promise<number> {
    const outdated = [...this.#records.rotations()].filter(
      (rotation) =>
        isOutdated(rotation, before) &&
        !isNamed(this.#records.credential(credentialId(rotation))?.names ?? [], rotation),
    );
    this.#records.dropRotations(outdated);
    return outdated.length;
  }

  async check(): Promise<void> {
    this.faults.beforeCheck?.();
  }

  async close(): Promise<void> {
    // Nothing is open. What was kept stays readable, so that a test can look at it afterwards.
  }
}

/** Type `memory`: for tests and trials. It is lost with the process, which rekeyd survives as it survives any lost ledger. */
export const memoryLedgerType = {
  type: 'memory',
  schema: z.strictObject({}),
  paths: [],
  open: async () => new MemoryLedger(),
} as const satisfies LedgerType<z.ZodObject>;

function readCredential(stored: StoredCredential): CredentialRecord {
  return JSON.parse(stored.document) as CredentialRecord;
}

function readRotation(stored: StoredRotation): RotationRecord {
  return JSON.parse(stored.document) as RotationRecord;
}
