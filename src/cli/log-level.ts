import type { Command } from 'commander';
import { Argument } from 'commander';
import { formatInstant } from '../domain/time.ts';
import type { Duration } from '../domain/time.ts';
import type { LogLevelView } from '../telemetry/log-level.ts';
import { LOG_LEVELS } from '../telemetry/log-levels.ts';
import { durationArgument } from './command.ts';
import type { Bench } from './command.ts';
import { daemonOf, withDaemon } from './daemon-way.ts';
import type { WayOptions } from './daemon-way.ts';
import { EXIT } from './exit.ts';
import { printJson } from './io.ts';

interface LogLevelOptions extends WayOptions {
  readonly for?: Duration;
  readonly json?: true;
}

/** `rekeyd log-level`. */
export function addLogLevel(program: Command, bench: Bench): void {
  const level = new Argument('[level]', 'the level to set; without it, the present one is shown');
  withDaemon(program.command('log-level'))
    .addArgument(level.choices(LOG_LEVELS.filter((each) => each !== 'silent')))
    .description('have the running daemon log more or less for a while; it goes back by itself')
    .option('--for <duration>', 'how long, at most 24h (default: 15m)', durationArgument)
    .option('--json', 'print JSON')
    .action(bench.act((wanted: string | undefined, options: LogLevelOptions) => logLevel(bench, wanted, options)));
}

async function logLevel(bench: Bench, level: string | undefined, options: LogLevelOptions): Promise<number> {
  const daemon = await daemonOf(bench, options);
  const { clock } = bench.workshop.ports;
  const until = options.for === undefined ? {} : { until: formatInstant(clock.now() + options.for) };
  const view =
    level === undefined
      ? await daemon.get<LogLevelView>('/v1/log-level')
      : await daemon.put<LogLevelView>('/v1/log-level', { level, ...until });
  if (options.json === true) printJson(bench.io, view);
  else bench.io.out(`${view.level}${view.until === null ? '' : ` until ${view.until}, then ${view.configured}`}\n`);
  return EXIT.done;
}
