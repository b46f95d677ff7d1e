import { chmod, lstat, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { dirname, join, sep } from 'node:path';
import { ListenError } from './listen-error.ts';

/** What fits into the kernel's address of a socket. */
const MAX_PATH_BYTES = process.platform === 'darwin' ? 103 : 107;

/**
 * Puts a listening socket at `path` with mode 0600, in a folder that is made with 0700 where there is none. It is bound in
 * a private folder beside it and then moved, so that at no time anybody else can open it, whatever the umask; a dead
 * process's socket is replaced in the same step.
 * @param bind listens at the path that it is given.
 * @returns what takes the socket away again; it leaves alone what another process has put there since.
 * @throws ListenError where another process listens there, or something that is no socket is there.
 */
export async function placeSocket(path: string, bind: (at: string) => Promise<void>): Promise<() => Promise<void>> {
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) {
    throw new ListenError(
      `http.socket: ${path} is too long for a socket (${MAX_PATH_BYTES} bytes); choose a shorter path`,
    );
  }
  const folder = dirname(path);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await refuseOccupied(path);
  // not join(): it would take the dot away, and the place would be beside the folder, where this user may have no right
  const nursery = await mkdtemp(`${folder}${sep}.`);
  const cradle = join(nursery, 's');
  try {
    await bind(cradle);
    await chmod(cradle, 0o600);
    await rename(cradle, path);
  } finally {
    await rm(nursery, { recursive: true, force: true });
  }
  const own = await lstat(path);
  return async () => {
    const found = await lstatOrNull(path);
    if (found?.ino === own.ino && found.dev === own.dev) await rm(path, { force: true });
  };
}

async function refuseOccupied(path: string): Promise<void> {
  const found = await lstatOrNull(path);
  if (found === null) return;
  if (!found.isSocket()) {
    throw new ListenError(`http.socket: ${path} exists and is not a socket; move it away, or choose another path`);
  }
  if (await isAlive(path)) {
    throw new ListenError(
      `http.socket: another process listens on ${path}; stop it, or choose another path for this instance`,
    );
  }
}

/** Only a refused connection proves that nobody listens. */
function isAlive(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', (error: NodeJS.ErrnoException) => {
      resolve(error.code !== 'ECONNREFUSED' && error.code !== 'ENOENT');
    });
  });
}

async function lstatOrNull(path: string) {
  try {
    return await lstat(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
