import { Encrypter, identityToRecipient } from 'age-encryption';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EntryRef } from '../../src/vaults/contract.ts';
import { encodeEntryName } from '../../src/vaults/entry-name.ts';
import { fileVaultType } from '../../src/vaults/file.ts';
import { asAnotherUser } from './another-user.ts';
import { createTestContext } from './vault-context.ts';
import { describeVaultSuite } from './vault-suite.ts';
import type { VaultFixture } from './vault-fixture.ts';

type Document = Record<string, unknown>;

async function open(): Promise<VaultFixture> {
  const root = mkdtempSync(join(tmpdir(), 'rekeyd-file-vault-'));
  const options = { path: join(root, 'vault'), key: join(root, 'vault.key') };
  const context = createTestContext();
  const vault = await fileVaultType.create(options, context);

  const folder = (ref: EntryRef): string => join(options.path, encodeEntryName(ref.entry));
  const versions = (ref: EntryRef): string[] =>
    readdirSync(folder(ref))
      .filter((name) => name.endsWith('.json'))
      .sort();
  const newest = (ref: EntryRef): string => join(folder(ref), versions(ref).at(-1)!);
  const change = (ref: EntryRef, how: (document: Document) => Document): void => {
    const document = JSON.parse(readFileSync(newest(ref), 'utf8')) as Document;
    writeFileSync(newest(ref), JSON.stringify(how(document)));
  };
  const encrypt = async (content: string): Promise<{ recipient: string; ciphertext: string }> => {
    const identity = /AGE-SECRET-KEY-1\S+/.exec(readFileSync(options.key, 'utf8'))![0];
    const recipient = await identityToRecipient(identity);
    const encrypter = new Encrypter();
    encrypter.addRecipient(recipient);
    const ciphertext = Buffer.from(await encrypter.encrypt(content)).toString('base64');
    return { recipient, ciphertext };
  };

  return {
    vault,
    type: fileVaultType,
    printed: () => context.printed(),
    editByHand: async (ref, content) => {
      const encrypted = await encrypt(content);
      change(ref, (document) => ({ ...document, ...encrypted }));
    },
    removeMark: (ref) => change(ref, ({ mark: _, ...document }) => document),
    rollBack: (ref) => {
      const [older] = versions(ref).slice(-2);
      copyFileSync(join(folder(ref), older!), newest(ref));
    },
    rollBackAndForth: (ref) => {
      const [older, now] = versions(ref)
        .slice(-2)
        .map((name) => readFileSync(join(folder(ref), name)));
      for (const text of [older!, now!]) writeFileSync(newest(ref), text);
    },
    makeEmpty: (ref) => change(ref, (document) => ({ ...document, ciphertext: '' })),
    putForeign: async (ref, content) => {
      mkdirSync(folder(ref), { mode: 0o700 });
      const document = { format: 1, created: 'by hand', form: 'opaque', ...(await encrypt(content)) };
      writeFileSync(join(folder(ref), '0000000007.json'), JSON.stringify(document));
    },
    deny: () => asAnotherUser(options.path),
    addForeignMetadata: (ref) => {
      const note = join(folder(ref), 'NOTE.txt');
      writeFileSync(note, 'ask the payments team first');
      return () => existsSync(note);
    },
    second: () => fileVaultType.create(options, createTestContext('under-test', 2)),
    close: async () => {
      await vault.close();
      rmSync(root, { recursive: true });
    },
  };
}

describeVaultSuite('file', {
  open,
  capabilities: { compareAndSet: true, readable: true, map: false },
  lacks: { lag: 'files are seen as soon as they are written' },
});
