import { formatDuration, formatInstant, formatInstantOrNull } from '../../domain/time.ts';
import type { BulkCounts, BulkView } from './bulk-api.ts';
import type { BulkRecord } from './bulk-note.ts';
import type { BulkRun } from './bulk-run.ts';

/** What the ways in show of a bulk. @param run null: this process does not work on it. */
export function bulkView(bulk: BulkRecord, run: Pick<BulkRun, 'counts' | 'unwell' | 'heldBy'> | null): BulkView {
  const { end } = bulk;
  const untold: BulkCounts = { waiting: bulk.total, rotating: 0, delivered: 0, failed: 0, skipped: 0 };
  return {
    id: bulk.id,
    state: end === null ? 'running' : end.cancelledBy === null ? 'finished' : 'cancelled',
    match: bulk.match,
    grace: bulk.grace === null ? null : formatDuration(bulk.grace),
    note: bulk.note,
    force: bulk.force,
    actor: bulk.actor,
    from: bulk.from,
    total: bulk.total,
    counts: end?.counts ?? run?.counts ?? untold,
    heldBy: end === null ? (run?.heldBy ?? null) : null,
    unwell: end?.unwell ?? run?.unwell ?? [],
    startedAt: formatInstant(bulk.startedAt),
    finishedAt: formatInstantOrNull(end?.at ?? null),
    cancelledBy: end?.cancelledBy ?? null,
  };
}
