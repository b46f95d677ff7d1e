import { CommanderError } from 'commander';
import { Refusal } from '../daemon/api.ts';
import { ConfigError, RekeydError, safeMessage } from '../domain/errors.ts';

/** The exit codes that scripts rely on. `something`: only of `plan --exit-code`. */
export const EXIT = { done: 0, failed: 1, usage: 2, something: 3 } as const;

/** A command line that cannot be used: exit code 2. */
export class UsageError extends RekeydError {
  override readonly name = 'UsageError';
  readonly code = 'cli.usage';
}

/** The work failed, with a message that says what to do next: exit code 1. */
export class WorkError extends RekeydError {
  override readonly name = 'WorkError';
  readonly code = 'cli.failed';
}

/**
 * The exit code for whatever a command threw, and what to print on stderr; the text is empty where commander has said it
 * already.
 */
export function exitOf(error: unknown): { readonly code: number; readonly message: string } {
  if (error instanceof CommanderError) return { code: error.exitCode === 0 ? EXIT.done : EXIT.usage, message: '' };
  if (error instanceof ConfigError)
    return { code: EXIT.usage, message: `the configuration cannot be used:\n${error.message}` };
  if (error instanceof UsageError) return { code: EXIT.usage, message: error.message };
  if (error instanceof Refusal) return { code: EXIT.failed, message: error.message };
  return { code: EXIT.failed, message: safeMessage(error) };
}
