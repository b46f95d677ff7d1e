import type { Page } from '../ledger/contract.ts';
import type { CredentialRecord } from '../ledger/records.ts';
import type { OnceResult } from './api.ts';
import type { Engine } from './engine.ts';
import { isMeant } from './scan.ts';

/**
 * Who is failing or blocked at a configured issuer, of those that `only` (a glob on ISSUER/CLIENT, clientId or name) means.
 * @throws LedgerError, Refusal
 */
export async function unwellOf(engine: Engine, only: string | null): Promise<OnceResult['unwell']> {
  const { ledger, issuers } = engine.world;
  const unwell: OnceResult['unwell'][number][] = [];
  for (const state of ['failing', 'blocked'] as const) {
    for (let cursor: string | null = null, more = true; more; more = cursor !== null) {
      const page: Page<CredentialRecord> = await ledger.credentials({ state }, 1000, cursor);
      for (const { issuer, clientId, description, reason } of page.items) {
        const listed = { clientId, description };
        if (issuers.has(issuer) && isMeant(engine, { key: { issuer, clientId }, listed }, only))
          unwell.push({ issuer, clientId, state, reason });
      }
      cursor = page.nextCursor;
    }
  }
  return unwell;
}
