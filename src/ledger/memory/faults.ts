import type { Changes } from '../contract.ts';

/** Hooks for tests: what one throws, the call throws. `afterCommit` throws once the changes are stored: a lost answer. */
export interface MemoryFaults {
  beforeCommit?: (changes: Changes) => void;
  afterCommit?: (changes: Changes) => void;
  beforeNote?: (key: string) => void;
  beforeCheck?: () => void;
}
