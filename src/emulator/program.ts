import { DataFileError } from './data-file.ts';
import { createEmulator } from './emulator.ts';
import type { Emulator } from './emulator.ts';
import type { FaultInput } from './faults.ts';
import type { Seed } from './seed.ts';

/** What `rekeyd emulator` is told. */
export interface ProgramOptions {
  /** 0: any free port. */
  readonly port: number;
  /** Default: 127.0.0.1. */
  readonly host?: string;
  /** The file that the account is kept in; null: in memory only. */
  readonly data: string | null;
  readonly clientId: string | null;
  readonly clientSecret: string | null;
  readonly seed?: Seed;
  readonly faults?: FaultInput;
  /** Opens `/_faults`, `/_log`, `/_truth`, `/_accepted` and `/_revoke` to everybody who reaches the port. */
  readonly faultRoutes?: boolean;
  /** Seconds. */
  readonly tokenLifetime?: number;
  readonly anyClientAdministers?: boolean;
}

export interface ProgramStreams {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
}

/**
 * Runs the emulator until SIGINT or SIGTERM; a second signal ends the process at once.
 * @returns the exit code: 0 after a signal, 1 where it could not start.
 */
export async function runEmulator(options: ProgramOptions, streams: ProgramStreams): Promise<number> {
  const { data, ...rest } = options;
  const stopped = nextSignal();
  let emulator: Emulator;
  try {
    emulator = await createEmulator({
      ...rest,
      ...(data === null ? {} : { data }),
      report: (message) => streams.stderr.write(`${message}\n`),
    });
  } catch (error) {
    stopped.forget();
    const message = whyNotStarted(error, options);
    if (message === null) throw error;
    streams.stderr.write(`${message}\n`);
    return 1;
  }
  streams.stdout.write(greeting(emulator, options));
  await stopped.signal;
  await emulator.close();
  streams.stdout.write('Stopped.\n');
  return 0;
}

/** Null: not a thing that a person can mend. */
function whyNotStarted(error: unknown, { port, host = '127.0.0.1' }: ProgramOptions): string | null {
  if (error instanceof DataFileError) return error.message;
  const code = error instanceof Error && 'code' in error ? error.code : null;
  switch (code) {
    case 'EADDRINUSE':
      return `Port ${port} of ${host} is taken. Give another one with --port, or 0 for any that is free.`;
    case 'EACCES':
      return `Port ${port} of ${host} may not be used by this user. Give one above 1023 with --port.`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `${host} is not an address of this machine.`;
    default:
      return null;
  }
}

function greeting(emulator: Emulator, { data }: ProgramOptions): string {
  const { clientId, clientSecret } = emulator.bootstrap;
  const unknown = '(as printed when the data file was made; --client-secret sets another)';
  return `Data8 emulator
  API:            ${emulator.url}
  token endpoint: ${emulator.tokenUrl}
  client id:      ${clientId}
  client secret:  ${clientSecret ?? unknown}
  data:           ${data ?? 'in memory, gone when it stops (--data FILE keeps it)'}

Point rekeyd at it:

issuers:
  data8:
    type: data8
    baseUrl: ${emulator.url}
    tokenUrl: ${emulator.tokenUrl}
    clientId: ${JSON.stringify(clientId)}
    clientSecret: ${JSON.stringify(clientSecret?.replaceAll('${', () => '$${') ?? '${DATA8_CLIENT_SECRET}')}

Ctrl-C stops it.
`;
}

function nextSignal(): { readonly signal: Promise<void>; forget(): void } {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const stop = (): void => {
    forget();
    resolve(undefined);
  };
  const forget = (): void => {
    process.off('SIGINT', stop);
    process.off('SIGTERM', stop);
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  return { signal: promise, forget };
}
