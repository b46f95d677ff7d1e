import type { Ledger } from '../ledger/contract.ts';
import type { CredentialRecord } from '../ledger/records.ts';

const PAGE = 1_000;

/** All credentials of the ledger, as `shown` gives them, a page in memory at a time. @throws LedgerError */
export async function* everyRecord(
  ledger: Pick<Ledger, 'credentials'>,
  shown: (record: CredentialRecord) => CredentialRecord = (record) => record,
): AsyncGenerator<CredentialRecord> {
  let cursor: string | null = null;
  do {
    const page: Awaited<ReturnType<Ledger['credentials']>> = await ledger.credentials({}, PAGE, cursor);
    for (const record of page.items) yield shown(record);
    cursor = page.nextCursor;
  } while (cursor !== null);
}
