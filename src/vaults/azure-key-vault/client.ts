import { readFile } from 'node:fs/promises';
import { getCACertificates } from 'node:tls';
import type { TokenCredential } from '@azure/identity';
import type { SecretClient, SecretClientOptions } from '@azure/keyvault-secrets';
import { safeMessage } from '../../domain/errors.ts';
import type { VaultContext } from '../contract.ts';
import { optionError } from '../private-files.ts';
import { createCredential, IdentityFailure, plainErrors } from './identity.ts';
import type { AzureKeyVaultOptions } from './options.ts';

/** What tests put in the place of Azure's own; not to be had by configuration. */
export interface ClientOverrides {
  readonly credential?: TokenCredential;
  /** An emulator's address is not within the domain that its challenge names; only a test may overlook that. */
  readonly clientOptions?: Pick<SecretClientOptions, 'disableChallengeResourceVerification' | 'serviceVersion'>;
}

/** Of getting a token: with the waits in between (0.8 s, doubling) under 6 s in all, well below the time-out of a call. */
const TOKEN_RETRIES = 3;

/** The SDK's client, loaded here and not before. @throws ConfigError where the CA file or a setting is missing. */
export async function openClient(
  { url, auth, ca }: AzureKeyVaultOptions,
  context: VaultContext,
  { credential, clientOptions }: ClientOverrides = {},
): Promise<SecretClient> {
  // A redirect would be followed within the origin (S9); the SDK drops the token then, so it leads nowhere anyway.
  const common = {
    redirectOptions: { maxRetries: 0 },
    userAgentOptions: { userAgentPrefix: 'rekeyd' },
    ...(ca === undefined ? {} : { tlsOptions: { ca: await trusted(ca, context.name) } }),
  };
  const given = credential === undefined ? undefined : plainErrors(credential);
  try {
    const identity =
      given ?? (await createCredential(auth, { ...common, retryOptions: { maxRetries: TOKEN_RETRIES } }));
    const { SecretClient } = await import('@azure/keyvault-secrets');
    // Whoever asks for a delivery knows when to try again; a retry here would only make the call outlast its time.
    return new SecretClient(url, identity, { ...common, retryOptions: { maxRetries: 0 }, ...clientOptions });
  } catch (error) {
    if (!(error instanceof IdentityFailure)) throw error;
    throw optionError(
      { vault: context.name, option: 'auth' },
      `method ${auth.method} lacks a setting (${error.detail})`,
    );
  }
}

/** All that Node trusts by default (`NODE_EXTRA_CA_CERTS` included), and the certificates of a file. */
async function trusted(ca: string, vault: string): Promise<string[]> {
  let text: string;
  try {
    text = await readFile(ca, 'utf8');
  } catch (error) {
    throw optionError({ vault, option: 'ca' }, `cannot read '${ca}': ${safeMessage(error)}`);
  }
  if (!text.includes('-----BEGIN CERTIFICATE-----')) {
    throw optionError({ vault, option: 'ca' }, `'${ca}' holds no certificate in PEM`);
  }
  return [...getCACertificates('default'), text];
}
