import type { Backends } from '../config/backends.ts';
import type { Settings } from '../config/settings.ts';
import type { Terms } from '../config/terms.ts';
import type { WayIn } from '../config/way-in.ts';
import type { Daemon } from '../daemon/api.ts';
import type { Ports } from '../domain/ports.ts';
import type { CreatedSecret, Issuer, ListedCredential, ListedSecret, SecretWish } from '../issuers/contract.ts';
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
  /** Where the daemon of these files is reached. @throws ConfigError where they do not even say that. */
  loadWayIn(files: readonly string[]): Promise<WayIn>;
  /** @throws ConfigError where no issuer has that name. */
  openIssuer(settings: Settings, name: string): Promise<Issuer>;
  openVault(settings: Settings, name: string): Promise<{ vault: Vault; type: VaultType }>;
  /** Types of vaults by name: what their entries may be called. */
  readonly vaultTypes: Backends['vaults'];
  /** What the rules say of a credential that an issuer lists. */
  matcher(settings: Settings): (issuer: string, credential: ListedCredential) => Terms;
  /** The operations by hand, for an issuer of type data8. */
  openData8(settings: Settings, name: string): Promise<{ api: Data8Operations; readonly close: () => Promise<void> }>;
  /** A daemon that is not started, without HTTP, over the configured ledger. `readOnly`: for `plan` and `explain`. */
  openDaemon(
    settings: Settings,
    options: { readonly readOnly: boolean },
  ): Promise<{ daemon: Daemon; readonly close: () => Promise<void> }>;
  /**
   * Calls `stop` at the first SIGTERM or SIGINT; a second one ends the process at once, exit code 1.
   * @returns a function that undoes it.
   */
  onStop(stop: () => Promise<void>): () => void;
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
  /** Descriptions of credentials that a new account begins with. */
  readonly credentials: readonly string[];
}

/** The ten operations of the Data8 API. Errors as of {@link Issuer}. */
export interface Data8Operations {
  listCredentials(): Promise<readonly ListedCredential[]>;
  getCredential(clientId: string): Promise<ListedCredential>;
  createCredential(description: string): Promise<ListedCredential>;
  updateCredential(clientId: string, description: string): Promise<void>;
  deleteCredential(clientId: string): Promise<'deleted' | 'absent'>;
  listSecrets(clientId: string): Promise<readonly ListedSecret[]>;
  getSecret(clientId: string, secretId: string): Promise<ListedSecret>;
  createSecret(clientId: string, wish: SecretWish): Promise<CreatedSecret>;
  updateSecret(clientId: string, secretId: string, wish: SecretWish): Promise<void>;
  deleteSecret(clientId: string, secretId: string): Promise<'deleted' | 'absent'>;
}
