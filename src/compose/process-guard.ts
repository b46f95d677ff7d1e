import { safeMessage } from '../domain/errors.ts';
import type { Log } from '../telemetry/log.ts';

/** What holds for the whole process. */
export interface ProcessGuard {
  /** From now on a crash is told there. */
  logTo(log: Log): void;
}

/**
 * A reader of stdout that is gone (`| head`, a log collector that died) is no reason to stop working: whether a command has
 * failed by it, `Output` knows. An error that nobody caught ends the process with exit code 1; only its class, code and
 * places are told, for its message may hold anything.
 */
export function guardProcess(host: NodeJS.Process, first: Log): ProcessGuard {
  let log = first;
  let deaf = false;
  host.stdout.on('error', (error: Error) => {
    if (deaf || ('code' in error && error.code === 'EPIPE')) return;
    deaf = true; // once: each further line would say the same
    host.stderr.write(`rekeyd: stdout cannot be written (${safeMessage(error)}): what is printed there is lost\n`);
  });
  // Where stderr fails as well there is nobody left to tell.
  host.stderr.on('error', () => undefined);

  const die = (error: unknown): void => {
    const fields = { error: safeMessage(error), at: framesOf(error) };
    log.error('crashed', 'an error that nothing caught; what was under way is recovered at the next start', fields);
    host.exit(1);
  };
  host.on('uncaughtException', die);
  host.on('unhandledRejection', die);
  return {
    logTo: (next) => {
      log = next;
    },
  };
}

/** The places of the stack, without the message that stands before them. */
function framesOf(error: unknown): string[] {
  if (!(error instanceof Error) || error.stack === undefined) return [];
  const [, ...behind] = error.stack.split(error.message === '' ? /(?=\n)/ : error.message);
  return behind
    .join('')
    .split('\n')
    .filter((line) => /^ {4}at /.test(line))
    .slice(0, 8)
    .map((line) => line.trim());
}
