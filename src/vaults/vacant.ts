import { safeMessage, VaultError } from '../domain/errors.ts';
import type { RightReport } from '../domain/rights.ts';
import type { EntryContent, EntryDescription, Vault, VaultCapabilities, VaultContext } from './contract.ts';

/**
 * Stands for a vault on this machine that is not there yet, for what changes nothing (`plan`, mode `observe`): every entry
 * is absent until somebody else has made the vault, and it refuses to write.
 * @param find opens it to look; null: it is still not there.
 */
export function vacantVault(
  type: string,
  identity: string,
  capabilities: VaultCapabilities,
  { name, readBack }: Pick<VaultContext, 'name' | 'readBack'>,
  find: () => Promise<Vault | null>,
): Vault {
  let found: Vault | null = null;
  const look = async (): Promise<Vault | null> => {
    try {
      return (found ??= await find());
    } catch (error) {
      const why = `it cannot be opened: ${safeMessage(error)}`;
      throw new VaultError('unavailable', `Vault '${name}': ${why}.`, { vault: name });
    }
  };
  const refuse = () => {
    const message = `Vault '${name}': it was opened to look only, and was not there yet.`;
    return Promise.reject(new VaultError('rejected', message, { vault: name }));
  };
  const absent: EntryDescription & EntryContent = { state: 'absent' };
  const report: RightReport = { right: 'reached', status: 'unknown', hint: 'it is made when the daemon starts' };
  return {
    name,
    type,
    identity,
    capabilities,
    readBack,
    describe: async (ref, options, signal) => (await look())?.describe(ref, options, signal) ?? absent,
    read: async (ref, signal) => (await look())?.read(ref, signal) ?? absent,
    deliver: refuse,
    restoreMark: refuse,
    rights: () => Promise.resolve([report]),
    close: () => Promise.resolve(found?.close()),
  };
}
