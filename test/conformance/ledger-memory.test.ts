import { MemoryLedger } from '../../src/ledger/memory.ts';
import { describeLedger } from './ledger-suite.ts';

describeLedger('memory', async () => {
  const ledger = new MemoryLedger();
  return { ledger, other: async () => ledger, dispose: () => ledger.close() };
});
