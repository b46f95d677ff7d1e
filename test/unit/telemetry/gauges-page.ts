import type { StatusView } from '../../../src/daemon/api.ts';
import { createMetricsPage } from '../../../src/daemon/gauges.ts';
import type { GaugeSources } from '../../../src/daemon/gauges.ts';
import type { CredentialRecord } from '../../../src/ledger/records.ts';
import { silentLog } from '../../../src/telemetry/log.ts';
import { createPrometheus } from '../../../src/telemetry/prometheus.ts';
import { createManualPorts } from '../../fakes/manual-ports.ts';
import { NOW } from './records.ts';

/** Nothing is open, paused or under way. */
export const QUIET: Pick<StatusView, 'breakers' | 'bulk' | 'paused'> = {
  bulk: null,
  breakers: [{ issuer: 'data8', open: false, until: null }],
  paused: { paused: false, until: null, note: null },
};

/** A page of metrics over these records; `pages` counts the pages that were read of them. */
export function setUp(records: CredentialRecord[], change: Partial<GaugeSources> = {}) {
  const ports = createManualPorts(NOW);
  let pages = 0;
  const page = createMetricsPage({
    registry: createPrometheus({ version: '1' }).registry,
    ledger: {
      countsByState: () => Promise.resolve(records.map(({ issuer, state }) => ({ issuer, state, count: 1 }))),
      credentials: (_filter, limit, cursor) => {
        pages++;
        const from = Number(cursor ?? 0);
        const items = records.slice(from, from + limit);
        return Promise.resolve({ items, nextCursor: from + limit < records.length ? String(from + limit) : null });
      },
    },
    ...ports,
    log: silentLog,
    mode: 'active',
    issuers: ['data8'],
    perCredential: 'auto',
    ledgerProblem: () => Promise.resolve(null),
    status: () => Promise.resolve(QUIET),
    ...change,
  });
  return {
    ports,
    page,
    pages: () => pages,
    lines: async () =>
      (await page.render()).split('\n').filter((line) => line.startsWith('rekeyd_') && !line.includes('_bucket')),
  };
}

/** The lines of one metric. */
export async function only(
  prefix: string,
  records: CredentialRecord[],
  change: Partial<GaugeSources> = {},
): Promise<string[]> {
  return (await setUp(records, change).lines()).filter((line) => line.startsWith(prefix));
}
