import { sqliteLedgerType } from '../../../src/ledger/sqlite.ts';
import { silentLog } from '../../../src/telemetry/log.ts';
import { createManualPorts } from '../../fakes/manual-ports.ts';

// A process of its own for tests: counts a note up by one, TIMES times, each time by compare-and-set with as many tries as it
// takes. Prints how many tries were lost to others.

const [path = '', times = ''] = process.argv.slice(2);
const ledger = await sqliteLedgerType.open({ path }, { ...createManualPorts(), log: silentLog });
let lost = 0;
for (let count = 0; count < Number(times);) {
  const note = await ledger.note('count');
  const value = typeof note?.value === 'number' ? note.value : 0;
  // another process may write here, between reading and writing
  await new Promise((resolve) => setImmediate(resolve));
  if (await ledger.putNote('count', { version: note?.version ?? 0, value: value + 1 })) count += 1;
  else lost += 1;
}
await ledger.close();
process.stdout.write(String(lost));
