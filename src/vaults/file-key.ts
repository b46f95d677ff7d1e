import { bech32 } from '@scure/base';
import type { Decrypter, Encrypter } from 'age-encryption';
import { createPrivateKey, createPublicKey } from 'node:crypto';
import type { webcrypto } from 'node:crypto';
import { link, mkdir, readFile, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { SecretValue } from '../domain/secret-value.ts';
import { formatInstant } from '../domain/time.ts';
import type { VaultContext } from './contract.ts';
import { syncFolder, tidyTemporaries, writeTemporary } from './durable-file.ts';
import { checkPrivateFile, openingError, optionError } from './private-files.ts';
import type { PathOption } from './private-files.ts';
import { systemCode } from './system-error.ts';

/** What stands before the 32 bytes of an X25519 key in PKCS #8 (RFC 8410). */
const PKCS8_X25519 = Buffer.from('302e020100300506032b656e04220420', 'hex');

/** An identity as age takes it. One that is text it would read anew for every value that it opens. */
type Identity = string | webcrypto.CryptoKey;

/** The age key of a file vault: it encrypts for its first identity, and opens what was encrypted for any. */
export class FileKey {
  /** The public key that is encrypted for: `age1…`. */
  readonly recipient: string;
  /** All public keys whose private half is there. */
  readonly recipients: readonly string[];
  readonly #identities: readonly Identity[];
  #age: { readonly encrypter: Encrypter; readonly decrypter: Decrypter } | null = null;

  constructor(recipients: readonly [string, ...string[]], identities: readonly Identity[]) {
    this.recipient = recipients[0];
    this.recipients = recipients;
    this.#identities = identities;
  }

  /** @returns the age file in base64. */
  async encrypt(value: SecretValue): Promise<string> {
    const { encrypter } = await this.load();
    return Buffer.from(await encrypter.encrypt(value.reveal())).toString('base64');
  }

  /** @returns null where it cannot be opened: not for this key, or changed since. It does not throw. */
  async decrypt(ciphertext: string): Promise<SecretValue | null> {
    const { decrypter } = await this.load();
    try {
      return SecretValue.of(await decrypter.decrypt(Buffer.from(ciphertext, 'base64'), 'text'));
    } catch {
      return null; // what age says of a damaged file helps nobody, and is not ours to trust
    }
  }

  /**
   * Loads the library, once. Not at start, which it would hold up by a tenth of a second, but by the first look at the vault: a
   * library that is missing is found before a secret is made, not after.
   */
  async load() {
    if (this.#age !== null) return this.#age;
    const age = await import('age-encryption');
    const encrypter = new age.Encrypter();
    const decrypter = new age.Decrypter();
    encrypter.addRecipient(this.recipient);
    for (const identity of this.#identities) decrypter.addIdentity(identity);
    return (this.#age = { encrypter, decrypter });
  }
}

/**
 * Reads the vault's key, and makes one where neither key nor entries are there yet. Two processes that start together end
 * up with the same key.
 * @param hasEntries whether the vault holds entries, which only the missing key would open.
 * @throws ConfigError where the key cannot be used, VaultError for a fault of the machine.
 */
export async function openKey(
  path: string,
  hasEntries: () => Promise<boolean>,
  context: Pick<VaultContext, 'name' | 'ids' | 'log' | 'clock'>,
): Promise<FileKey> {
  const option: PathOption = { vault: context.name, option: 'key', path };
  if (!(await checkPrivateFile(option))) {
    // In this order: another process may have made the key and its first entry in between.
    const lost = await hasEntries();
    if (!(await checkPrivateFile(option))) {
      if (lost) {
        throw optionError(
          option,
          `the key '${path}' is missing, but the vault holds entries that only it opens: put it back from your backup; if it is lost, move the vault's folder away, and rekeyd fills a new one`,
        );
      }
      await makeKey(option, context);
    }
  }
  return parseKey(option, await readKey(option));
}

async function makeKey(option: PathOption, context: Pick<VaultContext, 'ids' | 'log' | 'clock'>): Promise<void> {
  const folder = dirname(option.path);
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const { generateX25519Identity, identityToRecipient } = await import('age-encryption');
    const identity = await generateX25519Identity();
    const recipient = await identityToRecipient(identity);
    const created = formatInstant(context.clock.now());
    const text = `# created: ${created}\n# public key: ${recipient}\n${identity}\n`;
    const temporary = await writeTemporary(folder, text, context.ids);
    try {
      const mine = await stat(temporary);
      await link(temporary, option.path);
      await syncFolder(folder);
      await tidyTemporaries(folder, mine);
      context.log.warn(
        'vault-key-created',
        'A key was made for the vault. Without it nobody can read the entries: put a copy in a safe place.',
        { vault: option.vault, key: option.path, recipient },
      );
    } finally {
      await rm(temporary, { force: true });
    }
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return; // the other process was first: its key is read
    throw openingError(option, 'make the key', error);
  }
}

/** What an identity is opened and encrypted with. @throws Error where it is none; a library's message may quote it. */
async function unpacked(identity: string): Promise<{ identity: Identity; recipient: string }> {
  const { prefix, bytes } = bech32.decodeToBytes(identity);
  if (prefix.toUpperCase() !== 'AGE-SECRET-KEY-') {
    const { identityToRecipient } = await import('age-encryption');
    return { identity, recipient: await identityToRecipient(identity) };
  }
  const pkcs8 = Buffer.concat([PKCS8_X25519, bytes]);
  const key = await crypto.subtle.importKey('pkcs8', pkcs8, { name: 'X25519' }, false, ['deriveBits']);
  const half = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' });
  const { x } = createPublicKey(half).export({ format: 'jwk' });
  return { identity: key, recipient: bech32.encodeFromBytes('age', Buffer.from(x ?? '', 'base64url')) };
}

async function readKey(option: PathOption): Promise<string> {
  try {
    return await readFile(option.path, 'utf8');
  } catch (error) {
    throw openingError(option, 'read the key', error);
  }
}

async function parseKey(option: PathOption, text: string): Promise<FileKey> {
  const lines = text.split('\n').map((line) => line.trim());
  const found: { identity: Identity; recipient: string }[] = [];
  try {
    for (const line of lines) if (line !== '' && !line.startsWith('#')) found.push(await unpacked(line));
  } catch {
    found.length = 0; // a message of the library may quote the line, which is the private key
  }
  const [first, ...others] = found.map((each) => each.recipient);
  if (first === undefined) {
    throw optionError(
      option,
      `'${option.path}' holds no age identity that can be read: one 'AGE-SECRET-KEY-1…' a line is expected, as age-keygen writes it`,
    );
  }
  return new FileKey(
    [first, ...others],
    found.map((each) => each.identity),
  );
}
