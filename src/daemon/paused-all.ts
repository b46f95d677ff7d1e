import type { CredentialState } from '../domain/credential-state.ts';
import type { CredentialFilter, Ledger, Page } from '../ledger/contract.ts';
import type { CredentialRecord } from '../ledger/records.ts';
import type { CredentialView } from './api.ts';

/**
 * While everything is paused, what is managed is paused, whatever the ledger says of its last look: a pause takes hold at
 * once, and looks come as they are due.
 */

/** The state that a credential has while everything is paused. */
function stateInPause(state: CredentialState): CredentialState {
  return state === 'ignored' || state === 'unmanaged' ? state : 'paused';
}

export function viewInPause(view: CredentialView): CredentialView {
  const state = stateInPause(view.state);
  return state === view.state ? view : { ...view, state, reason: 'paused' };
}

export function countsInPause<Count extends { readonly state: CredentialState; readonly count: number }>(
  counts: readonly Count[],
): Count[] {
  return counts.map((each) => ({ ...each, state: stateInPause(each.state) }));
}

/**
 * Those whose state is that of the filter while everything is paused. A page may hold fewer than `limit` where others follow,
 * but never none. @throws LedgerError
 */
export async function credentialsInPause(
  ledger: Pick<Ledger, 'credentials'>,
  filter: CredentialFilter,
  limit: number,
  cursor: string | null,
): Promise<Page<CredentialRecord>> {
  const { state, ...others } = filter;
  if (state === undefined || stateInPause(state) !== 'paused') return ledger.credentials(filter, limit, cursor);
  if (state !== 'paused') return { items: [], nextCursor: null };
  let from = cursor;
  for (;;) {
    const { items, nextCursor } = await ledger.credentials(others, limit, from);
    const paused = items.filter((each) => stateInPause(each.state) === 'paused');
    if (paused.length > 0 || nextCursor === null) return { items: paused, nextCursor };
    from = nextCursor;
  }
}
