import { liveSecret } from './acceptance.ts';
import { generateValue, sha256 } from './account.ts';
import type { Account, CredentialRecord } from './account.ts';

/** The client that may use the API. */
export interface BootstrapClient {
  readonly clientId: string;
  /** Null: an earlier run made it, and only its hash was kept. */
  readonly clientSecret: string | null;
}

/** The bootstrap client and seeded secrets have stood for so long: switches for fresh secrets do not touch them. */
export const STANDING_AGE = 24 * 60 * 60 * 1000;

/**
 * Sees to it that there is a client that may use the API: the one named, else the one that an earlier run made, else a
 * new one. A secret is made where one is given that is not there yet, or where the client has none that lives.
 */
export function bootstrap(
  account: Account,
  now: number,
  given: { readonly clientId: string | null; readonly clientSecret: string | null },
): BootstrapClient {
  const credential = bootstrapCredential(account, given.clientId);
  const { clientId } = credential;
  if (given.clientSecret === null) {
    if (hasLiveSecret(credential, now)) return { clientId, clientSecret: null };
  } else if (liveSecret(account, clientId, sha256(given.clientSecret), now) !== undefined) {
    return { clientId, clientSecret: given.clientSecret };
  }
  const { value } = account.createSecret(
    clientId,
    { description: 'Bootstrap' },
    { value: given.clientSecret ?? generateValue(), created: now - STANDING_AGE },
  );
  return { clientId, clientSecret: value };
}

function bootstrapCredential(account: Account, clientId: string | null): CredentialRecord {
  const existing =
    clientId === null
      ? Array.from(account.credentials()).find(({ administrator }) => administrator)
      : account.find(clientId);
  if (existing === undefined) {
    return account.createCredential('Bootstrap client of the emulator', { clientId, administrator: true });
  }
  existing.administrator = true;
  return existing;
}

function hasLiveSecret(credential: CredentialRecord, now: number): boolean {
  return Array.from(credential.secrets.values()).some(({ expires }) => expires === null || expires.at > now);
}
