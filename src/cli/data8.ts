import type { Command } from 'commander';
import { atData8, tellDeleted, withIssuer } from './at-data8.ts';
import type { Data8CommandOptions } from './at-data8.ts';
import type { Bench } from './command.ts';
import { addData8Secrets } from './data8-secrets.ts';
import { printJson } from './io.ts';
import { table } from './table.ts';

/** `rekeyd data8`: the ten operations of the API by hand. They pass by every rule of the daemon. */
export function addData8(program: Command, bench: Bench): void {
  const data8 = program
    .command('data8')
    .description('the operations of the Data8 API by hand, past all rules of the daemon');
  addData8Credentials(data8.command('credentials').description('list, get, create, update, delete credentials'), bench);
  addData8Secrets(
    data8.command('secrets').description('list, get, create, update, delete the secrets of a credential'),
    bench,
  );
}

function addData8Credentials(credentials: Command, bench: Bench): void {
  withIssuer(credentials.command('list'))
    .description('list all credentials of the account')
    .action(
      bench.act((options: Data8CommandOptions) =>
        atData8(bench, options, async (api) => {
          const all = await api.listCredentials();
          if (options.json === true) printJson(bench.io, all);
          else
            bench.io.out(
              table(
                ['CLIENT ID', 'DESCRIPTION'],
                all.map((one) => [one.clientId, one.description]),
              ),
            );
        }),
      ),
    );
  withIssuer(credentials.command('get'))
    .argument('<id>', 'clientId')
    .description('show a credential')
    .action(
      bench.act((id: string, options: Data8CommandOptions) =>
        atData8(bench, options, async (api) => {
          printCredential(bench, options, await api.getCredential(id));
        }),
      ),
    );
  withIssuer(credentials.command('create'))
    .requiredOption('--description <text>', 'what it is for')
    .description('create a credential; its clientId is made by the API')
    .action(
      bench.act((options: Data8CommandOptions & { readonly description: string }) =>
        atData8(bench, options, async (api) => {
          printCredential(bench, options, await api.createCredential(options.description));
        }),
      ),
    );
  withIssuer(credentials.command('update'))
    .argument('<id>', 'clientId')
    .requiredOption('--description <text>', 'what it is for')
    .description('change the description of a credential')
    .action(
      bench.act((id: string, options: Data8CommandOptions & { readonly description: string }) =>
        atData8(bench, options, async (api) => {
          await api.updateCredential(id, options.description);
          printCredential(bench, options, { clientId: id, description: options.description });
        }),
      ),
    );
  withIssuer(credentials.command('delete'))
    .argument('<id>', 'clientId')
    .description('delete a credential with all its secrets')
    .action(
      bench.act((id: string, options: Data8CommandOptions) =>
        atData8(bench, options, async (api) => {
          tellDeleted(bench, options, await api.deleteCredential(id), `credential ${id}`);
        }),
      ),
    );
}

function printCredential(
  bench: Bench,
  options: Data8CommandOptions,
  credential: { readonly clientId: string; readonly description: string },
): void {
  const { clientId, description } = credential;
  if (options.json === true) printJson(bench.io, { clientId, description });
  else bench.io.out(table(['CLIENT ID', 'DESCRIPTION'], [[clientId, description]]));
}
