import type { Command } from 'commander';
import { globArgument, settingsOf, withConfig, wholeNumber } from './command.ts';
import type { Bench, ConfigOptions } from './command.ts';
import { EXIT } from './exit.ts';
import { printJson, say } from './io.ts';
import { table } from './table.ts';

interface OnceOptions extends ConfigOptions {
  readonly limit?: number;
  readonly only?: string;
  readonly json?: true;
}

/** `rekeyd once`: one scan, as a job. */
export function addOnce(program: Command, bench: Bench): void {
  withConfig(program.command('once'))
    .description('scan once and see every action through; exit 1 if a credential is failing or blocked')
    .option('--limit <n>', 'act on at most n credentials', wholeNumber(1, 1_000_000))
    .option('--only <glob>', 'only credentials whose ISSUER/CLIENT, clientId or name matches', globArgument)
    .option('--json', 'print JSON')
    .action(bench.act((options: OnceOptions) => once(bench, options), { unread: true }));
}

async function once(bench: Bench, options: OnceOptions): Promise<number> {
  const { workshop, io } = bench;
  const settings = await settingsOf(bench, options);
  const { daemon, close } = await workshop.openDaemon(settings, { readOnly: false });
  const release = workshop.onStop(() => daemon.stop());
  try {
    const result = await daemon.once({ limit: options.limit ?? null, only: options.only ?? null });
    if (options.json === true) printJson(io, result);
    else {
      io.out(`looked at ${result.looked}, acted on ${result.acted}, unwell ${result.unwell.length}\n`);
      if (result.unwell.length > 0) {
        const rows = result.unwell.map((one) => [`${one.issuer}/${one.clientId}`, one.state, one.reason]);
        io.out(table(['CREDENTIAL', 'STATE', 'REASON'], rows));
      }
    }
    for (const error of result.errors) say(io, error);
    return result.unwell.length > 0 || result.errors.length > 0 ? EXIT.failed : EXIT.done;
  } finally {
    release();
    await close();
  }
}
