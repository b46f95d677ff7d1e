import type { VaultType } from './contract.ts';
import { memoryVaultType } from './memory.ts';

const types: readonly VaultType[] = [memoryVaultType];

/** All types of vault, by the name that the configuration knows them by. A new vault adds its line above. */
export const vaultTypes: ReadonlyMap<string, VaultType> = new Map(types.map((type) => [type.type, type]));
