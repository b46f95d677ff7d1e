import { chmodSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { StatusView } from '../../../src/daemon/api.ts';
import { createMetricsPage } from '../../../src/daemon/gauges.ts';
import type { MetricsPage } from '../../../src/daemon/gauges.ts';
import { LedgerCheck } from '../../../src/daemon/ledger-check.ts';
import { LedgerError } from '../../../src/domain/errors.ts';
import { SECOND } from '../../../src/domain/time.ts';
import type { Ledger } from '../../../src/ledger/contract.ts';
import { MemoryLedger } from '../../../src/ledger/memory.ts';
import type { Log } from '../../../src/telemetry/log.ts';
import { silentLog } from '../../../src/telemetry/log.ts';
import { createPrometheus } from '../../../src/telemetry/prometheus.ts';
import { createManualPorts } from '../../fakes/manual-ports.ts';
import type { ManualPorts } from '../../fakes/manual-ports.ts';
import { asAnotherUser } from '../ledger/another-user.ts';
import { sampleCredential } from '../ledger/sample-records.ts';
import { SqliteFixture } from '../ledger/sqlite-fixture.ts';

const STATUS: Pick<StatusView, 'breakers' | 'bulk' | 'paused'> = {
  breakers: [],
  bulk: null,
  paused: { paused: false, until: null, note: null },
};

let ports: ManualPorts;
let told: unknown[];
beforeEach(() => {
  ports = createManualPorts();
  told = [];
});

function pageOf(ledger: Ledger): MetricsPage {
  const log: Log = { ...silentLog, warn: (event, _message, fields) => told.push([event, fields]) };
  const check = new LedgerCheck(ledger, ports.clock);
  return createMetricsPage({
    registry: createPrometheus({ version: '1' }).registry,
    ledger,
    ...ports,
    log,
    mode: 'active',
    issuers: ['data8'],
    perCredential: 'auto',
    ledgerProblem: () => check.problem(),
    status: () => Promise.resolve(STATUS),
  });
}

/** What the page shows of the ledger itself, and of one credential in it. */
async function shown(page: MetricsPage): Promise<{ up: string | undefined; credentials: string[] }> {
  const lines = (await page.render()).split('\n');
  return {
    up: lines.find((line) => line.startsWith('rekeyd_ledger_up '))?.slice('rekeyd_ledger_up '.length),
    credentials: lines.filter((line) => /^rekeyd_credentials\{issuer="data8",state="ok"\} /.test(line)),
  };
}

const ONE = ['rekeyd_credentials{issuer="data8",state="ok"} 1'];

describe('a file that cannot be written', () => {
  let fixture: SqliteFixture;
  beforeEach(() => {
    fixture = new SqliteFixture();
  });
  afterEach(() => fixture.dispose());

  it('P3: is a ledger that is down; what can be read is shown', async () => {
    const before = await fixture.open();
    await before.commit({ credentials: [sampleCredential()] });
    expect(await shown(pageOf(before))).toEqual({ up: '1', credentials: ONE });
    await before.close();
    chmodSync(fixture.path, 0o400);
    await asAnotherUser([fixture.path, dirname(fixture.path), fixture.folder], async () => {
      const ledger = await fixture.open();
      expect(await shown(pageOf(ledger))).toEqual({ up: '0', credentials: ONE });
      expect(told).toEqual([
        [
          'ledger-unwritable',
          { error: expect.stringMatching(/rekeyd\.db cannot be written: make the file/) as string },
        ],
      ]);
      await ledger.close();
    });
  });
});

it('a ledger is down from the write that fails to the first one that works, and is tried once a second at most', async () => {
  const ledger = new MemoryLedger();
  await ledger.commit({ credentials: [sampleCredential()] });
  let checks = 0;
  let isFull = false;
  ledger.faults.beforeCheck = () => {
    checks += 1;
    if (isFull) throw new LedgerError('the disk is full');
  };
  const page = pageOf(ledger);
  for (const up of ['1', '0', '1']) {
    isFull = up === '0';
    for (let scrape = 0; scrape < 50; scrape += 1) expect(await shown(page)).toEqual({ up, credentials: ONE });
    await ports.clock.advance(SECOND);
  }
  expect(checks).toBe(3);
});
