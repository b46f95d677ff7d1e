import type { Ledger } from '../ledger/contract.ts';
import type { CredentialRecord } from '../ledger/records.ts';

const PAGE = 1_000;

/** All credentials of the ledger, a page in memory at a time. @throws LedgerError */
export async function* everyRecord(ledger: Pick<Ledger, 'credentials'>): AsyncGenerator<CredentialRecord> {
  let cursor: string | null = null;
  do {
    const page: Awaited<ReturnType<Ledger['credentials']>> = await ledger.credentials({}, PAGE, cursor);
    yield* page.items;
    cursor = page.nextCursor;
  } while (cursor !== null);
}
