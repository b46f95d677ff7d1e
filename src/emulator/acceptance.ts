import type { Account, SecretRecord } from './account.ts';
import type { Faults } from './faults.ts';

/** The secret of a client with that value that exists and has not expired; undefined: there is none. */
export function liveSecret(account: Account, clientId: string, sha256: string, now: number): SecretRecord | undefined {
  for (const secret of account.find(clientId)?.secrets.values() ?? []) {
    if (secret.sha256 === sha256 && isUnexpired(secret, now)) return secret;
  }
  return undefined;
}

/** What the token endpoint says of a value: as {@link liveSecret}, seen through slow acceptance and slow forgetting. */
export function isAccepted(account: Account, faults: Faults, clientId: string, sha256: string, now: number): boolean {
  const { acceptAfter, acceptFlap, deletedAcceptedFor } = faults.settings;
  const secret = liveSecret(account, clientId, sha256, now);
  if (secret !== undefined) {
    const age = now - secret.created;
    if (age < acceptAfter) return false;
    return age >= acceptAfter + acceptFlap || faults.random() < 0.5;
  }
  if (deletedAcceptedFor === 0) return false;
  return account.journal.some(
    (gone) =>
      gone.clientId === clientId &&
      gone.sha256 === sha256 &&
      gone.deleted !== null &&
      now - gone.deleted < deletedAcceptedFor &&
      isUnexpired(gone, now),
  );
}

function isUnexpired(secret: SecretRecord, now: number): boolean {
  return secret.expires === null || secret.expires.at > now;
}
