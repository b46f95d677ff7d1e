import { VaultError } from '../../domain/errors.ts';
import type { Mark } from '../../domain/mark.ts';
import { isOurs } from '../../domain/mark.ts';
import { SECOND } from '../../domain/time.ts';
import type { VaultContext } from '../contract.ts';
import type { NewVersion, Secret, Secrets, Version } from './secrets.ts';
import { markIn } from './tags.ts';

/** A write of a new version, and what it may expect. */
export interface Write {
  readonly name: string;
  readonly version: NewVersion;
  readonly mark: Mark;
  /**
   * The soft-deleted secret that was seen to hold the name; null: none was. One that was made by hand is recovered only where
   * it is this one.
   */
  readonly deleted: Version | null;
  readonly signal: AbortSignal | undefined;
}

/**
 * Adds a version to a name that may be soft-deleted (V5): recovers it, waits until it is there, and only then writes.
 * Nothing is ever purged. A recovery takes seconds, and a write can still be refused for a moment after it seems done
 * (azure-sdk-for-net#31581), so both are tried again, until the time-out of a call is over.
 */
export class Recovery {
  readonly #secrets: Secrets;
  readonly #context: VaultContext;

  constructor(secrets: Secrets, context: VaultContext) {
    this.#secrets = secrets;
    this.#context = context;
  }

  /** @returns the new version's id. */
  async write(write: Write): Promise<string> {
    const { name, version, deleted, signal } = write;
    const end = this.#context.clock.monotonic() + this.#context.timeout;
    if (deleted !== null) await this.#recover(write, deleted, end);
    for (;;) {
      const outcome = await this.#secrets.set(name, version, signal);
      if (typeof outcome === 'object') return outcome.id;
      if (outcome === 'soft-deleted') {
        const found = await this.#secrets.deleted(name, signal);
        if (found !== null) await this.#recover(write, found, end);
      }
      await this.#pause(name, end, signal);
    }
  }

  async #recover(write: Write, deleted: Version, end: number): Promise<void> {
    this.#check(write, deleted);
    const { name, signal } = write;
    let found: Secret | null = null;
    for (let begun = false; found === null;) {
      begun ||= await this.#secrets.recover(name, signal);
      found = await this.#secrets.current(name, signal);
      if (found === null) await this.#pause(name, end, signal);
    }
    this.#context.log.info('azure-secret-recovered', 'A soft-deleted secret was recovered to be written again.', {
      vault: this.#context.name,
      entry: name,
    });
    if (found.id !== deleted.id) throw this.#error('conflict', name, 'somebody else wrote it while it was recovered');
  }

  /** @throws VaultError where the deleted secret is not this credential's, and was not seen before. */
  #check({ name, mark, deleted: seen }: Write, deleted: Version): void {
    const theirs = markIn(deleted.tags);
    if (theirs === null) {
      if (seen?.id === deleted.id) return;
      throw this.#error('conflict', name, 'a soft-deleted secret that is not of rekeyd has the name');
    }
    if (isOurs(theirs, mark)) return;
    const whose = `instance '${theirs.instance}', issuer '${theirs.issuer}', credential '${theirs.credential}'`;
    throw this.#error('locked', name, `the name belongs to a soft-deleted secret of ${whose}: choose another name`);
  }

  async #pause(name: string, end: number, signal: AbortSignal | undefined): Promise<void> {
    if (this.#context.clock.monotonic() + SECOND > end) {
      throw this.#error('unavailable', name, 'the soft-deleted secret is still being recovered');
    }
    await this.#context.ticker.sleep(SECOND, signal);
  }

  #error(fault: 'conflict' | 'locked' | 'unavailable', entry: string, why: string): VaultError {
    const vault = this.#context.name;
    return new VaultError(fault, `Vault '${vault}', entry '${entry}': ${why}.`, { vault, entry });
  }
}
