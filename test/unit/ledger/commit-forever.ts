import { writeSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { safeMessage } from '../../../src/domain/errors.ts';
import { sqliteLedgerType } from '../../../src/ledger/sqlite.ts';
import { silentLog } from '../../../src/telemetry/log.ts';
import { createManualPorts } from '../../fakes/manual-ports.ts';
import { NOW, sampleCredential, sampleRotation } from './sample-records.ts';

// A process of its own for tests: commits a credential and a new rotation together, again and again, and writes the number
// of each commit once it has returned. Ends by being killed, or when the ledger fails: then it tells what was thrown, and
// what `check` says.

const [path = ''] = process.argv.slice(2);
const say = (line: string): void => void writeSync(1, `${line}\n`);

const ledger = await sqliteLedgerType.open({ path }, { ...createManualPorts(), log: silentLog });
if (ledger.setAside !== null) say(`set aside ${ledger.setAside}`);
const key = sampleCredential();
flushCompileCache(); // killed, it would not do so itself, and the next one would compile all of it again
try {
  for (;;) {
    const stored = await ledger.credential(key);
    const version = stored?.version ?? 0;
    const rotation = sampleRotation({
      id: `r${version + 1}`,
      startedAt: NOW + version,
      state: 'done',
      note: 'x'.repeat(3_000),
    });
    const kept = await ledger.commit({
      credentials: [{ ...key, version, failures: version + 1 }],
      rotations: [rotation],
    });
    if (!kept) throw new Error('a commit of the stored version was refused');
    say(`committed ${version + 1}`);
  }
} catch (error) {
  say(`failed ${safeMessage(error)}`);
  const checked = await ledger.check().then(
    () => 'passed',
    (problem: unknown) => safeMessage(problem),
  );
  say(`check ${checked}`);
}
