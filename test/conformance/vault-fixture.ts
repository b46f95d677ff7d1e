import type { EntryRef, Vault, VaultType } from '../../src/vaults/contract.ts';

/** Undoes what a hook did. */
export type Undo = () => Promise<void> | void;

/**
 * What plays the world around a vault under test. Each hook works past the vault, as a person or another program would.
 * A hook that a backend cannot have is left out, and `lacks` of the suite says why.
 */
export interface VaultHooks {
  /** Writes another value into an entry and leaves our mark (V17). */
  editByHand(ref: EntryRef, content: string): Promise<void> | void;
  /** Strips our mark, and leaves the value as it is (C8). */
  removeMark(ref: EntryRef): Promise<void> | void;
  /** Brings back the value before this one, with the mark it had (V14). */
  rollBack(ref: EntryRef): Promise<void> | void;
  /** Brings back the value before this one, and then this one again, all as it was (V19). */
  rollBackAndForth(ref: EntryRef): Promise<void> | void;
  /** Leaves the entry, and its mark where there is one, but no value (V12). */
  makeEmpty(ref: EntryRef): Promise<void> | void;
  /** Makes an entry that no rekeyd knows (V4). */
  putForeign(ref: EntryRef, content: string): Promise<void> | void;
  /** Takes the right to read and write away (V15). */
  deny(): Promise<Undo> | Undo;
  /** Lets reading lag behind writing, by less than `readBack` (V13). */
  lag(): Promise<Undo> | Undo;
  /** Adds metadata, or a key, of somebody else to an entry. @returns whether it is still there. */
  addForeignMetadata(ref: EntryRef): Promise<() => Promise<boolean> | boolean> | (() => Promise<boolean> | boolean);
  /** Another client of the same store, as a second process has one. */
  second(): Promise<Vault> | Vault;
}

export type HookName = keyof VaultHooks;

/** A vault under test, empty at first. */
export interface VaultFixture extends Partial<VaultHooks> {
  readonly vault: Vault;
  readonly type: VaultType;
  /** A place that nothing is at yet. `label` is of lower-case letters, digits and dashes; default: the name itself. */
  makeRef?(label: string): EntryRef;
  /** Lets time pass; default: really waits. */
  pass?(milliseconds: number): Promise<void>;
  /** Everything that was logged so far. */
  printed(): string;
  close(): Promise<void>;
}
