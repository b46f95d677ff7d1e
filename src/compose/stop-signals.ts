import { safeMessage } from '../domain/errors.ts';
import { SECOND } from '../domain/time.ts';
import type { Duration } from '../domain/time.ts';

/**
 * Ctrl-C under npm arrives twice: from the terminal, and forwarded by npm. A second SIGINT this soon after the first is
 * taken for the same key.
 */
const SAME_KEY: Duration = SECOND / 2;

/**
 * Calls `stop` at the first SIGTERM or SIGINT. A second one ends the process at once, exit code 1; `tell` is told of both.
 * @returns a function that undoes it.
 */
export function onStopSignal(stop: () => Promise<void>, tell: (message: string) => void): () => void {
  let first: Duration | null = null;
  const listen = (signal: NodeJS.Signals): void => {
    const now = performance.now();
    if (first === null) {
      first = now;
      tell(`${signal}: stopping; a second signal ends it at once`);
      stop().catch((error: unknown) => tell(`stopping failed: ${safeMessage(error)}`));
      return;
    }
    if (signal === 'SIGINT' && now - first < SAME_KEY) return;
    tell(`${signal} again: ended without waiting; what was under way is recovered at the next start`);
    process.exit(1);
  };
  process.on('SIGTERM', listen);
  process.on('SIGINT', listen);
  return () => {
    process.off('SIGTERM', listen);
    process.off('SIGINT', listen);
  };
}
