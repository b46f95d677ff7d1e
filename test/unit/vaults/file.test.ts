import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { HOUR } from '../../../src/domain/time.ts';
import { ABSENT } from '../../../src/vaults/contract.ts';
import type { Vault } from '../../../src/vaults/contract.ts';
import { publish } from '../../../src/vaults/file-versions.ts';
import { fileVaultType } from '../../../src/vaults/file.ts';
import { numberedMark, numberedPayload } from './numbered.ts';
import { deliver, fileScene, ref, refusal } from './file-scene.ts';

const scene = fileScene();
const { context, open, folder, versions } = scene;

/** Delivers generations 1 to `count`. @returns the last version. */
async function deliverUpTo(vault: Vault, count: number): Promise<string> {
  let version = ABSENT;
  for (let generation = 1; generation <= count; generation++) version = await deliver(vault, generation, version);
  return version;
}

describe('the files of a file vault', () => {
  it.each([
    ['the folder', 'path', 0o750, /vaults\.local\.path: .*mode 0750.*chmod 0700/],
    ['the key', 'key', 0o640, /vaults\.local\.key: .*mode 0640.*chmod 0600/],
  ] as const)(
    'S8: %s is refused with a wider mode, with the command that mends it',
    async (_, which, mode, message) => {
      await open();
      chmodSync(scene.options[which], mode);
      expect(await refusal(open())).toMatch(message);
    },
  );

  it('are refused where a file stands in the place of the folder, or a folder in that of the key', async () => {
    mkdirSync(join(scene.root, 'var'));
    writeFileSync(scene.options.path, '');
    expect(await refusal(open())).toMatch(/is not a folder/);
    rmSync(scene.options.path);
    mkdirSync(scene.options.key, { recursive: true });
    expect(await refusal(open())).toMatch(/is not a file/);
  });

  it('hold no value in the clear', async () => {
    await deliver(await open(), 1);
    const text = readFileSync(join(folder(), versions()[0]!), 'utf8');
    expect(text).toContain('"rekeyd-generation": "1"');
    expect(Buffer.from(/"ciphertext": "([^"]+)"/.exec(text)![1]!, 'base64').toString()).toMatch(/^age-encryption.org/);
    expect(text).not.toContain('a-1;');
  });

  it('keep the version before the last, and no older one', async () => {
    await deliverUpTo(await open(), 5);
    expect(versions()).toEqual(['0000000004.json', '0000000005.json']);
  });

  it('V14: the version before the last, copied back by hand as the newest, reads as what it is', async () => {
    const vault = await open();
    await deliverUpTo(vault, 5);
    copyFileSync(join(folder(), '0000000004.json'), join(folder(), '0000000006.json'));
    expect(await vault.describe(ref, { prove: true })).toMatchObject({ mark: { generation: 4 }, binding: 'bound' });
  });

  it('V17: a mark that was edited is broken, with and without proof', async () => {
    const vault = await open();
    await deliver(vault, 1);
    const file = join(folder(), versions()[0]!);
    writeFileSync(file, readFileSync(file, 'utf8').replace('"rekeyd-generation": "1"', '"rekeyd-generation": "9"'));
    expect(await vault.describe(ref)).toMatchObject({ mark: { generation: 9 }, binding: 'broken' });
    expect(await vault.describe(ref, { prove: true })).toMatchObject({ binding: 'broken' });
    expect(await vault.read(ref)).toMatchObject({ binding: 'broken' });
  });

  it('V17: a ciphertext that was cut is broken, and has no value', async () => {
    const vault = await open();
    await deliver(vault, 1);
    const file = join(folder(), versions()[0]!);
    writeFileSync(file, readFileSync(file, 'utf8').replace(/"ciphertext": "(.*?)....",/, '"ciphertext": "$1",'));
    expect(await vault.read(ref)).toMatchObject({ state: 'present', binding: 'broken', payload: null });
  });

  it('V12: an empty file is an entry without value', async () => {
    const vault = await open();
    await deliver(vault, 1);
    writeFileSync(join(folder(), versions()[0]!), '');
    expect(await vault.read(ref)).toMatchObject({ state: 'present', mark: null, binding: 'broken', payload: null });
  });

  it.each(['{"format": 2}', 'not json', '[]', '{"__proto__": {"format": 1}}'])(
    'a version that cannot be read is an error that names its file: %s',
    async (text) => {
      const vault = await open();
      await deliver(vault, 1);
      writeFileSync(join(folder(), versions()[0]!), text);
      await expect(vault.describe(ref)).rejects.toMatchObject({ fault: 'malformed' });
      await expect(vault.describe(ref)).rejects.toThrow(/0000000001\.json' cannot be read as a version/);
    },
  );

  it('a version of absurd size is an error', async () => {
    const vault = await open();
    await deliver(vault, 1);
    writeFileSync(join(folder(), versions()[0]!), Buffer.alloc(5_000_000));
    await expect(vault.describe(ref)).rejects.toMatchObject({ fault: 'malformed' });
  });

  it('V15: a folder that is not there any more (unmounted) is an error, never absence', async () => {
    const vault = await open();
    await deliver(vault, 1);
    rmSync(scene.options.path, { recursive: true });
    await expect(vault.describe(ref)).rejects.toThrow(/is it mounted/);
    mkdirSync(scene.options.path, { mode: 0o700 });
    await expect(vault.read(ref)).rejects.toMatchObject({ fault: 'unavailable' });
    await expect(deliver(vault, 2)).rejects.toMatchObject({ fault: 'unavailable' });
  });

  it('leftovers of writers that died are ignored, and tidied when older than an hour', async () => {
    const vault = await open();
    await deliver(vault, 1);
    const [stale, fresh] = [join(folder(), '.rekeyd-tmp-dead'), join(folder(), '.rekeyd-tmp-alive')];
    for (const path of [stale, fresh]) writeFileSync(path, '{"half');
    const old = new Date(statSync(folder()).mtimeMs - HOUR - 60_000);
    utimesSync(stale, old, old);
    const seen = await vault.describe(ref);
    expect(seen).toMatchObject({ mark: { generation: 1 }, binding: 'bound' });
    await deliver(vault, 2, seen.state === 'present' ? seen.version : '');
    expect(versions()).toEqual(['.rekeyd-tmp-alive', '0000000001.json', '0000000002.json']);
  });

  it('V3: a version that comes in behind a newer one is taken back', async () => {
    // Its writer had looked at version 1; since then others published 2 to 4, and tidied 2 away.
    const vault = await open();
    await deliverUpTo(vault, 4);
    const nothing = (): void => undefined;
    expect(await publish(folder(), 2, 'too late', context().ids, nothing)).toBe(false);
    expect(await publish(folder(), 4, 'too late', context().ids, nothing)).toBe(false);
    expect(versions()).toEqual(['0000000003.json', '0000000004.json']);
    expect(await vault.describe(ref)).toMatchObject({ mark: { generation: 4 }, binding: 'bound' });
  });

  it('S5: a name from elsewhere cannot leave the folder', async () => {
    const vault = await open();
    for (const entry of ['..', '', '../vault.key', 'a/../../b']) {
      const call = vault.deliver({ entry, options: {} }, numberedPayload(1, 'a'), numberedMark(1, 'a'), ABSENT);
      await expect(call).rejects.toMatchObject({ fault: 'rejected' });
      await expect(vault.describe({ entry, options: {} })).rejects.toMatchObject({ fault: 'rejected' });
    }
    expect(readdirSync(scene.root).sort()).toEqual(['keys', 'var']);
  });

  it('V10: a name that is too long for a file name is refused when the configuration is loaded', () => {
    expect(fileVaultType.nameProblem('a'.repeat(255))).toBeNull();
    expect(fileVaultType.nameProblem('a'.repeat(256))).toMatch(/255 is the most/);
    expect(fileVaultType.nameProblem('Ä'.repeat(43))).toMatch(/258 bytes/);
  });
});
