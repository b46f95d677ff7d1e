import { pino } from 'pino';
import type { Clock } from '../domain/ports.ts';
import { formatInstant } from '../domain/time.ts';
import type { AdjustableLog } from './log-level.ts';
import type { LogLevel } from './log-levels.ts';
import type { Log, LogFields } from './log.ts';
import { plainField } from './plain-fields.ts';
import { prettyLine } from './pretty-line.ts';
import { printable } from './printable.ts';

/** What `REKEYD_LOG_FORMAT` may be. */
export const LOG_FORMATS = ['json', 'pretty'] as const;
export type LogFormat = (typeof LOG_FORMATS)[number];

export interface LogOptions {
  readonly level: LogLevel;
  readonly format: LogFormat;
  /** Takes whole lines, each with its line feed: process.stdout, or whatever a test reads. */
  readonly destination: { write(line: string): unknown };
  readonly clock: Pick<Clock, 'now'>;
  /** Colours of the readable format. */
  readonly colour?: boolean;
}

/** Keys that pino or this adapter writes itself: a field of that name would make a line with the key twice. */
const RESERVED = new Set(['level', 'time', 'event', 'msg']);

/**
 * A Log over pino: JSON lines `{"level","time","event",...fields,"msg"}`, or readable ones. Lines are written before the
 * call returns, so that the last one before a crash is there. Fields are reduced to plain data (see plainField): a
 * SecretValue prints `[redacted]`, an error just its safe message. A field that has the name of one of pino's keys is
 * written with `_` behind it.
 */
export function createLog(options: LogOptions): AdjustableLog {
  const { clock, destination } = options;
  const render = options.format === 'pretty' ? prettyLine(options.colour ?? false) : printableLine;
  const logger = pino(
    {
      level: options.level,
      base: null,
      timestamp: () => `,"time":"${formatInstant(clock.now())}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: (line: string) => destination.write(render(line)) },
  );
  return {
    ...bound({}),
    get level() {
      return logger.level as LogLevel;
    },
    set level(level) {
      logger.level = level;
    },
  };

  function bound(fixed: LogFields): Log {
    const write =
      (level: Exclude<LogLevel, 'silent'>) =>
      (event: string, message: string, fields: LogFields = {}): void => {
        if (!logger.isLevelEnabled(level)) return;
        logger[level]({ event, ...plainFields({ ...fixed, ...fields }) }, message);
      };
    return {
      debug: write('debug'),
      info: write('info'),
      warn: write('warn'),
      error: write('error'),
      with: (fields) => bound({ ...fixed, ...fields }),
    };
  }
}

function plainFields(fields: LogFields): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([key, value]) => [RESERVED.has(key) ? `${key}_` : key, plainField(value)]),
  );
}

/**
 * JSON escapes C0 by itself, but leaves C1 controls, U+2028 and direction marks, which terminals and line-based tools
 * act on. In a JSON line they can only stand inside a string, where their escape means the same.
 */
function printableLine(line: string): string {
  return `${printable(line.trimEnd())}\n`;
}
