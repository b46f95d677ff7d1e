import { delimiter } from 'node:path';
import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import { compilePattern } from '../config/pattern.ts';
import type { Settings } from '../config/settings.ts';
import { parseDuration } from '../domain/time.ts';
import type { Duration } from '../domain/time.ts';
import type { Io } from './io.ts';
import type { Workshop } from './workshop.ts';

/** What every command is made with. */
export interface Bench {
  readonly workshop: Workshop;
  readonly io: Io;
  /**
   * Makes `work`'s result the exit code of the process; where what it printed cannot be written, it has failed. `unread`:
   * not for that, what it does is of use to who reads nothing.
   */
  act<Arguments extends unknown[]>(
    work: (...args: Arguments) => Promise<number>,
    options?: { readonly unread: true },
  ): (...args: Arguments) => Promise<void>;
}

export interface ConfigOptions {
  readonly config?: readonly string[];
}

/** Where the configuration is looked for when nobody says. */
export const DEFAULT_CONFIG = 'config/rekeyd.yaml';

/** Adds `-c, --config FILE`. */
export function withConfig(command: Command): Command {
  return command.option(
    '-c, --config <file>',
    `configuration file; several are merged, later over earlier (default: $REKEYD_CONFIG, else ${DEFAULT_CONFIG})`,
    (file: string, before: readonly string[] | undefined) => [...(before ?? []), file],
  );
}

/** The files that `-c`, REKEYD_CONFIG (several separated as in PATH) or the default name. */
export function configFiles(options: ConfigOptions, io: Io): readonly string[] {
  if (options.config !== undefined && options.config.length > 0) return options.config;
  const named = (io.env['REKEYD_CONFIG'] ?? '').split(delimiter).filter((file) => file !== '');
  return named.length > 0 ? named : [DEFAULT_CONFIG];
}

/** @throws ConfigError with every problem found. */
export function settingsOf(bench: Bench, options: ConfigOptions): Promise<Settings> {
  return bench.workshop.loadSettings(configFiles(options, bench.io));
}

/** Reads a duration argument. @throws InvalidArgumentError, which commander tells as wrong usage. */
export function durationArgument(text: string): Duration {
  const duration = parseDuration(text);
  if (duration === null) throw new InvalidArgumentError('A duration is a number and a unit: 45s, 15m, 36h, 90d.');
  return duration;
}

/** Reads a whole number of at least `least`. @throws InvalidArgumentError. */
export function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const number = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (number >= least && number <= most) return number;
    throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}.`);
  };
}

/** Reads a glob, which stays a text: what it means is asked elsewhere. @throws InvalidArgumentError where it cannot be used. */
export function globArgument(text: string): string {
  const pattern = compilePattern(text);
  if ('problem' in pattern) throw new InvalidArgumentError(`The pattern cannot be used: ${pattern.problem}.`);
  return text;
}
