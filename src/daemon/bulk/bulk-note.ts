import type { Duration, Instant } from '../../domain/time.ts';
import type { Ledger } from '../../ledger/contract.ts';
import type { CredentialKey } from '../../ledger/records.ts';
import type { BulkCounts, BulkUnwell } from './bulk-api.ts';

/** A bulk, as the ledger keeps it. How far it is, the credentials' records tell (`CredentialRecord.bulk`). */
export interface BulkRecord {
  readonly id: string;
  /** What confirmed it: asked again with the same, it is this one. */
  readonly digest: string;
  readonly match: string;
  readonly grace: Duration | null;
  readonly note: string | null;
  readonly force: boolean;
  readonly actor: string;
  readonly from: string;
  readonly startedAt: Instant;
  readonly total: number;
  /** Null while it runs. */
  readonly end: BulkEnd | null;
}

export interface BulkEnd {
  readonly at: Instant;
  /** Who cancelled it; null: it came to its end. */
  readonly cancelledBy: string | null;
  readonly counts: BulkCounts;
  readonly unwell: readonly BulkUnwell[];
}

const KEY = 'bulk';
const LIST_KEY = 'bulk-list';
/** Of the bulks, newest first. */
const KEPT = 10;

/** The remembered bulks, newest first; only the first may run. @throws LedgerError */
export async function readBulks(ledger: Ledger): Promise<readonly BulkRecord[]> {
  return ((await ledger.note(KEY))?.value as readonly BulkRecord[] | undefined) ?? [];
}

/**
 * Changes them by compare-and-set, and tries again where somebody else did at the same time.
 * @param change null: nothing is to be changed after all. It may throw.
 * @returns what is stored now. @throws LedgerError
 */
export async function changeBulks(
  ledger: Ledger,
  change: (bulks: readonly BulkRecord[]) => readonly BulkRecord[] | null,
): Promise<readonly BulkRecord[]> {
  for (;;) {
    const stored = await ledger.note(KEY);
    const present = (stored?.value as readonly BulkRecord[] | undefined) ?? [];
    const next = change(present)?.slice(0, KEPT);
    if (next === undefined) return present;
    if (await ledger.putNote(KEY, { version: stored?.version ?? 0, value: next })) return next;
  }
}

/**
 * The credentials of the bulk that runs, in the order of need; null: they were never stored, because the process ended
 * between the two. They lie beside the bulk, so that looking how it goes does not read them. @throws LedgerError
 */
export async function readList(ledger: Ledger, id: string): Promise<readonly CredentialKey[] | null> {
  const list = (await ledger.note(LIST_KEY))?.value as { id: string; keys: [string, string][] } | undefined;
  if (list?.id !== id) return null;
  return list.keys.map(([issuer, clientId]) => ({ issuer, clientId }));
}

/** Stores them in the place of those of the bulk before. @throws LedgerError */
export async function writeList(ledger: Ledger, id: string, keys: readonly CredentialKey[]): Promise<void> {
  const value = { id, keys: keys.map(({ issuer, clientId }) => [issuer, clientId]) };
  for (;;) {
    const stored = await ledger.note(LIST_KEY);
    if (await ledger.putNote(LIST_KEY, { version: stored?.version ?? 0, value })) return;
  }
}
