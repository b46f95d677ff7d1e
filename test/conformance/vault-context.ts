import { inspect } from 'node:util';
import type { Log, LogFields } from '../../src/telemetry/log.ts';
import { silentMeter } from '../../src/telemetry/meter.ts';
import type { VaultContext } from '../../src/vaults/contract.ts';
import { createManualPorts } from '../fakes/manual-ports.ts';
import type { ManualPorts } from '../fakes/manual-ports.ts';

/** What a vault under test is built with: virtual time, and a log that is kept. */
export interface TestContext extends VaultContext, ManualPorts {
  readonly clock: ManualPorts['clock'];
  readonly ticker: ManualPorts['ticker'];
  printed(): string;
}

/** @param seed two vaults on one store need different ones, as two processes have different ids. */
export function createTestContext(name = 'under-test', seed = 1): TestContext {
  const lines: string[] = [];
  const keep = (event: string, message: string, fields?: LogFields): void => {
    lines.push(`${event} ${message} ${inspect(fields, { depth: 10 })}`);
  };
  const log: Log = { debug: keep, info: keep, warn: keep, error: keep, with: () => log };
  return {
    ...createManualPorts(Date.UTC(2030, 0, 1), seed),
    name,
    timeout: 30_000,
    readBack: 60_000,
    log,
    meter: silentMeter,
    printed: () => lines.join('\n'),
  };
}
