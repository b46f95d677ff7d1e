import { LedgerError } from '../../domain/errors.ts';
import type { Page } from '../contract.ts';

/** A cursor that is not of the listing it was handed to: the caller's mistake, not the ledger's. */
export class CursorError extends LedgerError {
  constructor() {
    super('the cursor is not one of this listing: take it unchanged from nextCursor, with the same filters');
  }
}

/** The last key of a page, in the order of the listing. */
export type CursorKey = readonly (string | number)[];

/**
 * Writes a cursor: an opaque text of the last key, bound to the listing (its kind and filters), so that one of another
 * listing is noticed.
 */
export function encodeCursor(listing: CursorKey, key: CursorKey): string {
  return Buffer.from(JSON.stringify([...listing, ...key])).toString('base64url');
}

/**
 * Reads a cursor back.
 * @param shape an example of the key: the types of its parts are what is expected.
 * @throws CursorError for anything that {@link encodeCursor} did not write for this listing.
 */
export function decodeCursor<Key extends CursorKey>(cursor: string, listing: CursorKey, shape: Key): Key {
  const bytes = Buffer.from(cursor, 'base64url');
  // Node reads base64url leniently; only the one canonical text is taken.
  if (bytes.toString('base64url') !== cursor) throw new CursorError();
  let parts: unknown;
  try {
    parts = JSON.parse(bytes.toString('utf8'));
  } catch {
    throw new CursorError();
  }
  const expected = [...listing, ...shape];
  if (!Array.isArray(parts) || parts.length !== expected.length) throw new CursorError();
  const values: readonly unknown[] = parts;
  const fits = expected.every((part, at) =>
    at < listing.length ? values[at] === part : typeof values[at] === typeof part,
  );
  if (!fits) throw new CursorError();
  return values.slice(listing.length) as unknown as Key;
}

/** The listing of {@link Ledger.credentials} under a filter. */
export function credentialListing(filter: { readonly issuer?: string; readonly state?: string }): CursorKey {
  return ['credentials', filter.issuer ?? '', filter.state ?? ''];
}

/** The listing of {@link Ledger.rotations} under a filter. */
export function rotationListing(filter: {
  readonly issuer?: string;
  readonly clientId?: string;
  readonly state?: string;
}): CursorKey {
  return ['rotations', filter.issuer ?? '', filter.clientId ?? '', filter.state ?? ''];
}

/**
 * How many rows a page asks for: one more than it shows, to know whether there is a next one.
 * @throws LedgerError for a limit that is not a whole number from 1.
 */
export function rowsToRead(limit: number): number {
  if (!Number.isSafeInteger(limit) || limit < 1) throw new LedgerError(`a page of ${limit} records cannot be read`);
  return limit + 1;
}

/** Makes a page of up to `limit` + 1 rows that were found. */
export function pageOf<Row, Item>(
  found: readonly Row[],
  limit: number,
  read: (row: Row) => Item,
  cursorOf: (last: Row) => string,
): Page<Item> {
  const shown = found.slice(0, limit);
  const last = shown.at(-1);
  return { items: shown.map(read), nextCursor: found.length > limit && last !== undefined ? cursorOf(last) : null };
}
