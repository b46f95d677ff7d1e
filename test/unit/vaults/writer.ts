// A program of its own: writes one entry over and over, and prints each generation that the vault has confirmed.
// node writer.ts TYPE OPTIONS_JSON ENTRY WRITER ROUNDS
import { randomUUID } from 'node:crypto';
import { flushCompileCache } from 'node:module';
import type { Ports } from '../../../src/domain/ports.ts';
import { VaultError } from '../../../src/domain/errors.ts';
import { silentLog } from '../../../src/telemetry/log.ts';
import { silentMeter } from '../../../src/telemetry/meter.ts';
import { vaultTypes } from '../../../src/vaults/registry.ts';
import { numberedMark, numberedPayload } from './numbered.ts';

const [type = '', options = '', entry = '', writer = '', rounds = ''] = process.argv.slice(2);
const never = (): never => {
  throw new Error('not used');
};
const ports: Ports = {
  clock: { now: () => Date.now(), monotonic: () => performance.now() },
  random: { next: () => Math.random() },
  ids: { rotationId: never, unique: () => randomUUID() },
  ticker: { sleep: never, schedule: never },
};
const context = { ...ports, name: 'shared', timeout: 30_000, readBack: 0, log: silentLog, meter: silentMeter };
const vault = await vaultTypes.get(type)!.create(JSON.parse(options), context);
const ref = { entry, options: {} };
flushCompileCache(); // killed, it would not do so itself, and the next one would compile all of it again

for (let round = 0; round < Number(rounds);) {
  const seen = await vault.describe(ref);
  const generation = seen.state === 'absent' ? 1 : (seen.mark?.generation ?? 0) + 1;
  const expected = seen.state === 'absent' ? 'absent' : seen.version;
  try {
    await vault.deliver(ref, numberedPayload(generation, writer), numberedMark(generation, writer), expected);
    process.stdout.write(`${generation}\n`);
    round += 1;
  } catch (error) {
    if (!(error instanceof VaultError) || error.fault !== 'conflict') throw error;
  }
}
