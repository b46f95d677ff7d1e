import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConfigError, VaultError } from '../../../src/domain/errors.ts';
import { ABSENT } from '../../../src/vaults/contract.ts';
import type { Vault } from '../../../src/vaults/contract.ts';
import { moduleVaultType } from '../../../src/vaults/module.ts';
import { createTestContext } from '../../conformance/vault-context.ts';
import { numberedMark, numberedPayload } from './numbered.ts';

const ref = { entry: 'orders', options: {} };
const CANARY = 'canary-77aa01';

let root: string;
let count = 0;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'rekeyd-module-'));
});
afterEach(() => rmSync(root, { recursive: true }));

/** A module of a user. */
function write(source: string): string {
  const path = join(root, `vault-${++count}.mjs`);
  writeFileSync(path, source);
  return path;
}

/** A vault whose `parts` stand in the object that createVault returns. */
function vaultOf(parts: string): string {
  return write(`export function createVault(options, context) {
    return {
      identity: 'test:' + options?.store,
      async describe() { return { state: 'absent' }; },
      async read() { return { state: 'absent' }; },
      async deliver() { return { version: '1' }; },
      ${parts}
    };
  }`);
}

const open = (module: string, options: unknown = { store: 'one' }): Promise<Vault> =>
  moduleVaultType.create({ module, options }, createTestContext('mine'));

async function refusal(module: string): Promise<string> {
  const error: unknown = await open(module).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(ConfigError);
  const { message } = error as ConfigError;
  expect(message.startsWith(`vaults.mine.module: module '${module}': `)).toBe(true);
  return message.slice(message.indexOf(`': `) + 3);
}

describe('a module that makes no vault', () => {
  it.each([
    ['that is not there', () => join(root, 'missing.mjs'), /cannot be loaded: Cannot find module/],
    ['with a mistake in it', () => write('export function createVault( {'), /cannot be loaded: unexpected \w*Error/],
    [
      'that fails as it is loaded',
      () => write(`throw new Error('${CANARY}')`),
      /cannot be loaded: unexpected Error; to see where, run node/,
    ],
    ['that exports something else', () => write('export default {}'), /exports no function 'createVault'/],
    [
      'that throws',
      () => write(`export function createVault() { throw new Error('${CANARY}') }`),
      /failed: unexpected Error/,
    ],
    [
      'that rejects',
      () => write('export const createVault = async () => { throw null }'),
      /failed: unexpected failure/,
    ],
    [
      'that says what is wrong with its options',
      () => write(`export const createVault = (o, c) => { throw c.error('rejected', 'no database given.') }`),
      /createVault failed: Vault 'mine': no database given/,
    ],
    ['that returns nothing', () => write('export const createVault = () => {}'), /returned no object/],
    ['without identity', () => vaultOf('identity: undefined'), /no 'identity'/],
    ['without describe', () => vaultOf('describe: null'), /no method 'describe'/],
    ['without deliver', () => vaultOf('deliver: "yes"'), /no method 'deliver'/],
    ['with a close that is none', () => vaultOf('close: true'), /'close' is not a method/],
    [
      'with an unknown capability',
      () => vaultOf('capabilities: { compareAndSwap: true }'),
      /compareAndSwap' is not known/,
    ],
    [
      'with a capability that is none',
      () => vaultOf('capabilities: { map: "no" }'),
      /'capabilities.map' is not true or false/,
    ],
    ['with a readBack that is none', () => vaultOf('readBack: "1m"'), /'readBack' is not a number/],
  ])('%s: is an error that names it', async (_, module, message) => {
    const said = await refusal(module());
    expect(said).toMatch(message);
    expect(said).not.toContain(CANARY);
  });

  it('needs a path or a package, not both', () => {
    const { schema } = moduleVaultType;
    expect(schema.safeParse({ module: './a.mjs' }).success).toBe(true);
    expect(schema.safeParse({ package: '@me/vault', options: { a: 1 } }).success).toBe(true);
    expect(schema.safeParse({}).success).toBe(false);
    expect(schema.safeParse({ module: './a.mjs', package: '@me/vault' }).success).toBe(false);
  });

  it('a package that is not installed is an error that names it', async () => {
    const opening = moduleVaultType.create({ package: '@me/not-there', options: {} }, createTestContext('mine'));
    await expect(opening).rejects.toThrow(/vaults\.mine\.package: module '@me\/not-there': it cannot be loaded/);
  });
});

describe('a module that makes a vault', () => {
  it('is handed its options and a context, and has defaults filled in', async () => {
    const vault = await open(vaultOf('seen: context.name'), { store: 'two' });
    expect(vault).toMatchObject({
      name: 'mine',
      type: 'module',
      identity: 'test:two',
      capabilities: { compareAndSet: false, readable: true, map: false },
      readBack: 60_000,
    });
    const [reached] = await vault.rights([]);
    expect(reached).toMatchObject({ right: 'reached', status: 'unknown' });
    await expect(vault.close()).resolves.toBeUndefined();
  });

  it('keeps what it says of itself', async () => {
    const vault = await open(
      vaultOf(
        'capabilities: { compareAndSet: true }, readBack: 5, async close() { throw context.error("denied", "x.") }',
      ),
    );
    expect(vault).toMatchObject({ capabilities: { compareAndSet: true, readable: true }, readBack: 5 });
    await expect(vault.close()).rejects.toBeInstanceOf(VaultError);
  });

  it('restores a mark by delivering the value again, where it has no way of its own', async () => {
    const vault = await open(
      vaultOf(`
        async read() {
          return { state: 'present', version: '4', mark: null, binding: 'broken', payload: { form: 'opaque', content: context.secret('v') } };
        },
        async deliver(ref, payload, mark, expected) {
          return { version: [expected, payload.content.reveal(), mark.generation].join('-') };
        },`),
    );
    expect(await vault.restoreMark(ref, numberedMark(3, 'a'), '4')).toEqual({ version: '4-v-3' });
    await expect(vault.restoreMark(ref, numberedMark(3, 'a'), '3')).rejects.toMatchObject({ fault: 'conflict' });
  });

  const present = (more: string): string =>
    `{ state: 'present', version: '1', mark: null, binding: 'broken', payload: null, ${more} }`;

  it.each([
    ['nothing', 'undefined', /read answered no object/],
    ['an unknown state', '{ state: "gone" }', /neither absent nor present/],
    ['no version', present('version: 1'), /no 'version'/],
    ['an unknown binding', present('binding: true'), /none of bound, broken, unproven/],
    ['a revision that is a number', present('revision: 4'), /a 'revision' that is no text/],
    ['a mark that is none', present('mark: "m"'), /neither null nor an object/],
    ['half a mark', present('mark: { instance: "i" }'), /'issuer' is no text/],
    ['no payload', present('payload: undefined'), /no 'payload'/],
    ['a payload without form', present('payload: { content: context.secret("x") }'), /neither fields nor opaque/],
    ['a bare value', present(`payload: { form: 'opaque', content: '${CANARY}' }`), /not made with context.secret/],
  ])('that reads %s is an error that names it, and quotes nothing', async (_, answer, message) => {
    const module = vaultOf(`async read() { return ${answer}; },`);
    const vault = await open(module);
    const error: unknown = await vault.read(ref).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(VaultError);
    expect(error).toMatchObject({ fault: 'malformed', vault: 'mine', entry: 'orders' });
    expect((error as VaultError).message).toContain(`module '${module}'`);
    expect((error as VaultError).message).toMatch(message);
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain(CANARY);
  });

  it('that does not prove when it is asked to, or delivers without a version, is an error', async () => {
    const vault = await open(
      vaultOf(`async describe() { return ${present("binding: 'unproven'")}; }, async deliver() { return {}; },`),
    );
    expect(await vault.describe(ref)).toMatchObject({ binding: 'unproven' });
    await expect(vault.describe(ref, { prove: true })).rejects.toThrow(/although it was asked to prove/);
    const call = vault.deliver(ref, numberedPayload(1, 'a'), numberedMark(1, 'a'), ABSENT);
    await expect(call).rejects.toThrow(/deliver answered no 'version'/);
  });
});
