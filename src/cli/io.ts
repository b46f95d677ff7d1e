import { printable } from '../telemetry/printable.ts';

/** What a command prints to and is told by: the process's streams and environment, or a test's. */
export interface Io {
  /** Data, to stdout, as it is. */
  out(text: string): void;
  /** Waits for all that was printed to stdout. @returns false where some of it could not be written; it does not throw. */
  written(): Promise<boolean>;
  /** A message for a person, to stderr, as it is. */
  err(text: string): void;
  /** Whether stdout is a terminal. */
  readonly outIsTerminal: boolean;
  /** Whether stderr is a terminal: a line there may be written over. */
  readonly errIsTerminal: boolean;
  /** Asks the person at the terminal, and gives the line that is typed; null: nobody is there to be asked. */
  readonly ask: ((question: string) => Promise<string>) | null;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Prints JSON, and nothing else, to stdout. */
export function printJson(io: Io, value: unknown): void {
  io.out(printableLines(JSON.stringify(value, null, 2)));
}

/** Prints a message to stderr; each of its lines is made printable. */
export function say(io: Io, message: string): void {
  io.err(printableLines(message));
}

function printableLines(text: string): string {
  return text
    .split('\n')
    .map((line) => `${printable(line)}\n`)
    .join('');
}
