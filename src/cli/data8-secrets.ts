import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import { formatInstantOrNull, parseDuration } from '../domain/time.ts';
import type { Instant } from '../domain/time.ts';
import type { ListedSecret } from '../issuers/contract.ts';
import { atData8, tellDeleted, withIssuer } from './at-data8.ts';
import type { Data8CommandOptions } from './at-data8.ts';
import type { Bench } from './command.ts';
import { UsageError, WorkError } from './exit.ts';
import { printJson, say } from './io.ts';
import { listing, table } from './table.ts';
import { relative } from './when.ts';

interface WishOptions extends Data8CommandOptions {
  readonly expires?: Expires;
  readonly description?: string;
}

/** `never`, a time, or a duration from now. */
type Expires = { readonly at: Instant | null } | { readonly in: number };

/** `rekeyd data8 secrets`. */
export function addData8Secrets(secrets: Command, bench: Bench): void {
  const { clock } = bench.workshop.ports;
  withIssuer(secrets.command('list'))
    .argument('<id>', 'clientId')
    .description('list the secrets of a credential; the API never shows their values again')
    .action(
      bench.act((id: string, options: Data8CommandOptions) =>
        atData8(bench, options, async (api) => {
          const all = await api.listSecrets(id);
          if (options.json === true) printJson(bench.io, all.map(view));
          else
            bench.io.out(
              table(
                HEADING,
                all.map((one) => row(one, clock.now())),
              ),
            );
        }),
      ),
    );
  withIssuer(secrets.command('get'))
    .argument('<id>', 'clientId')
    .argument('<secret>', 'id of the secret')
    .description('show a secret, without its value')
    .action(
      bench.act((id: string, secret: string, options: Data8CommandOptions) =>
        atData8(bench, options, async (api) => {
          printSecret(bench, options, await api.getSecret(id, secret));
        }),
      ),
    );
  withWish(withIssuer(secrets.command('create')).argument('<id>', 'clientId'))
    .description('create a secret and print its value, this once')
    .action(
      bench.act((id: string, options: WishOptions) =>
        atData8(bench, options, async (api) => {
          const wish = {
            expires: instantOf(options.expires, clock.now()) ?? null,
            description: options.description ?? '',
          };
          const created = await api.createSecret(id, wish);
          const value = created.value.reveal();
          if (options.json === true) printJson(bench.io, { ...view(created), generatedSecret: value });
          else
            bench.io.out(
              listing([
                ...Object.entries(view(created)).map(([key, part]) => [key, part ?? 'never'] as const),
                ['generatedSecret', value],
              ]),
            );
          if (!(await bench.io.written())) throw lostValue(id, created.secretId);
          say(bench.io, 'the value is shown this once: the API does not tell it again');
        }),
      ),
    );
  withWish(withIssuer(secrets.command('update')).argument('<id>', 'clientId').argument('<secret>', 'id of the secret'))
    .description('change the expiry or the description of a secret')
    .action(
      bench.act((id: string, secret: string, options: WishOptions) => {
        if (options.expires === undefined && options.description === undefined) {
          throw new UsageError('nothing to change: give --expires, --description or both');
        }
        return atData8(bench, options, async (api) => {
          // A PUT may replace the whole: what is not to change is sent as it is.
          const before = await api.getSecret(id, secret);
          const expires = instantOf(options.expires, clock.now());
          const wish = {
            expires: expires === undefined ? before.expires : expires,
            description: options.description ?? before.description,
          };
          await api.updateSecret(id, secret, wish);
          printSecret(bench, options, await api.getSecret(id, secret));
        });
      }),
    );
  withIssuer(secrets.command('delete'))
    .argument('<id>', 'clientId')
    .argument('<secret>', 'id of the secret')
    .description('delete a secret; whoever still uses it loses access')
    .action(
      bench.act((id: string, secret: string, options: Data8CommandOptions) =>
        atData8(bench, options, async (api) => {
          tellDeleted(bench, options, await api.deleteSecret(id, secret), `secret ${secret} of ${id}`);
        }),
      ),
    );

  function printSecret(to: Bench, options: Data8CommandOptions, secret: ListedSecret): void {
    if (options.json === true) printJson(to.io, view(secret));
    else to.io.out(table(HEADING, [row(secret, clock.now())]));
  }
}

const HEADING = ['SECRET', 'EXPIRES', '', 'DESCRIPTION'];

function row(secret: ListedSecret, now: Instant): string[] {
  const { secretId, expires, description } = view(secret);
  return [secretId, expires ?? 'never', secret.expires === null ? ' ' : relative(secret.expires, now), description];
}

function view(secret: ListedSecret): { secretId: string; expires: string | null; description: string } {
  return { secretId: secret.secretId, expires: formatInstantOrNull(secret.expires), description: secret.description };
}

/** A live secret that nobody can use, and that nobody would look for. */
function lostValue(id: string, secretId: string): WorkError {
  return new WorkError(
    `stdout could not be written: the value of secret ${secretId} is lost, the API does not tell it again. Delete that secret with 'rekeyd data8 secrets delete ${id} ${secretId}', and create another`,
  );
}

function withWish(command: Command): Command {
  return command
    .option('--expires <when>', 'a time (2026-07-01T08:00:00Z), a duration from now (90d), or never', expiresArgument)
    .option('--description <text>', 'what it is for');
}

function expiresArgument(text: string): Expires {
  if (text === 'never') return { at: null };
  const duration = parseDuration(text);
  if (duration !== null) return { in: duration };
  const at = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}/.test(text)
    ? Date.parse(/(Z|[+-]\d{2}:\d{2})$/.test(text) ? text : `${text}Z`)
    : Number.NaN;
  if (Number.isNaN(at)) throw new InvalidArgumentError('It must be a time, a duration such as 90d, or never.');
  return { at };
}

function instantOf(expires: Expires | undefined, now: Instant): Instant | null | undefined {
  if (expires === undefined) return undefined;
  return 'in' in expires ? now + expires.in : expires.at;
}
