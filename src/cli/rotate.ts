import type { Command } from 'commander';
import type { CredentialView, RotateAnswer, RotationView } from '../daemon/api.ts';
import { formatDuration, MINUTE, SECOND } from '../domain/time.ts';
import type { Duration } from '../domain/time.ts';
import { credentialPath, findCredential } from './client-argument.ts';
import { durationArgument } from './command.ts';
import type { Bench } from './command.ts';
import { UnreachableError } from './daemon-client.ts';
import type { DaemonClient } from './daemon-client.ts';
import { daemonOf, withDaemon } from './daemon-way.ts';
import type { WayOptions } from './daemon-way.ts';
import { EXIT } from './exit.ts';
import { printJson, say } from './io.ts';

interface RotateOptions extends WayOptions {
  readonly grace?: Duration;
  readonly note?: string;
  readonly wait?: true;
  readonly timeout: Duration;
  readonly json?: true;
}

/** `rekeyd rotate`: triggers a rotation over HTTP, and may wait for it. */
export function addRotate(program: Command, bench: Bench): void {
  withDaemon(program.command('rotate'))
    .argument('<issuer/client>', 'clientId, or name where it is unambiguous')
    .description('have a credential rotated now')
    .option(
      '--grace <duration>',
      "how long the old secret stays valid, instead of the policy's grace",
      durationArgument,
    )
    .option('--note <text>', 'why; kept with the rotation')
    .option(
      '--wait',
      'show progress, and end when it is delivered everywhere (0), or failed, blocked or out of time (1)',
    )
    .option('--timeout <duration>', 'how long --wait waits', durationArgument, 20 * MINUTE)
    .option('--json', 'print JSON')
    .action(bench.act((client: string, options: RotateOptions) => rotate(bench, client, options)));
}

async function rotate(bench: Bench, client: string, options: RotateOptions): Promise<number> {
  const { io } = bench;
  const daemon = await daemonOf(bench, options);
  const before = await findCredential(daemon, client);
  const answer = await daemon.post<RotateAnswer>(`${credentialPath(before)}/rotate`, {
    ...(options.grace === undefined ? {} : { grace: formatDuration(options.grace) }),
    ...(options.note === undefined ? {} : { note: options.note }),
  });
  const place = `${before.issuer}/${before.clientId}`;
  if (options.wait !== true) {
    if (options.json === true) printJson(io, answer);
    else io.out(`${answer.rotationId}\n`);
    say(
      io,
      `rotation of ${place} (${before.name}) is under way, grace ${answer.grace}; 'rekeyd status' shows how it goes`,
    );
    return EXIT.done;
  }
  say(io, `rotation ${answer.rotationId} of ${place} (${before.name}), grace ${answer.grace}`);
  const rotation = await watch(bench, daemon, before, answer.rotationId, options.timeout);
  if (rotation === null) return EXIT.failed;
  if (options.json === true) printJson(io, rotation);
  else io.out(`${rotation.id}\n`);
  return rotation.deliveredAt === null ? EXIT.failed : EXIT.done;
}

/** Follows a rotation until it is delivered or given up. @returns null where neither is known in time. */
async function watch(
  bench: Bench,
  daemon: DaemonClient,
  before: CredentialView,
  id: string,
  timeout: Duration,
): Promise<RotationView | null> {
  const { io } = bench;
  const { clock, ticker } = bench.workshop.ports;
  const end = clock.monotonic() + timeout;
  let told = 0;
  let unreachable = false;
  for (;;) {
    try {
      const rotation = await daemon.get<RotationView>(`/v1/rotations/${id}`);
      unreachable = false;
      for (const step of rotation.steps.slice(told)) say(io, `${step.at}  ${step.step}  ${step.outcome}`);
      told = Math.max(told, rotation.steps.length);
      if (rotation.deliveredAt !== null) {
        say(
          io,
          `delivered everywhere; the old secret is kept until ${rotation.deleteAfter ?? 'nothing is superseded'}`,
        );
        return rotation;
      }
      if (rotation.state === 'abandoned' || rotation.state === 'done') {
        say(
          io,
          `abandoned: ${rotation.error ?? rotation.reason}. 'rekeyd explain ${before.issuer}/${before.clientId}' says what comes next`,
        );
        return rotation;
      }
      const now = await daemon.get<CredentialView>(credentialPath(before));
      if (now.state === 'blocked' || (now.state === 'failing' && now.failures > before.failures)) {
        say(
          io,
          `${now.state}: ${now.lastError ?? now.reason}. 'rekeyd explain ${before.issuer}/${before.clientId}' says what would help`,
        );
        return rotation;
      }
    } catch (error) {
      // A daemon that is restarted in the middle goes on with the rotation; so does the waiting.
      if (!(error instanceof UnreachableError)) throw error;
      if (!unreachable) say(io, `${error.message} Waiting for it to come back.`);
      unreachable = true;
    }
    if (clock.monotonic() >= end) {
      say(io, `not delivered everywhere within ${formatDuration(timeout)}; the daemon goes on with it`);
      return null;
    }
    await ticker.sleep(Math.min(SECOND, Math.max(0, end - clock.monotonic())));
  }
}
