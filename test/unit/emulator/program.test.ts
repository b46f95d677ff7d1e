import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { ProgramOptions } from '../../../src/emulator/program.ts';
import { seen } from './caller.ts';

interface Run {
  readonly child: ChildProcess;
  readonly output: { stdout: string; stderr: string };
  readonly exit: Promise<unknown[]>;
}

const program = new URL('../../../src/emulator/program.ts', import.meta.url).href;
const base: ProgramOptions = { port: 0, data: null, clientId: null, clientSecret: null };

function run(options: Partial<ProgramOptions> = {}): Run {
  const script = `
    import { runEmulator } from ${JSON.stringify(program)};
    process.exitCode = await runEmulator(${JSON.stringify({ ...base, ...options })}, process);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'pipe'] });
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk) => (output.stdout += String(chunk)));
  child.stderr.on('data', (chunk) => (output.stderr += String(chunk)));
  return { child, output, exit: once(child, 'close') };
}

async function started(output: Run['output']): Promise<{ data8: Record<string, string> }> {
  await expect.poll(() => output.stdout, { timeout: 15_000 }).toContain('Ctrl-C');
  const snippet = /^issuers:\n(?: .*\n)+/m.exec(output.stdout)?.[0] ?? '';
  return (parse(snippet) as { issuers: { data8: Record<string, string> } }).issuers;
}

describe('the program', () => {
  let child: ChildProcess | undefined;
  afterEach(() => child?.kill('SIGKILL'));

  it.each(['SIGTERM', 'SIGINT'] as const)('prints how to use it, serves, and ends with 0 on %s', async (signal) => {
    const { output, exit, ...rest } = run();
    ({ child } = rest);
    const { data8 } = await started(output);
    expect(data8).toMatchObject({
      type: 'data8',
      baseUrl: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/) as unknown,
    });
    const got = await seen(data8['tokenUrl']!, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        client_id: data8['clientId']!,
        client_secret: data8['clientSecret']!,
      }),
    });
    expect(got.status).toBe(200);
    expect(output.stdout).toContain(`client secret:  ${data8['clientSecret']!}`);

    rest.child.kill(signal);
    expect(await exit).toEqual([0, null]);
    expect(output.stderr).toBe('');
  });

  it('says which port is taken, and exits with 1', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const { output, exit, ...rest } = run({ port });
    ({ child } = rest);
    expect(await exit).toEqual([1, null]);
    expect(output.stderr).toMatch(new RegExp(`^Port ${port} of 127.0.0.1 is taken. .*\n$`));
    expect(output.stdout).toBe('');
    other.close();
  });

  it('says that a data file cannot be used, and exits with 1', async () => {
    const { output, exit, ...rest } = run({ data: import.meta.filename });
    ({ child } = rest);
    expect(await exit).toEqual([1, null]);
    expect(output.stderr).toContain(`${import.meta.filename}: this is not a data file of the emulator.`);
  });
});
