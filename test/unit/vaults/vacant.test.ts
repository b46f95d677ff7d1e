import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { DEFAULT_FORMAT, renderPayload } from '../../../src/domain/payload.ts';
import { SecretValue } from '../../../src/domain/secret-value.ts';
import { silentLog } from '../../../src/telemetry/log.ts';
import { silentMeter } from '../../../src/telemetry/meter.ts';
import { ABSENT } from '../../../src/vaults/contract.ts';
import { directoryVaultType } from '../../../src/vaults/directory.ts';
import { fileVaultType } from '../../../src/vaults/file.ts';
import { createManualPorts } from '../../fakes/manual-ports.ts';

const folders: string[] = [];
afterEach(() => Promise.all(folders.splice(0).map((each) => rm(each, { recursive: true }))));

async function fresh() {
  const folder = await mkdtemp(join(tmpdir(), 'rekeyd-vacant-'));
  folders.push(folder);
  const context = {
    ...createManualPorts(),
    name: 'v',
    timeout: 1000,
    readBack: 1000,
    log: silentLog,
    meter: silentMeter,
  };
  const open = (readOnly: boolean) =>
    Promise.all([
      fileVaultType.create({ path: join(folder, 'vault'), key: join(folder, 'key') }, { ...context, readOnly }),
      directoryVaultType.create(
        { path: join(folder, 'plain'), mode: '0600', uid: null, gid: null },
        { ...context, readOnly },
      ),
    ]);
  return { folder, open, looking: { ...context, readOnly: true } };
}

describe('a vault on this machine, opened to look only', () => {
  const ref = { entry: 'shop', options: {} };
  const mark = { instance: 'i', issuer: 'd', credential: 'c', generation: 1, secretId: '1', deliveredAt: 0 };
  const payload = renderPayload(DEFAULT_FORMAT, {
    names: { clientId: 'c' },
    clientSecret: SecretValue.of('value'),
    secretId: '1',
    expires: null,
  });

  it('makes nothing where nothing is there, says absent, and refuses to write', async () => {
    const { folder, open } = await fresh();
    for (const vault of await open(true)) {
      expect(await vault.describe(ref)).toEqual({ state: 'absent' });
      await expect(vault.deliver(ref, payload, mark, ABSENT)).rejects.toThrow('opened to look only');
    }
    expect(await readdir(folder)).toEqual([]);
  });

  it('takes what it cannot look at for a fault, never for absent', async () => {
    const { folder, looking } = await fresh();
    await writeFile(join(folder, 'file'), '');
    const option = { path: join(folder, 'file', 'below') };
    const file = fileVaultType.create({ ...option, key: join(folder, 'key') }, looking);
    await expect(file).rejects.toThrow('cannot look at');
    const directory = directoryVaultType.create({ ...option, mode: '0600', uid: null, gid: null }, looking);
    await expect(directory).rejects.toThrow('cannot look at');
  });

  it('reads what was made meanwhile, as a daemon in mode observe looks for weeks', async () => {
    const { open } = await fresh();
    const vacant = await open(true);
    for (const vault of vacant) expect(await vault.read(ref)).toEqual({ state: 'absent' });
    for (const vault of await open(false)) await vault.deliver(ref, payload, mark, ABSENT);
    for (const vault of vacant) {
      expect(await vault.describe(ref)).toMatchObject({ state: 'present', mark });
      expect(await vault.read(ref)).toMatchObject({ state: 'present', binding: 'bound' });
      await expect(vault.deliver(ref, payload, mark, ABSENT)).rejects.toThrow('opened to look only');
    }
  });

  it('has the same identity, and reads what a daemon wrote', async () => {
    const { open } = await fresh();
    const vacant = await open(true);
    const real = await open(false);
    for (const vault of real) await vault.deliver(ref, payload, mark, ABSENT);
    const looking = await open(true);
    for (const [index, vault] of looking.entries()) {
      expect(vacant[index]?.identity).toBe(vault.identity);
      expect(vacant[index]?.capabilities).toEqual(vault.capabilities);
      expect(await vault.read(ref)).toMatchObject({ state: 'present', binding: 'bound' });
    }
  });
});
