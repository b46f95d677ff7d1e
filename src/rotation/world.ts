import type { Settings } from '../config/settings.ts';
import type { Ports } from '../domain/ports.ts';
import type { Issuer } from '../issuers/contract.ts';
import type { Ledger } from '../ledger/contract.ts';
import type { Events } from '../telemetry/events.ts';
import type { Log } from '../telemetry/log.ts';
import type { Meter } from '../telemetry/meter.ts';
import type { Vault, VaultType } from '../vaults/contract.ts';

/** Everything that the core may touch, handed in by the composition root. */
export interface World extends Ports {
  readonly settings: Settings;
  readonly issuers: ReadonlyMap<string, Issuer>;
  readonly vaults: ReadonlyMap<string, Vault>;
  /** The types behind `vaults`, for names and sizes. */
  readonly vaultTypes: ReadonlyMap<string, VaultType>;
  readonly ledger: Ledger;
  /** What happens is told here; it goes to the log and the metrics from there. */
  readonly events: Events;
  /** For what only whoever mends rekeyd wants to know. */
  readonly log: Log;
  readonly meter: Meter;
  /** Names this process among those that share the ledger; new at every start. */
  readonly processId: string;
}
