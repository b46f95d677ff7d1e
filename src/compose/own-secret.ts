import type { Settings } from '../config/settings.ts';
import { VaultError } from '../domain/errors.ts';
import { readField } from '../domain/payload-reading.ts';
import type { IssuerContext, SecretReference } from '../issuers/contract.ts';
import type { Vault, VaultType } from '../vaults/contract.ts';

/**
 * How an issuer reads the secret of its own client in a vault: the vault is opened for it, and closed again. That happens at
 * start, where the issuer refuses the secret, and before a secret of that client is deleted.
 */
export function ownSecretReader(
  settings: Settings,
  open: (vault: string) => Promise<{ vault: Vault; type: VaultType }>,
): NonNullable<IssuerContext['readSecret']> {
  return async (reference, signal) => {
    const { vault, type } = await open(reference.vault);
    try {
      const options = settings.vaults.get(reference.vault)?.options;
      const content = await vault.read({ entry: type.entryOf(reference.entry, {}, options), options: {} }, signal);
      if (content.state === 'absent') throw problem(reference, 'unavailable', 'there is no such entry');
      if (content.payload === null) throw problem(reference, 'malformed', 'it holds no value');
      const value = readField(reference.field, content.payload);
      if (value === null) throw problem(reference, 'malformed', `it has no text in field '${reference.field}'`);
      return value;
    } finally {
      await vault.close();
    }
  };
}

function problem({ vault, entry }: SecretReference, fault: 'unavailable' | 'malformed', why: string): VaultError {
  return new VaultError(fault, `Vault '${vault}', entry '${entry}': ${why}.`, { vault, entry });
}
