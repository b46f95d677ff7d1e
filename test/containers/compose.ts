import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const ROOT = join(import.meta.dirname, '../..');
const run = promisify(execFile);

/** The command of Compose: a plugin of Docker's, or the program of its own that went before. */
export type Compose =
  | { readonly how: 'found'; readonly command: readonly [string, ...string[]] }
  | { readonly how: 'none'; readonly reason: string };

/** Which of both is here; it needs no Docker that answers. */
export async function findCompose(): Promise<Compose> {
  for (const command of [['docker', 'compose'], ['docker-compose']] as const) {
    const [program, ...before] = command;
    const found = await run(program, [...before, 'version']).then(
      () => true,
      () => false, // then the next, or the reason below
    );
    if (found) return { how: 'found', command };
  }
  return { how: 'none', reason: 'neither `docker compose` nor `docker-compose` is here' };
}

/** Runs it on this checkout's docker-compose.yml. @returns stdout. @throws with stderr where it says no. */
export async function compose(
  found: Compose,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  if (found.how === 'none') throw new Error(found.reason);
  const [program, ...before] = found.command;
  const { stdout } = await run(program, [...before, ...args], { cwd: ROOT, env: { ...process.env, ...env } });
  return stdout;
}
