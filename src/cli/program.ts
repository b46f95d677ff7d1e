import { Command } from 'commander';
import { addBulk } from './bulk.ts';
import { addCheck } from './check.ts';
import type { Bench } from './command.ts';
import { addData8 } from './data8.ts';
import { addEmulator } from './emulator.ts';
import { EXIT, exitOf } from './exit.ts';
import { addExplain } from './explain.ts';
import { addHealth } from './health.ts';
import { addInit } from './init.ts';
import type { Io } from './io.ts';
import { say } from './io.ts';
import { addLogLevel } from './log-level.ts';
import { addOnce } from './once.ts';
import { addOperations } from './operations.ts';
import { addPause } from './pause.ts';
import { addPlan } from './plan.ts';
import { addRead } from './read.ts';
import { addRotate } from './rotate.ts';
import { addRun } from './run.ts';
import { addStatus } from './status.ts';
import type { Workshop } from './workshop.ts';

/**
 * Runs one command line (without `node` and the script) to its end.
 * @returns the exit code; it does not throw.
 */
export async function runProgram(args: readonly string[], workshop: Workshop, io: Io): Promise<number> {
  const ended: { code: number; unread: boolean } = { code: EXIT.done, unread: false };
  const bench: Bench = {
    workshop,
    io,
    act:
      (work, options) =>
      async (...given) => {
        ended.unread = options?.unread === true;
        ended.code = await work(...given);
      },
  };
  try {
    await buildProgram(bench).parseAsync(args, { from: 'user' });
  } catch (error) {
    const exit = exitOf(error);
    if (exit.message !== '') say(io, `rekeyd: ${exit.message}`);
    ended.code = exit.code;
  }
  // help and version come out of `parseAsync` as errors, and are output, too
  const isGood = ended.code === EXIT.done || ended.code === EXIT.something;
  return isGood && !ended.unread && !(await io.written()) ? EXIT.failed : ended.code;
}

/** All commands. Exported so that a test can hold docs/cli.md to it. */
export function buildProgram(bench: Bench): Command {
  const program = new Command('rekeyd');
  // Before the commands are added: they inherit both settings.
  program.exitOverride().configureOutput({
    writeOut: (text) => bench.io.out(text),
    writeErr: (text) => bench.io.err(text),
  });
  program
    .description('Keeps client secrets fresh: rotates, delivers, proves, and deletes what was replaced.')
    .version(bench.workshop.version)
    .showHelpAfterError("(try 'rekeyd --help', or 'rekeyd COMMAND --help')")
    .addHelpText('after', '\nExit codes: 0 done; 1 the work failed, or part of it; 2 wrong usage or configuration.');
  for (const add of COMMANDS) add(program, bench);
  return program;
}

const COMMANDS = [
  addRun,
  addOnce,
  addPlan,
  addExplain,
  addInit,
  addCheck,
  addStatus,
  addHealth,
  addRotate,
  addBulk,
  addPause,
  addLogLevel,
  addOperations,
  addRead,
  addData8,
  addEmulator,
] as const;
