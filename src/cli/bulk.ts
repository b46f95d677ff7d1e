import type { Command } from 'commander';
import type { BulkView } from '../daemon/bulk/bulk-api.ts';
import type { Duration } from '../domain/time.ts';
import { bulkPath, followBulk, progressOf, unwellTable } from './bulk-progress.ts';
import { durationArgument } from './command.ts';
import type { Bench } from './command.ts';
import { daemonOf, withDaemon } from './daemon-way.ts';
import type { WayOptions } from './daemon-way.ts';
import { EXIT, UsageError } from './exit.ts';
import { printJson, say } from './io.ts';
import { listing, table } from './table.ts';

interface BulkOptions extends WayOptions {
  readonly cancel?: true;
  readonly wait?: true;
  readonly timeout?: Duration;
  readonly json?: true;
}

/** `rekeyd bulk`: how the rotation of many credentials goes, and its end before its end. */
export function addBulk(program: Command, bench: Bench): void {
  withDaemon(program.command('bulk'))
    .argument('[id]', "of a bulk that 'rekeyd rotate --all' began; without it, the last ones are listed")
    .description('show how a bulk rotation goes, or cancel it')
    .option('--cancel', 'begin no more rotations of it; those that have begun go on')
    .option('--wait', 'show progress until it is over: 0 where all were delivered, else 1')
    .option('--timeout <duration>', 'how long --wait waits', durationArgument)
    .option('--json', 'print JSON')
    .action(bench.act((id: string | undefined, options: BulkOptions) => bulk(bench, id, options)));
}

async function bulk(bench: Bench, id: string | undefined, options: BulkOptions): Promise<number> {
  const { io } = bench;
  if (id === undefined && (options.cancel === true || options.wait === true)) {
    throw new UsageError("--cancel and --wait need the id of a bulk: 'rekeyd bulk' lists them");
  }
  if (options.cancel === true && options.wait === true) throw new UsageError('give --cancel or --wait, not both');
  const daemon = await daemonOf(bench, options);
  if (id === undefined) {
    const { items } = await daemon.get<{ readonly items: readonly BulkView[] }>('/v1/bulk');
    if (options.json === true) printJson(io, { items });
    else io.out(bulkTable(items));
    return EXIT.done;
  }
  if (options.wait === true) return followBulk(bench, daemon, id, options);
  const view =
    options.cancel === true
      ? await daemon.post<BulkView>(`${bulkPath(id)}/cancel`, {})
      : await daemon.get<BulkView>(bulkPath(id));
  if (options.json === true) printJson(io, view);
  else io.out(bulkText(view));
  if (options.cancel === true) say(io, 'cancelled: what had begun goes on, the rest was left as it is');
  return EXIT.done;
}

function bulkTable(items: readonly BulkView[]): string {
  const rows = items.map(({ id, state, match, actor, startedAt, counts, total }) => [
    ...[id, state, match, actor, startedAt],
    `${counts.delivered}/${total}`,
    String(counts.failed + counts.skipped),
  ]);
  return table(['BULK', 'STATE', 'MATCH', 'ACTOR', 'STARTED', 'DELIVERED', 'UNWELL'], rows);
}

function bulkText(view: BulkView): string {
  const facts = listing([
    ['bulk', view.id],
    ['state', `${view.state}${view.cancelledBy === null ? '' : ` by ${view.cancelledBy}`}`],
    ['match', view.match],
    ['grace', view.grace ?? "by each credential's policy"],
    ['note', view.note ?? ''],
    ['forced', view.force ? 'yes' : 'no'],
    ['asked by', `${view.actor} from ${view.from}`],
    ['started', view.startedAt],
    ['finished', view.finishedAt ?? ''],
    ['progress', progressOf(view)],
  ]);
  const unwell = unwellTable(view);
  return unwell === '' ? facts : `${facts}\n${unwell}`;
}
