import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { exitOf } from '../../../src/cli/exit.ts';
import { openingError, prepareFolder } from '../../../src/vaults/private-files.ts';

const option = { vault: 'local', option: 'path', path: '/mnt/vault' };
const failure = (code: string): Error => Object.assign(new Error(`${code}: it failed`), { code });

describe('a vault of files that cannot be opened', () => {
  it.each(['ENOSPC', 'EDQUOT', 'EIO', 'EROFS', 'EMFILE', 'ESTALE'])(
    '%s is a fault of the machine: exit code 1, and a supervisor starts it again',
    (code) => {
      const { code: exit, message } = exitOf(openingError(option, 'write to', failure(code)));
      expect(exit).toBe(1);
      expect(message).toContain("Vault 'local' cannot be opened: cannot write to '/mnt/vault': ");
      expect(message).toContain(code);
    },
  );

  it.each(['EACCES', 'EPERM', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG'])(
    '%s is one of the configuration: exit code 2, and the option is named',
    (code) => {
      const { code: exit, message } = exitOf(openingError(option, 'look at', failure(code)));
      expect(exit).toBe(2);
      expect(message).toContain('vaults.local.path');
    },
  );

  it('a file that stands where its folder should be is one of the configuration', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'rekeyd-opening-'));
    try {
      await writeFile(join(folder, 'file'), '');
      const path = join(folder, 'file', 'vault');
      const error: unknown = await prepareFolder({ ...option, path }, 0o700, 0o077).catch((thrown: unknown) => thrown);
      expect(exitOf(error).code).toBe(2);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
