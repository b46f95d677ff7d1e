import type { BulkPreview, BulkView } from '../daemon/bulk/bulk-api.ts';
import { formatDuration } from '../domain/time.ts';
import type { Duration } from '../domain/time.ts';
import { followBulk } from './bulk-progress.ts';
import type { Bench } from './command.ts';
import { AnswerError } from './daemon-client.ts';
import type { DaemonClient } from './daemon-client.ts';
import { daemonOf } from './daemon-way.ts';
import type { WayOptions } from './daemon-way.ts';
import { EXIT, UsageError } from './exit.ts';
import { printJson, say } from './io.ts';
import { table } from './table.ts';
import { relativeTo } from './when.ts';

export interface BulkRotateOptions extends WayOptions {
  readonly match?: string;
  readonly grace?: Duration;
  readonly note?: string;
  readonly force?: true;
  readonly yes?: true;
  readonly preview?: true;
  readonly wait?: boolean;
  readonly timeout?: Duration;
  readonly json?: true;
}

/** Rows of a preview that are shown; the totals are of all. */
const SHOWN = 50;
/** With --yes: so many previews, where the set changes between preview and confirmation. */
const TRIES = 3;

/** `rekeyd rotate --all`: previews, asks, begins, and shows how it goes. @throws UsageError, UnreachableError, AnswerError */
export async function rotateAll(bench: Bench, options: BulkRotateOptions): Promise<number> {
  const { io } = bench;
  if (options.match === undefined) {
    throw new UsageError(
      "'rekeyd rotate --all' needs --match GLOB, on ISSUER/CLIENT or a name; --match '*' is everything",
    );
  }
  const daemon = await daemonOf(bench, options);
  for (let attempt = 1; ; attempt += 1) {
    const preview = await daemon.post<BulkPreview>('/v1/bulk/preview', { ...wishOf(options), limit: SHOWN });
    if (options.preview === true) {
      if (options.json === true) printJson(io, preview);
      else io.out(previewText(bench, preview));
      return EXIT.done;
    }
    io.err(previewText(bench, preview));
    if (preview.rotate === 0) {
      say(io, 'nothing was started: there is nothing to rotate');
      return EXIT.failed;
    }
    if (!(await isConfirmed(bench, options, preview))) {
      say(io, 'nothing was started');
      return EXIT.failed;
    }
    try {
      return await start(bench, daemon, options, preview);
    } catch (error) {
      const changed = error instanceof AnswerError && error.problem === 'bulk-changed';
      if (!changed || options.yes !== true || attempt === TRIES) throw error;
      say(io, 'the set has changed meanwhile: looking again');
    }
  }
}

function wishOf({ match, grace, note, force }: BulkRotateOptions) {
  return {
    match,
    force: force === true,
    ...(grace === undefined ? {} : { grace: formatDuration(grace) }),
    ...(note === undefined ? {} : { note }),
  };
}

/** @throws UsageError where nobody can be asked */
async function isConfirmed({ io }: Bench, { yes }: BulkRotateOptions, { rotate }: BulkPreview): Promise<boolean> {
  if (yes === true) return true;
  if (io.ask === null) {
    throw new UsageError(
      'nothing was started: nobody is at a terminal to confirm it. Look at the preview, then give --yes',
    );
  }
  return (await io.ask(`Type the number of credentials to go on (${rotate}): `)).trim() === String(rotate);
}

async function start(
  bench: Bench,
  daemon: DaemonClient,
  options: BulkRotateOptions,
  { digest }: BulkPreview,
): Promise<number> {
  const { io } = bench;
  const view = await daemon.post<BulkView>('/v1/bulk', { ...wishOf(options), confirm: digest });
  if (options.wait !== false) {
    say(io, `bulk ${view.id} is under way; Ctrl-C ends the looking, not the bulk`);
    return followBulk(bench, daemon, view.id, options);
  }
  if (options.json === true) printJson(io, view);
  else io.out(`${view.id}\n`);
  say(io, `bulk ${view.id} is under way: 'rekeyd bulk ${view.id}' shows how, with --cancel ends it`);
  return EXIT.done;
}

function previewText({ workshop }: Bench, preview: BulkPreview): string {
  const now = workshop.ports.clock.now();
  const rows = preview.items.map((one) => [
    `${one.issuer}/${one.clientId}`,
    one.name,
    one.state,
    one.action,
    one.reason ?? '',
    relativeTo(now, one.expires),
  ]);
  const more = preview.matched - preview.items.length;
  const skipped = Object.entries(preview.skippedFor).map(([reason, count]) => `${count} ${reason}`);
  return [
    table(['CREDENTIAL', 'NAME', 'STATE', 'ACTION', 'REASON', 'EXPIRES'], rows),
    ...(more > 0 ? [`... and ${more} more\n`] : []),
    `${preview.matched} match: ${preview.rotate} to rotate, ${preview.skip} to skip`,
    `${skipped.length === 0 ? '' : ` (${skipped.join(', ')})`}\n`,
    ...(preview.atLeast === '0s' ? [] : [`limits.rotationsPerHour makes it last ${preview.atLeast} at least\n`]),
    ...(preview.inGrace === 0
      ? []
      : [`${preview.inGrace} secrets that were replaced before stay valid until their own grace ends\n`]),
  ].join('');
}
