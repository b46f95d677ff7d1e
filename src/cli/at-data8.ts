import type { Command } from 'commander';
import { withConfig, settingsOf } from './command.ts';
import type { Bench, ConfigOptions } from './command.ts';
import { EXIT, UsageError, WorkError } from './exit.ts';
import { printJson, say } from './io.ts';
import type { Data8Operations } from './workshop.ts';

export interface Data8CommandOptions extends ConfigOptions {
  readonly issuer?: string;
  readonly json?: true;
}

/** Adds what all commands of `rekeyd data8` take. */
export function withIssuer(command: Command): Command {
  return withConfig(command)
    .option('--issuer <name>', 'the issuer, where several of type data8 are configured')
    .option('--json', 'print JSON');
}

/** Tells how a deletion ended. @throws WorkError where there was nothing to delete. */
export function tellDeleted(
  bench: Bench,
  options: Data8CommandOptions,
  answer: 'deleted' | 'absent',
  what: string,
): void {
  if (answer === 'absent') throw new WorkError(`there is no ${what}: nothing was deleted`);
  if (options.json === true) printJson(bench.io, { deleted: true });
  else say(bench.io, `${what} is deleted`);
}

/** Opens the issuer that the options name, has `work` done with it, and closes it. */
export async function atData8(
  bench: Bench,
  options: Data8CommandOptions,
  work: (api: Data8Operations) => Promise<void>,
): Promise<number> {
  const settings = await settingsOf(bench, options);
  const names = [...settings.issuers].filter(([, issuer]) => issuer.type === 'data8').map(([name]) => name);
  const name = options.issuer ?? (names.length === 1 ? names[0] : undefined);
  if (name === undefined) {
    throw new UsageError(
      names.length === 0
        ? 'the configuration has no issuer of type data8'
        : `several issuers are configured, give --issuer: ${names.join(', ')}`,
    );
  }
  if (!names.includes(name))
    throw new UsageError(`no issuer of type data8 is called '${name}'; there is ${names.join(', ')}`);
  const { api, close } = await bench.workshop.openData8(settings, name);
  try {
    await work(api);
    return EXIT.done;
  } finally {
    await close();
  }
}
