import { chmodSync } from 'node:fs';

const NOBODY = 65_534;

/**
 * Takes the right to a folder away from this process until the returned function is called: root, whom no mode stops,
 * becomes nobody for that long.
 */
export function asAnotherUser(folder: string): () => void {
  if (process.getuid?.() === 0) {
    process.seteuid?.(NOBODY);
    return () => process.seteuid?.(0);
  }
  chmodSync(folder, 0o000);
  return () => chmodSync(folder, 0o700);
}
