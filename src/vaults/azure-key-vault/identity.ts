import type { AccessToken, GetTokenOptions, TokenCredential, TokenCredentialOptions } from '@azure/identity';
import type { AzureAuth } from './options.ts';

/** Refused by Microsoft Entra ID, asked to wait by it, or nobody to ask. */
export type IdentityFault = 'denied' | 'throttled' | 'unavailable';

/** No token was to be had. Made anew from what the identity library threw: that may quote whole answers. */
export class IdentityFailure extends Error {
  override readonly name = 'IdentityFailure';
  readonly fault: IdentityFault;
  /** Words of ours, and Entra's own code (`AADSTS7000215`) where there is one. */
  readonly detail: string;

  constructor(fault: IdentityFault, detail: string) {
    super(detail);
    this.fault = fault;
    this.detail = detail;
  }
}

/** A credential of the configured kind. Loads the identity library. @throws IdentityFailure where it lacks a setting. */
export async function createCredential(auth: AzureAuth, options: TokenCredentialOptions): Promise<TokenCredential> {
  const identity = await import('@azure/identity');
  try {
    switch (auth.method) {
      case 'default':
        return plainErrors(new identity.DefaultAzureCredential(options));
      case 'workload-identity': {
        const { tenantId, clientId, tokenFile } = auth;
        return plainErrors(
          new identity.WorkloadIdentityCredential({
            ...options,
            ...(tenantId === undefined ? {} : { tenantId }),
            ...(clientId === undefined ? {} : { clientId }),
            ...(tokenFile === undefined ? {} : { tokenFilePath: tokenFile }),
          }),
        );
      }
      case 'managed-identity': {
        const clientId = auth.clientId === undefined ? {} : { clientId: auth.clientId };
        return plainErrors(new identity.ManagedIdentityCredential({ ...options, ...clientId }));
      }
      case 'client-secret':
        return plainErrors(
          new identity.ClientSecretCredential(auth.tenantId, auth.clientId, auth.clientSecret.reveal(), options),
        );
    }
  } catch (error) {
    throw toFailure(error);
  }
}

/** The same credential, which throws nothing but {@link IdentityFailure}. */
export function plainErrors(credential: TokenCredential): TokenCredential {
  return {
    async getToken(scopes: string | string[], options?: GetTokenOptions): Promise<AccessToken | null> {
      try {
        return await credential.getToken(scopes, options);
      } catch (error) {
        throw toFailure(error);
      }
    },
  };
}

/**
 * Reads of an error only its class, an HTTP status and Entra's own code. A code or a status of refusal is Entra's answer;
 * whatever else there is (no identity found, no network) may be otherwise at the next try.
 */
function toFailure(error: unknown): IdentityFailure {
  const found = within(error);
  const codes = new Set(found.flatMap((one) => one.message.match(/AADSTS\d{4,9}/g) ?? []));
  const statuses = found.flatMap((one) =>
    'statusCode' in one && typeof one.statusCode === 'number' ? [one.statusCode] : [],
  );
  const name = /^[A-Za-z]{1,60}$/.exec(found[0]?.name ?? '')?.[0] ?? 'failed';
  const detail = codes.size === 0 ? name : `${name}, ${[...codes].join(', ')}`;
  if (statuses.includes(429)) return new IdentityFailure('throttled', detail);
  const refused = codes.size > 0 || statuses.some((status) => [400, 401, 403].includes(status));
  return new IdentityFailure(refused ? 'denied' : 'unavailable', detail);
}

/** An error with those that it was made of: a chain of credentials throws one for all that it tried. */
function within(error: unknown): Error[] {
  if (!(error instanceof Error)) return [];
  const parts: unknown = 'errors' in error ? error.errors : [];
  return [error, ...(Array.isArray(parts) ? parts.filter((part) => part instanceof Error) : [])];
}
