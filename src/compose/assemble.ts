import type { Settings } from '../config/settings.ts';
import type { Daemon } from '../daemon/api.ts';
import { createDaemon } from '../daemon/daemon.ts';
import type { Ledger } from '../ledger/contract.ts';
import type { World } from '../rotation/world.ts';
import type { Events } from '../telemetry/events.ts';
import { boundStrangers } from '../telemetry/strangers.ts';
import { createEvents } from '../telemetry/telling.ts';
import { vaultTypes } from '../vaults/registry.ts';
import { openLedger } from './backends.ts';
import type { Surroundings } from './backends.ts';
import { closeUnused, openBackends } from './opened.ts';
import type { Opened } from './opened.ts';
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
  const opened = await openBackends(settings, around, options);
  releasers.push('vaults and issuers', () => closeUnused(opened, [], around.log));
  const world = worldOf(opened, ledger, around, options.listeners ?? []);
  return { world, daemon: createDaemon(world, { version: options.version }) };
}

/** The world of a process, in its first settings. */
export function worldOf(opened: Opened, ledger: Ledger, around: Surroundings, listeners: readonly Events[]): World {
  const { ports, log, meter } = around;
  return {
    ...ports,
    ...opened,
    vaultTypes,
    ledger,
    events: createEvents({
      log,
      meter,
      listeners: listeners.map((listener) => boundStrangers(listener, ports.clock)),
    }),
    log,
    meter,
    processId: ports.ids.unique(),
  };
}
