import type { Command } from 'commander';
import { settingsOf, withConfig } from './command.ts';
import type { Bench, ConfigOptions } from './command.ts';
import { EXIT, UsageError, WorkError } from './exit.ts';

interface ReadOptions extends ConfigOptions {
  readonly reveal?: true;
}

/** `rekeyd read`: an entry's payload. */
export function addRead(program: Command, bench: Bench): void {
  withConfig(program.command('read'))
    .argument('<vault>', "the vault's name in the configuration")
    .argument('<entry>', "the entry's name in the vault")
    .description('print what an entry holds, as it was delivered; the daemon need not run')
    .option('--reveal', 'also onto a terminal')
    .action(bench.act((vault: string, entry: string, options: ReadOptions) => read(bench, vault, entry, options)));
}

async function read(bench: Bench, name: string, entry: string, options: ReadOptions): Promise<number> {
  const { workshop, io } = bench;
  if (io.outIsTerminal && options.reveal !== true) {
    throw new UsageError('this would show a secret on the terminal: send it into a pipe or a file, or give --reveal');
  }
  const settings = await settingsOf(bench, options);
  const { vault, type } = await workshop.openVault(settings, name);
  try {
    if (!vault.capabilities.readable)
      throw new WorkError(`values cannot be read back from vault ${name} (${vault.type})`);
    const own = settings.vaults.get(name)?.options;
    const problem = type.nameProblem(entry, {}, own);
    if (problem !== null) throw new UsageError(`vault ${name} can have no entry of that name: ${problem}`);
    const content = await vault.read({ entry: type.entryOf(entry, {}, own), options: {} });
    if (content.state === 'absent') throw new WorkError(`vault ${name} has no entry ${entry}`);
    if (content.payload === null) throw new WorkError(`entry ${entry} of vault ${name} has no value in it`);
    io.out(content.payload.content.reveal() + (io.outIsTerminal ? '\n' : ''));
    return EXIT.done;
  } finally {
    await vault.close();
  }
}
