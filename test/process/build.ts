import { execFile } from 'node:child_process';
import { readdir, rm, stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Before the tests of the real binary: builds `dist` where it is missing or older than the source. */
export async function setup(): Promise<void> {
  const [source, built] = await Promise.all([newest('src', '.ts'), oldest('dist', '.js')]);
  if (built > source) return;
  const tsc = fileURLToPath(new URL('../../node_modules/typescript/bin/tsc', import.meta.url));
  const run = (...args: string[]) => promisify(execFile)(process.execPath, args, { cwd: ROOT });
  // as `npm run build` does it: the binary starts what the second makes
  await rm(`${ROOT}/dist`, { recursive: true, force: true });
  await run(tsc, '-p', 'tsconfig.build.json');
  await run('packaging/bundle.ts', 'package');
}

async function newest(folder: string, extension: string): Promise<number> {
  return Math.max(0, ...(await times(folder, extension)));
}

async function oldest(folder: string, extension: string): Promise<number> {
  const all = await times(folder, extension);
  return all.length === 0 ? 0 : Math.min(...all);
}

async function times(folder: string, extension: string): Promise<number[]> {
  const names = await readdir(`${ROOT}/${folder}`, { recursive: true }).catch(() => []);
  const files = names.filter((name) => name.endsWith(extension));
  return Promise.all(files.map(async (name) => (await stat(`${ROOT}/${folder}/${name}`)).mtimeMs));
}
