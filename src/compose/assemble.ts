import type { Settings } from '../config/settings.ts';
import type { Daemon } from '../daemon/api.ts';
import { createDaemon } from '../daemon/daemon.ts';
import type { Issuer } from '../issuers/contract.ts';
import type { World } from '../rotation/world.ts';
import type { Events } from '../telemetry/events.ts';
import { createEvents } from '../telemetry/telling.ts';
import type { Vault } from '../vaults/contract.ts';
import { vaultTypes } from '../vaults/registry.ts';
import { openIssuer, openLedger, openVault } from './backends.ts';
import type { Surroundings } from './backends.ts';
import type { Releasers } from './releasers.ts';

/**
 * Opens everything that the settings name and puts the daemon together; it is not started. What was opened is pushed to
 * `releasers`, also where the rest fails.
 * @throws LedgerError, VaultError, ConfigError.
 */
export async function assemble(
  settings: Settings,
  around: Surroundings,
  releasers: Releasers,
  options: { readonly version: string; readonly readOnly: boolean; readonly listeners?: readonly Events[] },
): Promise<{ readonly world: World; readonly daemon: Daemon }> {
  // The ledger first: without it nothing may be changed anywhere, so nothing else is worth opening.
  const ledger = await openLedger(settings, options.readOnly, around);
  releasers.push('ledger', () => ledger.close());
  const vaults = new Map<string, Vault>();
  for (const name of settings.vaults.keys()) {
    const { vault } = await openVault(settings, name, around, options.readOnly);
    releasers.push(`vault ${name}`, () => vault.close());
    vaults.set(name, vault);
  }
  const issuers = new Map<string, Issuer>();
  for (const name of settings.issuers.keys()) {
    const issuer = openIssuer(settings, name, around);
    releasers.push(`issuer ${name}`, () => issuer.close());
    issuers.set(name, issuer);
  }
  const { ports, log, meter } = around;
  const world: World = {
    ...ports,
    settings,
    issuers,
    vaults,
    vaultTypes,
    ledger,
    events: createEvents({ log, meter, listeners: options.listeners ?? [] }),
    log,
    meter,
    processId: ports.ids.unique(),
  };
  return { world, daemon: createDaemon(world, { version: options.version }) };
}
