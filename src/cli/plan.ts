import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';
import type { PlanItem, PlanView } from '../daemon/api.ts';
import { ACTIONS } from '../domain/action.ts';
import type { Instant } from '../domain/time.ts';
import { settingsOf, withConfig } from './command.ts';
import type { Bench, ConfigOptions } from './command.ts';
import { EXIT } from './exit.ts';
import { printJson } from './io.ts';
import { forecastText } from './forecast-text.ts';
import { table } from './table.ts';
import { relativeTo } from './when.ts';

interface PlanOptions extends ConfigOptions {
  readonly json?: true;
  readonly exitCode?: true;
  readonly days?: number;
}

/** `rekeyd plan`: what a scan would do now. */
export function addPlan(program: Command, bench: Bench): void {
  withConfig(program.command('plan'))
    .description('tell what a scan would do now; changes nothing anywhere')
    .option('--json', 'print JSON')
    .option('--days <n>', 'instead: what comes due by itself within so many days', daysOf)
    .option('--exit-code', 'exit 3 when there is something to do now')
    .action(bench.act((options: PlanOptions) => plan(bench, options)));
}

const MOST_ITEMS = 10_000;

function daysOf(text: string): number {
  const days = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  if (days >= 1 && days <= 400) return days;
  throw new InvalidArgumentError('must be a whole number from 1 to 400');
}

async function plan(bench: Bench, options: PlanOptions): Promise<number> {
  const { workshop, io } = bench;
  const settings = await settingsOf(bench, options);
  const { daemon, close } = await workshop.openDaemon(settings, { readOnly: true });
  try {
    if (options.days !== undefined) {
      const forecast = await daemon.forecast(options.days, MOST_ITEMS);
      if (options.json === true) printJson(io, forecast);
      else io.out(forecastText(forecast, workshop.ports.clock.now()));
      return EXIT.done;
    }
    const view = await daemon.plan();
    const now = workshop.ports.clock.now();
    if (options.json === true) printJson(io, view);
    else io.out(planText(view, now));
    return options.exitCode === true && view.items.some((item) => isDue(item, now)) ? EXIT.something : EXIT.done;
  } finally {
    await close();
  }
}

/** The plan as a table, soonest first as the daemon orders it, and the totals. */
export function planText(view: PlanView, now: Instant): string {
  const rows = view.items.map((item) => [
    `${item.issuer}/${item.clientId}`,
    item.name,
    item.action,
    item.reason,
    relativeTo(now, item.dueAt, ''),
    item.secretIds.join(' '),
    item.destinations.map((destination) => `${destination.vault}:${destination.entry}`).join(' '),
  ]);
  const totals = ACTIONS.map((action) => `${action} ${view.totals[action]}`).join(', ');
  return `${table(['CREDENTIAL', 'NAME', 'ACTION', 'REASON', 'WHEN', 'SECRETS', 'DESTINATIONS'], rows)}\ntotals: ${totals}\n`;
}

/** A deletion without a date waits for its proof: nothing is to be done for it now. */
function isDue(item: PlanItem, now: Instant): boolean {
  return item.action !== 'none' && item.dueAt !== null && Date.parse(item.dueAt) <= now;
}
