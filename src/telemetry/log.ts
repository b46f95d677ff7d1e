/** Fields of a log line. Values are plain data; a SecretValue prints as `[redacted]`. */
export interface LogFields {
  readonly reason?: string;
  readonly issuer?: string;
  readonly clientId?: string;
  readonly name?: string;
  readonly rotationId?: string;
  readonly vault?: string;
  readonly entry?: string;
  readonly [field: string]: unknown;
}

/** Structured logging: a static `event` name in kebab-case, a static message, and fields. */
export interface Log {
  debug(event: string, message: string, fields?: LogFields): void;
  info(event: string, message: string, fields?: LogFields): void;
  warn(event: string, message: string, fields?: LogFields): void;
  error(event: string, message: string, fields?: LogFields): void;
  with(fields: LogFields): Log;
}

/** Says nothing. For tests, and for commands that print tables. */
export const silentLog: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  with: () => silentLog,
};
