import { runEmulator } from '../../src/emulator/program.ts';
import type { ProgramOptions } from '../../src/emulator/program.ts';

/** The emulator as a program of its own, with the switches that `rekeyd emulator` does not offer: see issuer-process.ts. */
const options = JSON.parse(process.argv[2] ?? '{}') as ProgramOptions;
process.exitCode = await runEmulator(options, { stdout: process.stdout, stderr: process.stderr });
