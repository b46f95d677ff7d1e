import type { Command } from 'commander';
import type { PauseView } from '../daemon/api.ts';
import { formatInstant, parseDuration } from '../domain/time.ts';
import type { Instant } from '../domain/time.ts';
import { credentialPath, findCredential } from './client-argument.ts';
import type { Bench } from './command.ts';
import { daemonOf, withDaemon } from './daemon-way.ts';
import type { WayOptions } from './daemon-way.ts';
import { EXIT, UsageError } from './exit.ts';
import { printJson } from './io.ts';
import { printable } from '../telemetry/printable.ts';

interface PauseOptions extends WayOptions {
  readonly all?: true;
  readonly until?: string;
  readonly note?: string;
  readonly json?: true;
}

/** `rekeyd pause` and `rekeyd resume`. */
export function addPause(program: Command, bench: Bench): void {
  withDaemon(program.command('pause'))
    .argument('[issuer/client]', 'clientId, or name where it is unambiguous')
    .description('start no rotation and delete nothing superseded, until resumed; it is still watched')
    .option('--all', 'everything')
    .option('--until <when>', 'a duration from now (24h) or a time (2026-07-01T08:00:00Z)')
    .option('--note <text>', 'why')
    .option('--json', 'print JSON')
    .action(bench.act((client: string | undefined, options: PauseOptions) => change(bench, 'pause', client, options)));
  withDaemon(program.command('resume'))
    .argument('[issuer/client]', 'clientId, or name where it is unambiguous')
    .description('end a pause')
    .option('--all', 'the pause of everything; pauses of single credentials stay')
    .option('--note <text>', 'why')
    .option('--json', 'print JSON')
    .action(bench.act((client: string | undefined, options: PauseOptions) => change(bench, 'resume', client, options)));
}

async function change(
  bench: Bench,
  verb: 'pause' | 'resume',
  client: string | undefined,
  options: PauseOptions,
): Promise<number> {
  if ((client === undefined) === (options.all !== true)) {
    throw new UsageError(`'rekeyd ${verb}' needs either a credential or --all`);
  }
  const until = options.until === undefined ? null : whenOf(options.until, bench.workshop.ports.clock.now());
  const daemon = await daemonOf(bench, options);
  const target = client === undefined ? null : await findCredential(daemon, client);
  const body = {
    ...(until === null ? {} : { until: formatInstant(until) }),
    ...(options.note === undefined ? {} : { note: options.note }),
  };
  const view = await daemon.post<PauseView>(`${target === null ? '/v1' : credentialPath(target)}/${verb}`, body);
  if (options.json === true) printJson(bench.io, view);
  else {
    const name = target === null ? 'everything' : `${target.issuer}/${target.clientId} (${target.name})`;
    const state = view.paused
      ? `paused ${view.until === null ? 'until resumed' : `until ${view.until}`}`
      : 'not paused';
    bench.io.out(`${printable(name)}: ${state}\n`);
  }
  return EXIT.done;
}

function whenOf(text: string, now: Instant): Instant {
  const duration = parseDuration(text);
  const at = duration === null ? timeOf(text) : now + duration;
  if (at === null) throw new UsageError(`--until must be a duration (24h) or a time (2026-07-01T08:00:00Z)`);
  if (at <= now) throw new UsageError('--until must be in the future');
  return at;
}

function timeOf(text: string): Instant | null {
  if (!/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})$/.test(text)) return null;
  const at = Date.parse(text);
  return Number.isNaN(at) ? null : at;
}
