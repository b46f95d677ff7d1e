import { isSame } from '../config/changes.ts';
import type { Settings } from '../config/settings.ts';
import type { Issuer } from '../issuers/contract.ts';
import type { Log } from '../telemetry/log.ts';
import type { Vault } from '../vaults/contract.ts';
import { openIssuer, openVault } from './backends.ts';
import type { Surroundings } from './backends.ts';
import { Releasers } from './releasers.ts';

/** Vaults and issuers that are open, by their names in `settings`. */
export interface Opened {
  readonly settings: Settings;
  readonly vaults: ReadonlyMap<string, Vault>;
  readonly issuers: ReadonlyMap<string, Issuer>;
}

/**
 * Opens the vaults and issuers that the settings name, vaults in mode `observe` to look only. One that `before` has, under
 * the same name, with the same section and for the same use, is taken over as it is. What was opened is closed again where
 * another one fails.
 * @throws VaultError, ConfigError.
 */
export async function openBackends(
  settings: Settings,
  around: Surroundings,
  { readOnly, before = null }: { readonly readOnly: boolean; readonly before?: Opened | null },
): Promise<Opened> {
  const vaults = new Map<string, Vault>();
  const issuers = new Map<string, Issuer>();
  const opened: Opened = { settings, vaults, issuers };
  const looksOnly = settings.mode === 'observe';
  const asUsed = before !== null && (before.settings.mode === 'observe') === looksOnly ? before : null;
  try {
    for (const [name, section] of settings.vaults) {
      const kept = isSame(asUsed?.settings.vaults.get(name), section) ? asUsed?.vaults.get(name) : undefined;
      vaults.set(name, kept ?? (await openVault(settings, name, around, readOnly || looksOnly)).vault);
    }
    for (const name of settings.issuers.keys()) {
      const kept =
        before !== null && isSameIssuer(before.settings, settings, name) ? before.issuers.get(name) : undefined;
      issuers.set(name, kept ?? openIssuer(settings, name, around));
    }
    return opened;
  } catch (error) {
    await closeUnused(opened, before === null ? [] : [before], around.log);
    throw error;
  }
}

/** Closes what none of `inUse` has. One that fails to close is told; it does not throw. */
export async function closeUnused(opened: Opened, inUse: readonly Opened[], log: Log): Promise<void> {
  const used = new Set<unknown>(inUse.flatMap(({ vaults, issuers }) => [...vaults.values(), ...issuers.values()]));
  const releasers = new Releasers(log);
  const release = (kind: string, all: Opened['vaults'] | Opened['issuers']): void => {
    for (const [name, each] of all) if (!used.has(each)) releasers.push(`${kind} ${name}`, () => each.close());
  };
  release('vault', opened.vaults);
  release('issuer', opened.issuers);
  await releasers.close();
}

/** Its section, and that of the vault that its own secret is in. */
function isSameIssuer(before: Settings, after: Settings, name: string): boolean {
  const section = after.issuers.get(name);
  if (section === undefined || !isSame(before.issuers.get(name), section)) return false;
  const vault = vaultOf(section.options);
  return vault === null || isSame(before.vaults.get(vault), after.vaults.get(vault));
}

function vaultOf(options: unknown): string | null {
  const reference = (options as { readonly clientSecret?: unknown } | null)?.clientSecret;
  if (typeof reference !== 'object' || reference === null || !('vault' in reference)) return null;
  return typeof reference.vault === 'string' ? reference.vault : null;
}
