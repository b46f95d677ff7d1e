import { isSameState, lookAgain } from './config-files.ts';
import type { FileStates } from './config-files.ts';

/**
 * Notices that files hold something else, by reading them: what a cluster mounts is swapped by symlinks that no
 * notification follows. A change counts once two looks in a row saw the same: a file that is being written is left alone.
 */
export class ConfigWatch {
  #seen: FileStates = new Map();
  #changed: FileStates | null = null;

  /** What was loaded, and is waited to change, whether it was valid or not. */
  loaded(seen: FileStates): void {
    this.#seen = seen;
    this.#changed = null;
  }

  /** @returns whether it is time to load again. It does not throw. */
  async look(): Promise<boolean> {
    const seen = this.#seen;
    const now = await lookAgain(seen);
    // loaded meanwhile, by somebody's request
    if (seen !== this.#seen) return false;
    const isSettled = this.#changed !== null && isSameState(now, this.#changed);
    this.#changed = isSameState(now, seen) ? null : now;
    return isSettled && this.#changed !== null;
  }
}
