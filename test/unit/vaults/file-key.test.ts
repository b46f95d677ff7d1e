import { mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generateHybridIdentity, generateX25519Identity, identityToRecipient } from 'age-encryption';
import { describe, expect, it } from 'vitest';
import { fileVaultType } from '../../../src/vaults/file.ts';
import { asAnotherUser } from '../../conformance/another-user.ts';
import { deliver, fileScene, ref, refusal } from './file-scene.ts';

const scene = fileScene();
const { context, open, folder, versions } = scene;

const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);

describe('the key of a file vault', () => {
  it('S8: is made where it is missing, 0600 as are all files, and told', async () => {
    const made = context();
    const vault = await fileVaultType.create(scene.options, made);
    await deliver(vault, 1);
    const recipient = await identityToRecipient(
      /AGE-SECRET-KEY-1\S+/.exec(readFileSync(scene.options.key, 'utf8'))![0],
    );
    expect(made.printed()).toContain('vault-key-created');
    expect(made.printed()).toContain(recipient);
    expect(made.printed()).not.toContain('AGE-SECRET-KEY');
    expect([scene.options.path, folder(), join(scene.root, 'keys')].map(modeOf)).toEqual(['700', '700', '700']);
    expect([scene.options.key, join(folder(), versions()[0]!)].map(modeOf)).toEqual(['600', '600']);
    expect(readdirSync(join(scene.root, 'keys'))).toEqual(['vault.key']);
  });

  it('is taken as it is from then on', async () => {
    await deliver(await open(), 1);
    const again = context();
    const vault = await fileVaultType.create(scene.options, again);
    expect(again.printed()).toBe('');
    expect(await vault.read(ref)).toMatchObject({ binding: 'bound' });
  });

  it('is one where several vaults start together', async () => {
    const vaults = await Promise.all(Array.from({ length: 6 }, () => open()));
    await deliver(vaults[0]!, 1);
    for (const vault of vaults) expect(await vault.read(ref)).toMatchObject({ binding: 'bound' });
  });

  it('is never written over, where another process makes one at the same instant', async () => {
    const theirs = await generateX25519Identity();
    const late = context();
    const ids = {
      ...late.ids,
      unique: () => {
        writeFileSync(scene.options.key, `${theirs}\n`, { mode: 0o600 }); // they get in just before our file is named
        return 'ours';
      },
    };
    const vault = await fileVaultType.create(scene.options, { ...late, ids });
    expect(readFileSync(scene.options.key, 'utf8')).toBe(`${theirs}\n`);
    expect(late.printed()).not.toContain('vault-key-created');
    await deliver(vault, 1);
    expect(await (await open()).read(ref)).toMatchObject({ binding: 'bound' });
  });

  it('missing beside existing entries is an error that says what to do', async () => {
    await deliver(await open(), 1);
    rmSync(scene.options.key);
    const message = await refusal(open());
    expect(message).toMatch(/^vaults\.local\.key: the key '.*vault\.key' is missing, but the vault holds entries/);
    expect(message).toMatch(/put it back from your backup/);
    expect(() => statSync(scene.options.key)).toThrow(/ENOENT/);
  });

  it.each([
    ['nothing in it', ''],
    ['comments alone', '# created: today\n'],
    ['something else', 'hunter2\n'],
    ['a damaged identity', 'AGE-SECRET-KEY-1QQQQ\n'],
  ])('with %s is refused, without quoting it', async (_, text) => {
    mkdirSync(join(scene.root, 'keys'));
    writeFileSync(scene.options.key, text, { mode: 0o600 });
    const message = await refusal(open());
    expect(message).toMatch(/holds no age identity/);
    for (const line of text.split('\n').filter((each) => each !== '')) expect(message).not.toContain(line);
  });

  it.each([
    ['of X25519', generateX25519Identity],
    ['that is post-quantum', generateHybridIdentity],
  ])('%s is one that age itself takes', async (_, make) => {
    const identity = await make();
    mkdirSync(join(scene.root, 'keys'));
    writeFileSync(scene.options.key, `${identity}\n`, { mode: 0o600 });
    await deliver(await open(), 1);
    expect(readFileSync(join(folder(), versions()[0]!), 'utf8')).toContain(await identityToRecipient(identity));
    expect(await (await open()).read(ref)).toMatchObject({ binding: 'bound' });
  });

  it('that cannot be read is an error, and is not replaced', async () => {
    await open();
    const before = readFileSync(scene.options.key, 'utf8');
    const undo = asAnotherUser(join(scene.root, 'keys'));
    const message = await refusal(open()).finally(undo);
    expect(message).toMatch(/EACCES/);
    expect(readFileSync(scene.options.key, 'utf8')).toBe(before);
  });

  it('that is another than the entry was written with is an error, never absence or an empty entry', async () => {
    const vault = await open();
    const version = await deliver(vault, 1);
    const other = await generateX25519Identity();
    const mine = readFileSync(scene.options.key, 'utf8');
    writeFileSync(scene.options.key, `${other}\n`);
    const swapped = await open();
    expect(await swapped.describe(ref)).toMatchObject({ binding: 'bound', version });
    await expect(swapped.describe(ref, { prove: true })).rejects.toMatchObject({ fault: 'denied' });
    await expect(swapped.read(ref)).rejects.toThrow(/encrypted for age1.*put the key back/);
    // Both keys in the file: the first encrypts, each opens what it can.
    writeFileSync(scene.options.key, `${other}\n${mine}`);
    const both = await open();
    expect(await both.read(ref)).toMatchObject({ binding: 'bound' });
    await deliver(both, 2, version);
    expect(readFileSync(join(folder(), versions().at(-1)!), 'utf8')).toContain(await identityToRecipient(other));
    expect(await both.read(ref)).toMatchObject({ binding: 'bound', mark: { generation: 2 } });
  });
});
