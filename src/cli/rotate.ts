import type { Command } from 'commander';
import type { CredentialView, RotateAnswer, RotationView } from '../daemon/api.ts';
import { formatDuration, MINUTE, SECOND } from '../domain/time.ts';
import type { Duration } from '../domain/time.ts';
import { rotateAll } from './bulk-rotate.ts';
import type { BulkRotateOptions } from './bulk-rotate.ts';
import { credentialPath, findCredential } from './client-argument.ts';
import { durationArgument, globArgument } from './command.ts';
import type { Bench } from './command.ts';
import { UnreachableError } from './daemon-client.ts';
import type { DaemonClient } from './daemon-client.ts';
import { daemonOf, withDaemon } from './daemon-way.ts';
import { EXIT, UsageError } from './exit.ts';
import { printJson, say } from './io.ts';

interface RotateOptions extends BulkRotateOptions {
  readonly all?: true;
}

/** How long the waiting for one rotation takes where nobody says. */
const PATIENCE: Duration = 20 * MINUTE;
/** How long a credential is failing before it is told that its rotation cannot begin: one look may be a bad moment. */
const HELD_LONG: Duration = 5 * SECOND;
/** Likewise, where it was failing before the request: the look that this asks for may wait for its turn. */
const HELD_STILL_LONG: Duration = 30 * SECOND;

/** `rekeyd rotate`: triggers a rotation over HTTP, or one of all that match, and may wait for it. */
export function addRotate(program: Command, bench: Bench): void {
  withDaemon(program.command('rotate'))
    .argument('[issuer/client]', 'clientId, or name where it is unambiguous')
    .description('have a credential rotated now, or all that match')
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
    .option('--timeout <duration>', 'how long --wait waits (default: 20m; with --all: to the end)', durationArgument)
    .option('--json', 'print JSON')
    .option('--all', 'all credentials that --match means, one after the other: for a breach')
    .option('--match <glob>', 'with --all: on ISSUER/CLIENT, clientId or name', globArgument)
    .option('--force', 'with --all: past rotationsPerHour, createsPerDay and the breaker; told in the log, by whom')
    .option('--preview', 'with --all: show what would be done, and begin nothing')
    .option('--yes', 'with --all: do not ask')
    .option('--no-wait', 'with --all: begin it, and do not wait')
    .action(bench.act((client: string | undefined, options: RotateOptions) => rotate(bench, client, options)));
}

/** One, or all: never one where all were meant, or all where one was. @throws UsageError */
async function rotate(bench: Bench, client: string | undefined, options: RotateOptions): Promise<number> {
  const { all, match, force, yes, preview } = options;
  if ((client === undefined) === (all !== true)) {
    throw new UsageError("'rekeyd rotate' needs either a credential or --all --match GLOB");
  }
  if (client === undefined) return rotateAll(bench, options);
  if (match !== undefined || force === true || yes === true || preview === true || options.wait === false) {
    throw new UsageError('--match, --force, --preview, --yes and --no-wait go with --all');
  }
  return rotateOne(bench, client, options);
}

async function rotateOne(bench: Bench, client: string, options: RotateOptions): Promise<number> {
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
  const rotation = await watch(bench, daemon, before, answer.rotationId, options.timeout ?? PATIENCE);
  if (rotation === null) return EXIT.failed;
  if (options.json === true) printJson(io, rotation);
  else io.out(`${rotation.id}\n`);
  return rotation.deliveredAt === null ? EXIT.failed : EXIT.done;
}

/**
 * Follows a rotation, and those that take up its request where it is cut off, until one is delivered or given up.
 * @returns null where neither is known in time.
 */
async function watch(
  bench: Bench,
  daemon: DaemonClient,
  before: CredentialView,
  first: string,
  timeout: Duration,
): Promise<RotationView | null> {
  const { io } = bench;
  let id = first;
  let failures: number | null = before.failures;
  const { clock, ticker } = bench.workshop.ports;
  const end = clock.monotonic() + timeout;
  const patience = before.state === 'failing' ? HELD_STILL_LONG : HELD_LONG;
  let heldSince: Duration | null = null;
  let told = 0;
  let unreachable = false;
  for (;;) {
    try {
      // before the rotation: where that is cut off, the failure that comes of it is not told as its end
      const now = await daemon.get<CredentialView>(credentialPath(before));
      failures ??= now.failures;
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
      if (rotation.retriedAs !== null) {
        say(io, `cut off: ${rotation.error ?? rotation.reason}. It is begun again as ${rotation.retriedAs}`);
        id = rotation.retriedAs;
        failures = null;
        told = 0;
        continue;
      }
      if (rotation.state === 'abandoned' || rotation.state === 'done') {
        say(
          io,
          `abandoned: ${rotation.error ?? rotation.reason}. 'rekeyd explain ${before.issuer}/${before.clientId}' says what comes next`,
        );
        return rotation;
      }
      if (now.state === 'blocked' || (now.state === 'failing' && now.failures > failures)) {
        say(
          io,
          `${now.state}: ${now.lastError ?? now.reason}. 'rekeyd explain ${before.issuer}/${before.clientId}' says what would help`,
        );
        return rotation;
      }
      // nothing was tried, so that no failure is counted: an issuer or a vault that is down holds it back
      const isHeld = now.state === 'failing' && isWaiting(rotation) && (id === first || now.failures === 0);
      heldSince = isHeld ? (heldSince ?? clock.monotonic()) : null;
      if (heldSince !== null && clock.monotonic() - heldSince >= patience) {
        const error = now.lastError ?? now.destinations.find((each) => each.error !== null)?.error ?? null;
        const why = error === null ? '' : `: ${error.replace(/\.$/, '')}`;
        say(
          io,
          `failing (${now.reason})${why}. The daemon goes on trying; 'rekeyd explain ${before.issuer}/${before.clientId}' says what would help`,
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

/** No work on it has begun. */
function isWaiting({ state, steps }: RotationView): boolean {
  return state === 'intended' && steps.length === 0;
}
