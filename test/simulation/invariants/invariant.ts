import type { Settings } from '../../../src/config/settings.ts';
import type { LogFields } from '../../../src/telemetry/log.ts';
import type { Disk } from '../disk.ts';
import type { SimProcess } from '../machine.ts';
import type { Witness } from '../services.ts';
import type { Truth } from '../truth.ts';
import type { VirtualTime } from '../virtual-time.ts';
import type { CallLabel } from '../weather.ts';

/** What an invariant may look at. */
export interface Witnessed {
  readonly time: VirtualTime;
  readonly truth: Truth;
  readonly daemonCount: number;
  readonly ledgerCount: number;
  /** The configuration that a process was started with. */
  settingsOf(process: SimProcess): Settings;
  /** More than one where it reloads: what was begun rests under its old terms. */
  settingsInForce(process: SimProcess): readonly Settings[];
  diskOf(process: SimProcess): Disk;
  /** The configuration that the people have in force now. */
  readonly settings: Settings;
  /** Every one that was ever in force, with since when. */
  readonly history: readonly { readonly at: number; readonly settings: Settings }[];
  /** The longest time in [from, to] in which nothing was out of order. */
  longestCalm(from: number, to: number): number;
  /** The first time from then on at which nothing is out of order. */
  whenCalm(from: number): number;
  /** Whether something of that name has happened: for assumptions. */
  happened(what: string): boolean;
  howOftenSince(what: string, since: number): number;
  /** The credentials of which a ledger says that a person must act: `blocked` or `paused`. */
  held(): Promise<ReadonlySet<string>>;
  violate(invariant: string, what: string): void;
}

/** One thing that must hold after every step. It hears of what happens, and calls `violate` where it does not hold. */
export interface Invariant extends Partial<Witness> {
  /** Every process's every call, as it leaves. */
  called?(process: SimProcess, call: CallLabel): void;
  logged?(process: SimProcess, event: string, message: string, fields: LogFields): void;
  /** A place was changed, by whomever; `sentAt`: when what changed it was sent. */
  placeChanged?(vault: string, entry: string, by: 'daemon' | 'hand', sentAt: number): void;
  /** Once an hour. */
  hourly?(): void;
  /** At the very end. */
  atEnd?(): Promise<void>;
}
