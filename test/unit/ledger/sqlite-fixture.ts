import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Ledger, LedgerContext } from '../../../src/ledger/contract.ts';
import { sqliteLedgerType } from '../../../src/ledger/sqlite.ts';
import type { Log, LogFields } from '../../../src/telemetry/log.ts';
import { createManualPorts } from '../../fakes/manual-ports.ts';

export interface Told {
  readonly event: string;
  readonly fields: LogFields;
}

/** A folder of its own for one test's ledgers, with what their opening logged. */
export class SqliteFixture {
  readonly folder = mkdtempSync(join(tmpdir(), 'rekeyd-ledger-'));
  readonly path = join(this.folder, 'var', 'rekeyd.db');
  readonly told: Told[] = [];
  readonly #opened: Ledger[] = [];

  async open(readOnly = false, path = this.path): Promise<Ledger> {
    const context: LedgerContext = { ...createManualPorts(), log: recordingLog(this.told) };
    const ledger = await sqliteLedgerType.open({ path }, context, readOnly);
    this.#opened.push(ledger);
    return ledger;
  }

  async dispose(): Promise<void> {
    for (const ledger of this.#opened) await ledger.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function recordingLog(told: Told[]): Log {
  const tell = (event: string, _message: string, fields: LogFields = {}): void => {
    told.push({ event, fields });
  };
  const log: Log = { debug: tell, info: tell, warn: tell, error: tell, with: () => log };
  return log;
}
