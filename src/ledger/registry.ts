import type { LedgerType } from './contract.ts';
import { memoryLedgerType } from './memory.ts';
import { sqliteLedgerType } from './sqlite.ts';

const types: readonly LedgerType[] = [memoryLedgerType, sqliteLedgerType];

/** All types of ledger, by the name that the configuration knows them by. A new ledger adds its line above. */
export const ledgerTypes: ReadonlyMap<string, LedgerType> = new Map(types.map((type) => [type.type, type]));
