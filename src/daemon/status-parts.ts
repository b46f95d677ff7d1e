import { CREDENTIAL_STATES } from '../domain/credential-state.ts';
import type { CredentialState } from '../domain/credential-state.ts';
import { formatInstant, formatInstantOrNull } from '../domain/time.ts';
import type { StatusView } from './api.ts';
import type { ScanReport } from './scan.ts';

/** Credentials by state, all issuers together, zeros included. */
export function countsOf(
  counts: readonly { readonly state: CredentialState; readonly count: number }[],
): StatusView['credentials'] {
  const all = Object.fromEntries(CREDENTIAL_STATES.map((state) => [state, 0])) as Record<CredentialState, number>;
  for (const { state, count } of counts) all[state] += count;
  return all;
}

/** A scan, as the status shows the last one. */
export function scanView({ scanId, startedAt, finishedAt, looked, errors }: ScanReport): StatusView['lastScan'] {
  return {
    scanId,
    startedAt: formatInstant(startedAt),
    finishedAt: formatInstantOrNull(finishedAt),
    looked,
    error: errors[0] ?? null,
  };
}
