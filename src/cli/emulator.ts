import type { Command } from 'commander';
import { wholeNumber } from './command.ts';
import type { Bench } from './command.ts';
import { UsageError } from './exit.ts';

interface EmulatorArguments {
  readonly port: number;
  readonly data?: string;
  readonly clientId?: string;
  readonly clientSecret?: string;
  readonly credential?: readonly string[];
}

/** `rekeyd emulator` and `rekeyd demo`. */
export function addEmulator(program: Command, bench: Bench): void {
  program
    .command('emulator')
    .description('run the Data8 emulator alone, with its token endpoint, on this machine')
    .option('--port <n>', 'port on 127.0.0.1; 0: any free one', wholeNumber(0, 65_535), 8081)
    .option('--data <file>', 'keep the account in this file')
    .option('--client-id <id>', 'the client that may administer the account (default: made up, and printed)')
    .option('--client-secret <secret>', 'its secret, with --client-id')
    .option(
      '--credential <description>',
      'a credential to begin with, with a secret of 90 days; several times for several',
      (description: string, before: readonly string[] | undefined) => [...(before ?? []), description],
    )
    .action(bench.act((options: EmulatorArguments) => emulator(bench, options)));
  program
    .command('demo')
    .description('emulator, daemon and a file vault with lifetimes of a minute, to watch; nothing else is needed')
    .action(bench.act(() => bench.workshop.demo()));
}

async function emulator(bench: Bench, options: EmulatorArguments): Promise<number> {
  if ((options.clientId === undefined) !== (options.clientSecret === undefined)) {
    throw new UsageError('--client-id and --client-secret go together');
  }
  return bench.workshop.emulator({
    port: options.port,
    data: options.data ?? null,
    clientId: options.clientId ?? null,
    clientSecret: options.clientSecret ?? null,
    credentials: options.credential ?? [],
  });
}
