import { LedgerError } from '../domain/errors.ts';
import { HttpProblem } from './problem.ts';

/**
 * Fetches a page. A ledger throws the same error for a cursor that is not its own as for a store that it cannot read, so
 * where a cursor was given, one record without it tells the two apart.
 * @param fetch asked with size null for the size that the caller wants.
 * @throws HttpProblem `invalid` for a bad cursor; what the ledger throws for all else.
 */
export async function listed<T>(
  cursor: string | null,
  fetch: (size: number | null, cursor: string | null) => Promise<T>,
): Promise<T> {
  try {
    return await fetch(null, cursor);
  } catch (error) {
    if (cursor === null || !(error instanceof LedgerError)) throw error;
    await fetch(1, null);
    throw new HttpProblem('invalid', 'See `errors` for each place that is not valid.', {
      errors: [{ in: 'query', key: 'cursor', message: 'is not one that this listing gave out' }],
    });
  }
}
