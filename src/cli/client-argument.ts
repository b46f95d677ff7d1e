import type { CredentialView } from '../daemon/api.ts';
import type { Page } from '../ledger/contract.ts';
import { AnswerError } from './daemon-client.ts';
import type { DaemonClient } from './daemon-client.ts';
import { UsageError, WorkError } from './exit.ts';

/** One credential as a command line may name it. */
export interface NamedCredential {
  readonly issuer: string;
  readonly clientId: string;
  readonly name: string;
}

/** What `ISSUER/CLIENT` may mean: with a slash, the part before it may be an issuer or the start of a name. */
export function readings(text: string): readonly { readonly issuer: string | null; readonly client: string }[] {
  const slash = text.indexOf('/');
  const whole = { issuer: null, client: text };
  if (slash <= 0 || slash === text.length - 1) return [whole];
  return [{ issuer: text.slice(0, slash), client: text.slice(slash + 1) }, whole];
}

/**
 * Picks the credential that `text` names: by clientId before by name, with the issuer before without.
 * @returns null where none is named so. @throws UsageError where several are.
 */
export function pick<T extends NamedCredential>(text: string, all: readonly T[]): T | null {
  for (const { issuer, client } of readings(text)) {
    const there = all.filter((one) => issuer === null || one.issuer === issuer);
    for (const key of ['clientId', 'name'] as const) {
      const found = there.filter((one) => one[key] === client);
      if (found.length > 1) {
        const names = found.slice(0, 5).map((one) => `${one.issuer}/${one.clientId}`);
        throw new UsageError(`'${text}' is ambiguous, it may be ${names.join(', ')}${found.length > 5 ? ', ...' : ''}`);
      }
      if (found[0] !== undefined) return found[0];
    }
  }
  return null;
}

/** Finds the credential in a running daemon. @throws UsageError where ambiguous, WorkError where there is none. */
export async function findCredential(daemon: DaemonClient, text: string): Promise<CredentialView> {
  for (const { issuer, client } of readings(text)) {
    if (issuer === null) continue;
    // The common case, without listing anything.
    const direct = await daemon.get<CredentialView>(credentialPath({ issuer, clientId: client })).catch(absent);
    if (direct !== null) return direct;
  }
  const found = pick(text, await allCredentials(daemon, {}));
  if (found === null) throw new WorkError(`the daemon knows no credential '${text}'; 'rekeyd status' lists them`);
  return found;
}

/** Every credential that the daemon lists. */
export async function allCredentials(
  daemon: DaemonClient,
  filter: Readonly<Record<string, string>>,
): Promise<CredentialView[]> {
  const all: CredentialView[] = [];
  let cursor: string | null = null;
  do {
    const query = new URLSearchParams({ ...filter, limit: '200', ...(cursor === null ? {} : { cursor }) });
    const page: Page<CredentialView> = await daemon.get(`/v1/credentials?${query.toString()}`);
    all.push(...page.items);
    cursor = page.nextCursor;
  } while (cursor !== null);
  return all;
}

export function credentialPath(key: { readonly issuer: string; readonly clientId: string }): string {
  return `/v1/credentials/${encodeURIComponent(key.issuer)}/${encodeURIComponent(key.clientId)}`;
}

function absent(error: unknown): null {
  if (error instanceof AnswerError && (error.status === 404 || error.status === 400)) return null;
  throw error;
}
