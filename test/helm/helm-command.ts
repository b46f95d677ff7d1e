import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { provisionedFolder } from '../servers/provided-server.ts';

export const ROOT = join(import.meta.dirname, '../..');
export const CHART = join(ROOT, 'helm/rekeyd');
const VERSION = '4.3.1';

/** Helm, or why there is none. */
export type Helm = { readonly how: 'found'; readonly path: string } | { readonly how: 'none'; readonly reason: string };

/**
 * The helm command: `REKEYD_HELM`, else the one that `test/servers/provision helm` built.
 * @throws Error where there is none and `REKEYD_SERVERS_REQUIRED` is set.
 */
export function findHelm(): Helm {
  const path = process.env['REKEYD_HELM'] ?? join(provisionedFolder(`helm-${VERSION}`), 'helm');
  if (existsSync(path)) return { how: 'found', path };
  const reason = `Helm is not here: no ${path} (REKEYD_HELM says where, else test/servers/provision helm makes it)`;
  if (process.env['REKEYD_SERVERS_REQUIRED'] !== undefined) throw new Error(reason);
  tellSkipped(reason);
  return { how: 'none', reason };
}

/** Prints why a file's tests are skipped: the reporter prints only how many. */
export function tellSkipped(reason: string): void {
  process.stderr.write(`skipped: ${reason}\n`);
}

/** What a program printed, and its exit code. */
export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs Helm, to its end. It knows no cluster but the one in `env`. @throws Error where there is none to run. */
export function runHelm(helm: Helm, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ran> {
  if (helm.how === 'none') throw new Error(helm.reason);
  return run(helm.path, args, { PATH: process.env['PATH'], HOME: '/nonexistent', KUBECONFIG: '/nonexistent', ...env });
}

/** Runs a program to its end, whatever its exit code. @throws Error where it cannot be started. */
export function run(command: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<Ran> {
  return new Promise((resolve, reject) => {
    execFile(command, args, { env, cwd: ROOT, maxBuffer: 10_000_000 }, (error, out, err) => {
      if (error === null) resolve({ code: 0, out, err });
      else if (typeof error.code === 'number') resolve({ code: error.code, out, err });
      else reject(new Error(`${command} cannot be run`, { cause: error }));
    });
  });
}
