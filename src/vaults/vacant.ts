import { VaultError } from '../domain/errors.ts';
import type { RightReport } from '../domain/rights.ts';
import type { EntryContent, EntryDescription, Vault, VaultCapabilities, VaultContext } from './contract.ts';

/**
 * Stands for a vault on this machine that is not there yet, for commands that change nothing (`plan`): every entry is
 * absent, and it refuses to write.
 */
export function vacantVault(
  type: string,
  identity: string,
  capabilities: VaultCapabilities,
  { name, readBack }: Pick<VaultContext, 'name' | 'readBack'>,
): Vault {
  const refuse = () => {
    const message = `Vault '${name}': it was opened to look only, and is not there yet.`;
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
    describe: () => Promise.resolve(absent),
    read: () => Promise.resolve(absent),
    deliver: refuse,
    restoreMark: refuse,
    rights: () => Promise.resolve([report]),
    close: () => Promise.resolve(),
  };
}
