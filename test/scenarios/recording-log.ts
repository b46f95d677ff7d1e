import type { Log, LogFields } from '../../src/telemetry/log.ts';

/** Keeps every line, for tests that ask what a person was told. */
export function recordingLog(lines: { level: string; event: string; fields: LogFields }[], base: LogFields = {}): Log {
  const at =
    (level: string) =>
    (event: string, _message: string, fields: LogFields = {}) =>
      void lines.push({ level, event, fields: { ...base, ...fields } });
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    with: (fields) => recordingLog(lines, { ...base, ...fields }),
  };
}
