import { Registry } from 'prom-client';
import { renewalStarts } from '../../src/compose/renewal-starts.ts';
import { createMetricsPage } from '../../src/daemon/gauges.ts';
import { silentLog } from '../../src/telemetry/log.ts';
import { memoryVaultType } from '../../src/vaults/memory.ts';
import type { Stage } from './stage.ts';

/** What a scrape shows now. */
export async function scraped(stage: Stage): Promise<string[]> {
  const { ledger, settings, daemon } = stage;
  const { mode, issuers } = settings;
  const registry = new Registry();
  const sources = { ...stage.ports, registry, ledger, log: silentLog, mode, perCredential: 'auto' } as const;
  const page = createMetricsPage({
    ...sources,
    issuers: [...issuers.keys()],
    status: () => daemon.status(),
    counts: () => daemon.counts(),
    dated: (record) => daemon.dated(record),
    calendar: {
      retirementOpening: (record, at) => daemon.retirementOpening(record, at),
      renewalStart: renewalStarts({ settings, vaultTypes: new Map([['memory', memoryVaultType]]) }),
    },
    ledgerProblem: () => daemon.ledgerProblem(),
  });
  return (await page.render()).split('\n').filter((line) => line.startsWith('rekeyd_'));
}
