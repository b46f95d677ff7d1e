import type { z } from 'zod';
import type { VaultError, VaultFault } from '../domain/errors.ts';
import type { Mark } from '../domain/mark.ts';
import type { Payload } from '../domain/payload.ts';
import type { Ports } from '../domain/ports.ts';
import type { RightReport } from '../domain/rights.ts';
import type { SecretValue } from '../domain/secret-value.ts';
import type { Duration } from '../domain/time.ts';
import type { Log } from '../telemetry/log.ts';
import type { Meter } from '../telemetry/meter.ts';

/** The words that an implementation outside of rekeyd needs: it imports this file as `rekeyd/vault`. */
export type { Duration, Mark, Payload, RightReport, SecretValue, VaultError, VaultFault };

/** One named place in a vault. `options` are the destination's own settings (labels, mode, ...), checked by the type. */
export interface EntryRef {
  /** The canonical name: two destinations are the same place exactly where vault identity and this are equal. */
  readonly entry: string;
  readonly options: Readonly<Record<string, unknown>>;
}

/**
 * What an entry is, without its value. Absent is only what the vault says is not there: denied, unreachable or garbled
 * throws.
 */
export type EntryDescription =
  | { readonly state: 'absent' }
  | {
      readonly state: 'present';
      /** The vault's version of the value and mark: what compare-and-set expects. Opaque. */
      readonly version: string;
      /**
       * Changes whenever anybody writes, also where it then is as it was before: rolled back, and forth again (V19). It may
       * change more often than that. Opaque. Absent: `version` tells all there is to tell.
       */
      readonly revision?: string;
      /** Null: no mark of any rekeyd on it. */
      readonly mark: Mark | null;
      /**
       * Whether the mark describes the value that is there now: `bound`: proven; `broken`: value or mark were changed
       * from outside; `unproven`: this look did not read enough (ask with `prove`). An entry without value,
       * or without mark, is `broken`.
       */
      readonly binding: 'bound' | 'broken' | 'unproven';
      /** Why it cannot be written (immutable, ...); absent where it can. */
      readonly locked?: string;
    };

/** An entry with its payload. */
export type EntryContent =
  | { readonly state: 'absent' }
  | (Extract<EntryDescription, { state: 'present' }> & {
      /** Null: there is an entry but no value in it. */
      readonly payload: Payload | null;
    });

export interface VaultCapabilities {
  /** A write fails with `conflict` where the entry is not at the expected version. Without it, repaired in a resync. */
  readonly compareAndSet: boolean;
  /** Values can be read back. */
  readonly readable: boolean;
  /** Stores `fields` payloads one key a field. */
  readonly map: boolean;
}

/**
 * A place that stores values for consumers. Every call may throw {@link VaultError} and nothing else (but the abort
 * reason of `signal`). No error holds a value. Methods are safe to call at the same time.
 */
export interface Vault {
  /** The name in the configuration. */
  readonly name: string;
  readonly type: string;
  /** Names the store itself, so that it survives being renamed in the configuration: part of the destinations digest. */
  readonly identity: string;
  readonly capabilities: VaultCapabilities;
  /** How long reading may lag behind writing. */
  readonly readBack: Duration;

  /** Looks at an entry. `prove`: read what is needed to decide `binding`, so that it is not `unproven`. */
  describe(ref: EntryRef, options?: { readonly prove?: boolean }, signal?: AbortSignal): Promise<EntryDescription>;
  read(ref: EntryRef, signal?: AbortSignal): Promise<EntryContent>;
  /**
   * Writes value and mark. Foreign metadata and keys of the entry are left as they are.
   * @param expected the version last seen, or 'absent'; another state of the entry throws `conflict` (a vault without
   *   compare-and-set checks it as well as it can).
   */
  deliver(
    ref: EntryRef,
    payload: Payload,
    mark: Mark,
    expected: string,
    signal?: AbortSignal,
  ): Promise<{ readonly version: string }>;
  /** Writes the mark again over the value that is there at `expected`, bound to it. The value is not changed. */
  restoreMark(ref: EntryRef, mark: Mark, expected: string, signal?: AbortSignal): Promise<{ readonly version: string }>;
  /** What `rekeyd check` prints: reached, and each right; no value is written. */
  rights(refs: readonly EntryRef[], signal?: AbortSignal): Promise<readonly RightReport[]>;
  close(): Promise<void>;
}

/** What `expected` is for an entry that is not there yet. */
export const ABSENT = 'absent';

/** What a vault is built with. */
export interface VaultContext extends Ports {
  readonly name: string;
  /** Common to all vaults. */
  readonly timeout: Duration;
  readonly readBack: Duration;
  readonly log: Log;
  readonly meter: Meter;
  /** Opened by what changes nothing, a command or mode `observe`: no folder and no key is made either. Default: false. */
  readonly readOnly?: boolean;
}

/** What the vault type `module` hands to a user's `createVault(options, context)`. */
export interface ModuleVaultContext extends Ports {
  readonly name: string;
  readonly timeout: Duration;
  readonly readBack: Duration;
  readonly log: Log;
  /** Wraps a value that was read, so that nothing prints it. */
  secret(text: string): SecretValue;
  /** The only kind of error to throw. The message is for a person, and must hold no value. */
  error(fault: VaultFault, message: string, entry?: string): VaultError;
}

/** What a user's `createVault` returns: a {@link Vault} of which rekeyd fills in the rest. */
export interface ModuleVault
  extends
    Pick<Vault, 'identity' | 'describe' | 'read' | 'deliver'>,
    Partial<Pick<Vault, 'readBack' | 'rights' | 'close'>> {
  /** Default: values can be read; no compare-and-set; not one key a field. */
  readonly capabilities?: Partial<VaultCapabilities>;
  /** Default: the value is read and delivered again with the mark. */
  restoreMark?: Vault['restoreMark'];
}

/** One type of vault, as the registry holds it. */
export interface VaultType<Schema extends z.ZodType = z.ZodType> {
  readonly type: string;
  /** Checks its part of the configuration (less `type`, `timeout`, `requestsPerSecond`, `readBack`), gives defaults. */
  readonly schema: Schema;
  /** Names of options that are paths, made absolute from the configuration file's folder before `create`. */
  readonly paths: readonly string[];
  /** Settings of a destination beyond `vault, name, format, fields, template`: a zod shape. */
  readonly destination: z.ZodRawShape;
  /** The most bytes that a payload may have. */
  readonly maxBytes: number;
  /**
   * The canonical entry name of a destination's resolved `name` and options.
   * @param vault the vault's own options, where they give what a destination may leave out (a namespace).
   */
  entryOf(name: string, options: Readonly<Record<string, unknown>>, vault?: z.output<Schema>): string;
  /** Why a name (placeholders already replaced) cannot be used; null where it can. Runs at load, before anything else. */
  nameProblem(name: string, options: Readonly<Record<string, unknown>>, vault?: z.output<Schema>): string | null;
  /** Why it cannot keep fields of these names side by side; null where it can. Runs at load. Absent: it can keep any. */
  fieldsProblem?(names: readonly string[]): string | null;
  /**
   * Why no entry can have these options of a destination, whatever its name; null where one can. Their texts may still hold
   * placeholders. Runs at load. Absent: it takes all that `destination` takes.
   */
  optionsProblem?(options: Readonly<Record<string, unknown>>, vault?: z.output<Schema>): string | null;
  create(options: z.output<Schema>, context: VaultContext): Vault | Promise<Vault>;
}
