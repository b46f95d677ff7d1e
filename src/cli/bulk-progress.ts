import type { BulkView } from '../daemon/bulk/bulk-api.ts';
import { formatDuration, SECOND } from '../domain/time.ts';
import type { Duration } from '../domain/time.ts';
import { printable } from '../telemetry/printable.ts';
import type { Bench } from './command.ts';
import { UnreachableError } from './daemon-client.ts';
import type { DaemonClient } from './daemon-client.ts';
import { EXIT } from './exit.ts';
import { printJson, say } from './io.ts';
import { table } from './table.ts';

/** Lines of progress are so far apart, where they cannot be written over. */
const BETWEEN_LINES: Duration = 10 * SECOND;

export function bulkPath(id: string): string {
  return `/v1/bulk/${encodeURIComponent(id)}`;
}

/** One line on how it goes. */
export function progressOf({ counts, total, heldBy }: BulkView): string {
  const { delivered, rotating, waiting, failed, skipped } = counts;
  const held = heldBy === null ? '' : `; the rest is held: ${heldBy}`;
  return `${delivered} of ${total} delivered, ${rotating} rotating, ${waiting} waiting, ${failed} failed, ${skipped} skipped${held}`;
}

/** Those that failed or were skipped; empty where none did. */
export function unwellTable({ unwell }: BulkView): string {
  if (unwell.length === 0) return '';
  const rows = unwell.map((one) => [`${one.issuer}/${one.clientId}`, one.name, one.fate, one.reason, one.error ?? '']);
  return table(['CREDENTIAL', 'NAME', 'FATE', 'REASON', 'ERROR'], rows);
}

/** 0: all were delivered. */
export function exitOfBulk({ state, counts, total }: BulkView): number {
  return state === 'finished' && counts.delivered === total ? EXIT.done : EXIT.failed;
}

/** Shows how a bulk goes until it is over, time is, or a signal ends the looking; the bulk goes on. @returns the exit code. */
export async function followBulk(
  bench: Bench,
  daemon: DaemonClient,
  id: string,
  { timeout, json }: { readonly timeout?: Duration | undefined; readonly json?: true | undefined },
): Promise<number> {
  const { io, workshop } = bench;
  const { clock, ticker } = workshop.ports;
  const end = timeout === undefined ? Number.POSITIVE_INFINITY : clock.monotonic() + timeout;
  const left = new AbortController();
  const undo = workshop.onStop(() => {
    left.abort();
    return Promise.resolve();
  });
  const line = new ProgressLine(bench);
  try {
    while (!left.signal.aborted && clock.monotonic() < end) {
      try {
        const view = await daemon.get<BulkView>(bulkPath(id));
        if (view.state !== 'running') {
          line.close(progressOf(view));
          return report(bench, view, json);
        }
        line.show(progressOf(view));
      } catch (error) {
        // a daemon that is restarted in the middle goes on with the bulk; so does the looking
        if (!(error instanceof UnreachableError)) throw error;
        line.show(`${error.message} Waiting for it to come back.`, true);
      }
      await ticker.sleep(Math.min(SECOND, end - clock.monotonic()), left.signal).catch(() => undefined);
    }
  } finally {
    undo();
  }
  line.close(null);
  const why = left.signal.aborted ? 'no longer looking' : `not over within ${formatDuration(timeout ?? 0)}`;
  say(io, `${why}; the bulk goes on: 'rekeyd bulk ${id}' shows how, 'rekeyd bulk ${id} --cancel' ends it`);
  return EXIT.failed;
}

function report({ io }: Bench, view: BulkView, json: true | undefined): number {
  if (json === true) printJson(io, view);
  else io.out(`${view.id}\n`);
  io.err(unwellTable(view));
  const by = view.cancelledBy === null ? '' : ` by ${view.cancelledBy}`;
  say(io, `bulk ${view.id} is ${view.state}${by}`);
  return exitOfBulk(view);
}

/** A line that is written over on a terminal; elsewhere one now and then. */
class ProgressLine {
  readonly #bench: Bench;
  #last = '';
  #at = Number.NEGATIVE_INFINITY;

  constructor(bench: Bench) {
    this.#bench = bench;
  }

  /** @param atOnce also right after another line. */
  show(text: string, atOnce = false): void {
    const { io, workshop } = this.#bench;
    const now = workshop.ports.clock.monotonic();
    if (text === this.#last) return;
    if (io.errIsTerminal) io.err(`\r${printable(text)}\u001b[K`);
    else if (!atOnce && now - this.#at < BETWEEN_LINES) return;
    else say(io, text);
    this.#last = text;
    this.#at = now;
  }

  /** The last line stays. */
  close(text: string | null): void {
    const { io } = this.#bench;
    if (io.errIsTerminal) io.err(text === null ? '\n' : `\r${printable(text)}\u001b[K\n`);
    else if (text !== null && text !== this.#last) say(io, text);
  }
}
