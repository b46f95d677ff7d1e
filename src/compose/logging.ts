import { ConfigError } from '../domain/errors.ts';
import type { Clock } from '../domain/ports.ts';
import type { AdjustableLog } from '../telemetry/log-level.ts';
import { LOG_LEVELS } from '../telemetry/log-levels.ts';
import type { LogLevel } from '../telemetry/log-levels.ts';
import { createLog, LOG_FORMATS } from '../telemetry/pino-log.ts';
import type { LogFormat } from '../telemetry/pino-log.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** A stream that lines are written to; `isTTY` as on Node's own. */
export interface LogStream {
  write(line: string): unknown;
  readonly isTTY?: boolean;
}

/**
 * The log of a process, as `REKEYD_LOG_LEVEL` and `REKEYD_LOG_FORMAT` say: JSON lines, but readable ones on a terminal.
 * @param preset what holds where the environment says nothing.
 * @throws ConfigError for a level or format that does not exist.
 */
export function logFor(
  stream: LogStream,
  env: Environment,
  clock: Clock,
  preset: { readonly level: LogLevel; readonly format?: LogFormat } = { level: 'info' },
): AdjustableLog {
  const terminal = stream.isTTY === true;
  const byStream = terminal ? 'pretty' : 'json';
  return createLog({
    level: levelOf(env) ?? preset.level,
    format: oneOf(env, 'REKEYD_LOG_FORMAT', LOG_FORMATS) ?? preset.format ?? byStream,
    destination: stream,
    clock,
    colour: terminal && (env['NO_COLOR'] ?? '') === '',
  });
}

/** Pino has two more, at which rekeyd logs nothing: they come to the next one that says the same. */
function levelOf(env: Environment): LogLevel | null {
  const level = oneOf(env, 'REKEYD_LOG_LEVEL', ['trace', ...LOG_LEVELS, 'fatal'] as const);
  if (level === 'trace') return 'debug';
  return level === 'fatal' ? 'silent' : level;
}

function oneOf<T extends string>(env: Environment, name: string, allowed: readonly T[]): T | null {
  const text = env[name] ?? '';
  if (text === '') return null;
  const found = allowed.find((value) => value === text);
  if (found !== undefined) return found;
  throw new ConfigError([
    { file: null, line: null, column: null, key: name, message: `must be one of ${allowed.join(', ')}` },
  ]);
}
