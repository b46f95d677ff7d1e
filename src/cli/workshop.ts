import type { Settings } from '../config/settings.ts';
import type { Daemon } from '../daemon/api.ts';
import type { Ports } from '../domain/ports.ts';
import type { Issuer } from '../issuers/contract.ts';
import type { Log } from '../telemetry/log.ts';
import type { Vault, VaultType } from '../vaults/contract.ts';

/**
 * What the commands are made with. The composition root implements it; commands import nothing of it, so that imports
 * go only downward.
 */
export interface Workshop {
  readonly version: string;
  readonly ports: Ports;
  /** For commands that print tables: warnings and worse go to stderr. */
  readonly log: Log;
  /** @throws ConfigError with every problem found. `overrides` are merged last (REKEYD_MODE and the like). */
  loadSettings(files: readonly string[]): Promise<Settings>;
  /** @throws ConfigError where no issuer has that name. */
  openIssuer(settings: Settings, name: string): Promise<Issuer>;
  openVault(settings: Settings, name: string): Promise<{ vault: Vault; type: VaultType }>;
  /** A daemon that is not started, without HTTP, over the configured ledger. `readOnly`: for `plan` and `explain`. */
  openDaemon(
    settings: Settings,
    options: { readonly readOnly: boolean },
  ): Promise<{ daemon: Daemon; close(): Promise<void> }>;
  /** `rekeyd run`: daemon and HTTP until SIGTERM or SIGINT. @returns the exit code. */
  run(settings: Settings): Promise<number>;
  /** `rekeyd emulator`. @returns the exit code. */
  emulator(options: EmulatorOptions): Promise<number>;
  /** `rekeyd demo`. @returns the exit code. */
  demo(): Promise<number>;
}

export interface EmulatorOptions {
  readonly port: number;
  readonly data: string | null;
  readonly clientId: string | null;
  readonly clientSecret: string | null;
}
