import type { SQLOutputValue } from 'node:sqlite';
import type { CredentialHeader } from '../contract.ts';
import type { StoredCredential, StoredRotation } from '../store/stored.ts';

/** In the order of the parameters of `INSERT_CREDENTIAL` and `UPDATE_CREDENTIAL`. */
export function credentialValues(kept: StoredCredential) {
  return [
    kept.version,
    kept.state,
    kept.dueAt,
    kept.resyncAt,
    kept.expires,
    kept.description,
    kept.terms,
    JSON.stringify(kept.names),
    kept.document,
    kept.issuer,
    kept.clientId,
  ] as const;
}

/** In the order of the parameters that `INSERT_ROTATION` and `UPDATE_ROTATION` have in common. */
export function rotationValues(kept: StoredRotation) {
  return [kept.version, kept.state, kept.finishedAt, kept.watchUntil, kept.secretId, kept.document, kept.id] as const;
}

/** In the order of the columns of `HEADERS` and `HEADERS_AFTER`. */
export function readHeader(row: readonly SQLOutputValue[]): CredentialHeader {
  const [clientId, description, terms, state, dueAt, resyncAt, expires] = row;
  return { clientId, description, terms, state, dueAt, resyncAt, expires } as CredentialHeader;
}
