// Has V8 compile the image's program once, where the image is built, so that no container has to: its root is read-only.
//   node packaging/warm.ts FOLDER FLAG...    FOLDER as packaging/bundle.ts made it; the flags are those of rekeyd.sh
// Node finds what was compiled only for the same files at the same paths, with the same flags, by the same user: so the
// program is started as the container's user, with an issuer that nobody listens for. It needs root.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** As in the Dockerfile. */
const USER = 65_532;
const PATIENCE = 60_000;

/** The vault of most memory and the ledger of the image; the first scan fails, once it has loaded what it asks with. */
const CONFIG = `instance: warm
ledger: { type: sqlite, path: ./rekeyd.db }
http: { port: 0, health: { host: 127.0.0.1, port: 0 }, socket: ./rekeyd.sock }
issuers: { none: { type: data8, baseUrl: "http://127.0.0.1:1", tokenUrl: "http://127.0.0.1:1/token", clientId: x, clientSecret: x } }
vaults: { local: { type: file, path: ./vault, key: ./vault.key } }
`;

/** Starts it, waits for its first scan, and stops it: Node writes at the end. @throws where it does not go that way. */
async function runOnce(program: string, flags: readonly string[], place: string): Promise<void> {
  const child = spawn(process.execPath, [...flags, program, 'run', '-c', join(place, 'rekeyd.yaml')], {
    cwd: place,
    env: { NODE_ENV: 'production', REKEYD_LOG_FORMAT: 'json' },
    uid: USER,
    gid: USER,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'close');
  const tooLong = setTimeout(() => child.kill('SIGKILL'), PATIENCE);
  let log = '';
  child.stdout.on('data', (part) => {
    log += String(part);
    // a second signal would end it without writing
    if (log.includes('"event":"scan-finished"') && !child.killed) child.kill('SIGTERM');
  });
  await ended;
  clearTimeout(tooLong);
  if (child.exitCode !== 0) throw new Error(`the program did not run and stop, it logged:\n${log}`);
}

/** Gives everything in `folder` to root, for all to read: who can write there can change the program. @returns how many files. */
async function giveToRoot(folder: string): Promise<number> {
  let files = 0;
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath, entry.name);
    await chown(path, 0, 0);
    await chmod(path, entry.isDirectory() ? 0o755 : 0o644);
    if (entry.isFile()) files += 1;
  }
  await chown(folder, 0, 0);
  await chmod(folder, 0o755);
  return files;
}

const [folder, ...flags] = process.argv.slice(2);
if (folder === undefined) {
  process.stderr.write('usage: node packaging/warm.ts FOLDER FLAG...\n');
  process.exit(2);
}
const compiled = join(folder, 'dist/.compiled');
const place = await mkdtemp(join(tmpdir(), 'rekeyd-warm-'));
try {
  await mkdir(compiled, { mode: 0o700 });
  await writeFile(join(place, 'rekeyd.yaml'), CONFIG);
  for (const path of [compiled, place]) await chown(path, USER, USER);
  await runOnce(join(folder, 'dist/bundle/rekeyd.js'), flags, place);
  const files = await giveToRoot(compiled);
  if (files < 5) throw new Error(`Node kept what was compiled of ${files} files only`);
  process.stdout.write(`what V8 compiled of ${files} files is kept in ${compiled}\n`);
} finally {
  await rm(place, { recursive: true, force: true });
}
