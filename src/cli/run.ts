import type { Command } from 'commander';
import { settingsOf, withConfig } from './command.ts';
import type { Bench, ConfigOptions } from './command.ts';

/** `rekeyd run`. */
export function addRun(program: Command, bench: Bench): void {
  withConfig(program.command('run'))
    .description('run the daemon: scan at start, then by schedule; SIGTERM or SIGINT stops it, a second one at once')
    .action(bench.act(async (options: ConfigOptions) => bench.workshop.run(await settingsOf(bench, options))));
}
