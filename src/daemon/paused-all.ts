import type { CredentialState } from '../domain/credential-state.ts';
import type { Ticker } from '../domain/ports.ts';
import type { CredentialFilter, Ledger, Page } from '../ledger/contract.ts';
import type { CredentialRecord } from '../ledger/records.ts';
import type { World } from '../rotation/world.ts';
import type { CredentialView } from './api.ts';
import { isRuled } from './ruled.ts';

/**
 * While everything is paused, what is managed is paused, whatever the ledger says of its last look: a pause takes hold at
 * once, and looks come as they are due.
 */

/** The state that a credential has while everything is paused. Without a rule it may be failing: our own client, see plan.ts. */
function stateInPause(record: Pick<CredentialRecord, 'state' | 'terms'>): CredentialState {
  return record.state === 'ignored' || !isRuled(record) ? record.state : 'paused';
}

/** @param view of `record` */
export function viewInPause(view: CredentialView, record: CredentialRecord): CredentialView {
  const state = stateInPause(record);
  return state === view.state ? view : { ...view, state, reason: 'paused' };
}

export type StateCount = Awaited<ReturnType<Ledger['countsByState']>>[number];

/** The counts by state while everything is paused. @throws LedgerError */
export async function countsInPause({ ledger, issuers }: Pick<World, 'ledger' | 'issuers'>): Promise<StateCount[]> {
  const counts = (await ledger.countsByState()).map((each) => ({
    ...each,
    state: stateInPause({ state: each.state, terms: '' }),
  }));
  for (const [issuer, { ownClientId }] of issuers) {
    const own = ownClientId === undefined ? null : await ledger.credential({ issuer, clientId: ownClientId });
    if (own?.state !== 'failing' || isRuled(own)) continue;
    counts.push({ issuer, state: 'failing', count: 1 }, { issuer, state: 'paused', count: -1 });
  }
  return counts;
}

/** Marks the cursors of a listing that was begun in a pause: it goes on as it began, whatever the pause does meanwhile. */
const IN_PAUSE = 'p.';

/**
 * A page by state, `isPaused`: everything is at this moment. A page may hold fewer than `limit` where others follow, but
 * never none. @throws LedgerError
 */
export async function credentialsByState(
  { ledger, ticker }: { readonly ledger: Pick<Ledger, 'credentials'>; readonly ticker: Pick<Ticker, 'sleep'> },
  filter: CredentialFilter,
  limit: number,
  cursor: string | null,
  isPaused: boolean,
): Promise<Page<CredentialRecord>> {
  const { state, ...others } = filter;
  const begunInPause = cursor === null ? isPaused : cursor.startsWith(IN_PAUSE);
  if (state === undefined || !begunInPause) return ledger.credentials(filter, limit, cursor);
  let from = cursor === null ? null : cursor.slice(IN_PAUSE.length);
  for (;;) {
    const { items, nextCursor } = await ledger.credentials(others, limit, from);
    const found = items.filter((each) => stateInPause(each) === state);
    if (nextCursor === null) return { items: found, nextCursor };
    if (found.length > 0) return { items: found, nextCursor: IN_PAUSE + nextCursor };
    from = nextCursor;
    // an embedded ledger answers without a turn of the event loop
    await ticker.sleep(0);
  }
}
