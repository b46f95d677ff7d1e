import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { VaultError } from '../../src/domain/errors.ts';
import type { Payload } from '../../src/domain/payload.ts';
import { SecretValue } from '../../src/domain/secret-value.ts';
import { ABSENT } from '../../src/vaults/contract.ts';
import type { EntryRef, Vault } from '../../src/vaults/contract.ts';
import { hashicorpVaultType } from '../../src/vaults/hashicorp-vault.ts';
import { makeMark } from '../conformance/vault-bench.ts';
import { createTestContext } from '../conformance/vault-context.ts';
import { openMount } from './openbao-mount.ts';
import type { OpenBaoMount } from './openbao-mount.ts';
import type { OpenBaoAccess } from './openbao.ts';

/** What the cases of the vault at a real server share: a mount, vaults on it, and one entry that each case begins without. */
export class OpenBaoBench {
  readonly access: OpenBaoAccess;
  readonly mount: OpenBaoMount;
  /** For files of a case. */
  readonly folder: string;
  readonly ref: EntryRef = { entry: 'prod/orders', options: {} };
  readonly #opened: Vault[] = [];

  private constructor(access: OpenBaoAccess, mount: OpenBaoMount, folder: string) {
    this.access = access;
    this.mount = mount;
    this.folder = folder;
  }

  static async open(access: OpenBaoAccess): Promise<OpenBaoBench> {
    return new OpenBaoBench(access, await openMount(access), await mkdtemp(join(tmpdir(), 'rekeyd-openbao-cases-')));
  }

  async connect(auth: object, more: object = {}): Promise<Vault> {
    const options = hashicorpVaultType.schema.parse({ url: this.access.url, mount: this.mount.name, auth, ...more });
    const vault = await hashicorpVaultType.create(options, createTestContext());
    this.#opened.push(vault);
    return vault;
  }

  /** With the least rights. */
  async withToken(more: object = {}): Promise<Vault> {
    return this.connect({ method: 'token', token: await this.mount.token() }, more);
  }

  async file(name: string, text: string): Promise<string> {
    await writeFile(join(this.folder, name), text);
    return join(this.folder, name);
  }

  /** Delivers to the entry for the first time, reads back, and finds the rights whole. */
  async expectWorking(vault: Vault): Promise<void> {
    await vault.deliver(this.ref, opaque('a value'), makeMark(1), ABSENT);
    expect(await vault.read(this.ref)).toMatchObject({ mark: makeMark(1), binding: 'bound' });
    expect((await vault.rights([this.ref])).filter(({ status }) => status !== 'ok')).toEqual([]);
  }

  /** Delivers over what is there. */
  async expectDelivery(vault: Vault, generation: number): Promise<void> {
    const seen = (await vault.describe(this.ref)) as { version: string };
    await vault.deliver(this.ref, opaque(`value ${generation}`), makeMark(generation), seen.version);
    const now = await vault.describe(this.ref, { prove: true });
    expect(now).toMatchObject({ mark: makeMark(generation), binding: 'bound' });
  }

  async failure(work: Promise<unknown>): Promise<VaultError> {
    const thrown: unknown = await work.then(
      () => null,
      (error: unknown) => error,
    );
    expect(thrown).toBeInstanceOf(VaultError);
    return thrown as VaultError;
  }

  /** After each case. */
  async clear(): Promise<void> {
    for (const vault of this.#opened.splice(0)) await vault.close();
    await this.mount.hands.must('DELETE', this.mount.hands.metadata(this.ref.entry));
  }

  async close(): Promise<void> {
    await this.mount.remove();
    await rm(this.folder, { recursive: true });
  }
}

export function opaque(text: string): Payload {
  return { form: 'opaque', content: SecretValue.of(text) };
}
