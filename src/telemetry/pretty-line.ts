import { prettyFactory } from 'pino-pretty';
import { printable } from './printable.ts';

/** What stands at a line's head already, or is written without its key. */
const HEAD = new Set(['level', 'time', 'event']);

/**
 * Turns a JSON log line into a readable one: `[14:03:07.120] INFO: delivered everywhere  rotation-settled name=prod-crm
 * generation=2`. In-process and at once: no worker thread that a crash could cut off. Times of day are UTC.
 */
export function prettyLine(colour: boolean): (line: string) => string {
  const pretty = prettyFactory({
    colorize: colour,
    hideObject: true,
    // pino-pretty gives these a place of its own, and escapes nothing there
    ignore: 'name,pid,hostname,caller,type,stack',
    translateTime: 'UTC:HH:MM:ss.l',
    messageFormat: (log, messageKey, _levelLabel, { colors }) => {
      const pairs = Object.entries(log)
        .filter(([key]) => !HEAD.has(key) && key !== messageKey)
        .map(([key, value]) => `${printable(key)}=${readable(value)}`);
      return [plain(log[messageKey]), colors.gray([plain(log['event']), ...pairs].join(' '))].join('  ');
    },
  });
  return (line) => pretty(line);
}

function plain(value: unknown): string {
  return typeof value === 'string' ? printable(value) : '';
}

/** A bare word stays bare; everything else is quoted as JSON, so that a value's end is seen and nothing in it acts. */
function readable(value: unknown): string {
  if (typeof value === 'string' && /^[\p{L}\p{N}_.:/@+*-]+$/u.test(value)) return value;
  return printable(JSON.stringify(value));
}
