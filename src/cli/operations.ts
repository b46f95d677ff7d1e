import type { Command } from 'commander';
import type { CredentialView, RotationView } from '../daemon/api.ts';
import { credentialPath, findCredential } from './client-argument.ts';
import type { Bench } from './command.ts';
import { daemonOf, withDaemon } from './daemon-way.ts';
import type { WayOptions } from './daemon-way.ts';
import { EXIT } from './exit.ts';
import { printJson, say } from './io.ts';

interface OperationOptions extends WayOptions {
  readonly json?: true;
}

/** `rekeyd scan`, `rekeyd retire` and `rekeyd forget`: the rest of what an operator may ask over HTTP. */
export function addOperations(program: Command, bench: Bench): void {
  withDaemon(program.command('scan'))
    .description('have the daemon scan now')
    .option('--json', 'print JSON')
    .action(
      bench.act(async (options: OperationOptions) => {
        const daemon = await daemonOf(bench, options);
        const answer = await daemon.post<{ readonly scanId: string }>('/v1/scan', {});
        if (options.json === true) printJson(bench.io, answer);
        else bench.io.out(`${answer.scanId}\n`);
        return EXIT.done;
      }),
    );
  withDaemon(program.command('retire'))
    .argument('<rotation>', 'the id of the rotation whose grace ends')
    .description('end the grace of what a rotation superseded; the proof before the deletion is still asked for')
    .option('--json', 'print JSON')
    .action(
      bench.act(async (rotation: string, options: OperationOptions) => {
        const daemon = await daemonOf(bench, options);
        const view = await daemon.post<RotationView>(`/v1/rotations/${encodeURIComponent(rotation)}/retire`, {});
        if (options.json === true) printJson(bench.io, view);
        else bench.io.out(`${view.id}\n`);
        say(
          bench.io,
          `to be deleted once proven, and in a maintenance window where its policy has any: ${view.supersedes.join(', ') || 'nothing is superseded'}`,
        );
        return EXIT.done;
      }),
    );
  withDaemon(program.command('forget'))
    .argument('<issuer/client>', 'clientId, or name where it is unambiguous')
    .argument('<vault>', 'the vault of a former destination')
    .argument('<entry>', 'its entry')
    .description('let a former destination hold back deletions no longer')
    .option('--json', 'print JSON')
    .action(
      bench.act(async (client: string, vault: string, entry: string, options: OperationOptions) => {
        const daemon = await daemonOf(bench, options);
        const credential = await findCredential(daemon, client);
        const view = await daemon.post<CredentialView>(`${credentialPath(credential)}/forget`, { vault, entry });
        if (options.json === true) printJson(bench.io, view);
        else say(bench.io, `${vault}:${entry} no longer counts for ${view.issuer}/${view.clientId}`);
        return EXIT.done;
      }),
    );
}
