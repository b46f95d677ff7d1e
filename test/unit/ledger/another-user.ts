import { chownSync } from 'node:fs';

const NOBODY = 65_534;

/** Nothing is read-only for root: as root, the work is done as nobody, who is given the files. */
export async function asAnotherUser(paths: readonly string[], work: () => Promise<void>): Promise<void> {
  if (process.geteuid?.() !== 0) {
    await work();
    return;
  }
  for (const path of paths) chownSync(path, NOBODY, NOBODY);
  process.seteuid?.(NOBODY);
  try {
    await work();
  } finally {
    process.seteuid?.(0);
  }
}
