import { askOn } from './compose/ask.ts';
import { exitOf } from './cli/exit.ts';
import type { Io } from './cli/io.ts';
import { say } from './cli/io.ts';
import { runProgram } from './cli/program.ts';
import { logFor } from './compose/logging.ts';
import { drained, Output } from './compose/output.ts';
import { realPorts } from './compose/ports.ts';
import { guardProcess } from './compose/process-guard.ts';
import { packageVersion } from './compose/version.ts';
import { createWorkshop } from './compose/workshop.ts';

/** The program: runs the command line `args` (without `node` and the script), then ends the process with its exit code. */
export async function main(args: readonly string[]): Promise<void> {
  const { stdin, stdout, stderr, env } = process;
  const output = new Output(stdout);
  const io: Io = {
    out: (text) => output.print(text),
    written: () => output.written(),
    err: (text) => void stderr.write(text),
    outIsTerminal: stdout.isTTY,
    errIsTerminal: stderr.isTTY,
    ask: stdin.isTTY ? askOn(stdin, stderr) : null,
    env,
  };
  // Until a command has a log of its own, a crash is told on stderr, whatever the environment says of levels.
  const guard = guardProcess(process, logFor(stderr, {}, realPorts.clock));
  const code = await run(args, io, (log) => guard.logTo(log));
  // Not by letting the event loop run dry: a library's forgotten timer would keep a finished command waiting.
  await Promise.all([drained(stdout), drained(stderr)]);
  process.exit(code);
}

async function run(
  args: readonly string[],
  io: Io,
  logTo: Parameters<typeof createWorkshop>[0]['logTo'],
): Promise<number> {
  try {
    const { stdout, stderr, env } = process;
    const workshop = createWorkshop({ version: packageVersion(), ports: realPorts, env, stdout, stderr, logTo });
    return await runProgram(args, workshop, io);
  } catch (error) {
    const { code, message } = exitOf(error);
    say(io, `rekeyd: ${message}`);
    return code;
  }
}
